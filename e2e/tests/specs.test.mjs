// Real OpenAPI documents of every dialect are imported by the admin API, and one of them is called through the gateway
// against nginx: a server that is not ours.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { Tollgate, until } from "../tollgate.mjs";

const SPECS = new URL("../../../shared/specs/", import.meta.url).pathname;
const NGINX = ["/usr/sbin/nginx", "/usr/local/bin/nginx", "/opt/homebrew/bin/nginx"].find(existsSync);
const skip = !existsSync(SPECS) && `${SPECS} is not here`;

describe("real OpenAPI documents", { skip }, () => {
  let tollgate;
  before(async () => { tollgate = await Tollgate.start(); });
  after(() => tollgate?.close());

  async function admin(method, path, body, type = "application/json") {
    const { admin_url, admin_token } = tollgate.welcome;
    const response = await fetch(`${admin_url}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${admin_token}`, "content-type": type },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  const service = (slug, url) => admin("POST", "/services", { slug, name: slug, targets: [{ url }] });

  function api(slug, service_id) {
    return admin("POST", "/apis", { slug, name: slug, service_id, base_path: `/${slug}`, state: "published" });
  }

  function publish(id, file) {
    const type = file.endsWith(".json") ? "application/json" : "application/yaml";
    return admin("PUT", `/apis/${id}/document`, readFileSync(join(SPECS, file), "utf8"), type);
  }

  test("every document becomes an API with its operations as routes", async () => {
    const { id: service_id } = await service("nowhere", "http://127.0.0.1:9");
    const files = readdirSync(SPECS).filter((file) => /\.(json|yaml)$/.test(file));
    assert.ok(files.length >= 5, files.join());
    let routes = 0;
    for (const file of files) {
      const slug = file.replace(/\.(json|yaml)$/, "").replaceAll(".", "-").toLowerCase();
      const { id } = await api(slug, service_id);
      const began = performance.now();
      await publish(id, file);
      const ms = performance.now() - began;
      const { data } = await admin("GET", `/apis/${id}/routes?limit=200`);
      routes += data.length;
      console.log(`  ${file}: ${data.length}${data.length === 200 ? "+" : ""} routes, published in ${ms.toFixed(0)} ms`);
    }
    assert.ok(routes > 200, `${routes} routes`);
  });

  test("a document's operation is called through the gateway against nginx", { skip: !NGINX && "nginx is not here" }, async () => {
    const nginx = await Nginx.start();
    try {
      const { id: service_id } = await service("pets", nginx.url);
      const { id: api_id } = await api("pets", service_id);
      await publish(api_id, "v3.0-petstore-expanded.json");
      const product = await admin("POST", "/products", {
        slug: "pets", name: "Pets", state: "published", visibility: "public", apis: [api_id],
      });
      const plan = await admin("POST", "/plans", {
        product_id: product.id, slug: "free", name: "Free", state: "open", price: { minor: 0, currency: "EUR", per: "month" },
        limits: [{ name: "burst", kind: "rate", amount: 100, period: "second" }],
      });
      const organization = await admin("POST", "/organizations", { name: "Pet shop" });
      const application = await admin("POST", "/applications", { organization_id: organization.id, name: "Shop" });
      await admin("POST", "/subscriptions", { application_id: application.id, plan_id: plan.id });
      const key = await admin("POST", "/keys", { application_id: application.id, name: "Shop", environment: "live" });
      const secret = key.secret ?? key.key;
      const call = () => fetch(`${tollgate.welcome.gateway_url}/pets/pets/7`, { headers: { "x-api-key": secret } });
      const { found: response, ms } = await until("a call that passes", 5_000, async () => {
        const response = await call();
        return response.status === 200 ? response : undefined;
      });
      assert.deepEqual(await response.json(), { id: 7, name: "Rex", server: "nginx" });
      assert.match(response.headers.get("ratelimit"), /^"burst";r=\d+;t=\d+$/);
      assert.equal(response.headers.get("server"), null, "the upstream's Server field stays inside");
      console.log(`  first 200 from nginx ${ms.toFixed(0)} ms after the key was made`);
      const log = nginx.log();
      assert.match(log, /GET \/pets\/7 /);
      assert.ok(!log.includes(secret), "the key never reaches the upstream");
    } finally {
      await nginx.stop();
    }
  });
});

/** nginx on a free port, in a directory of its own, logging every request field that could hold a key. */
class Nginx {
  static async start() {
    const nginx = new Nginx();
    nginx.dir = mkdtempSync(join(tmpdir(), "tollgate-nginx-"));
    mkdirSync(join(nginx.dir, "logs"));
    const port = await freePort();
    nginx.url = `http://127.0.0.1:${port}`;
    writeFileSync(join(nginx.dir, "nginx.conf"), `
      daemon off; master_process off; pid ${nginx.dir}/pid; error_log ${nginx.dir}/logs/error.log;
      events {}
      http {
        log_format all '$request key=$http_x_api_key auth=$http_authorization';
        access_log ${nginx.dir}/logs/access.log all;
        client_body_temp_path ${nginx.dir}/body; proxy_temp_path ${nginx.dir}/proxy;
        fastcgi_temp_path ${nginx.dir}/fastcgi; uwsgi_temp_path ${nginx.dir}/uwsgi; scgi_temp_path ${nginx.dir}/scgi;
        server {
          listen 127.0.0.1:${port};
          location = /pets/7 { default_type application/json; return 200 '{"id":7,"name":"Rex","server":"nginx"}'; }
        }
      }`);
    nginx.child = spawn(NGINX, ["-p", nginx.dir, "-c", join(nginx.dir, "nginx.conf")], { stdio: "ignore" });
    await until("nginx", 10_000, () => fetch(`${nginx.url}/pets/7`).then(() => true, () => undefined), { everyMs: 20 });
    return nginx;
  }

  log() {
    return readFileSync(join(this.dir, "logs/access.log"), "utf8");
  }

  async stop() {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    await ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** nginx cannot tell which free port it took, so one is asked for that was free a moment ago. */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
