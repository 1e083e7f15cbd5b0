// An operator's script: publishes an API, opens it to a program, and changes it while calls go on.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AdminApi } from "../admin-api.mjs";
import { SteadyCalls } from "../steady-calls.mjs";
import { Tollgate, until } from "../tollgate.mjs";
import { Upstream } from "../upstream.mjs";

const IN_FORCE_WITHIN_MS = 1_000;

let tollgate;
let upstream;
let api;
// What the script made, by what it is.
const made = {};

before(async () => {
  [tollgate, upstream] = await Promise.all([Tollgate.start(), Upstream.start()]);
  api = new AdminApi(tollgate.welcome);
});

after(async () => {
  await upstream?.stop();
  await tollgate?.close();
});

function document(...paths) {
  const operation = (path) => ({
    get: {
      operationId: path.slice(1),
      summary: `Get ${path.slice(1)}`,
      responses: { 200: { description: "What was asked." } },
    },
  });
  return {
    openapi: "3.1.0",
    info: { title: "Parcels", version: "1.0.0" },
    paths: Object.fromEntries(paths.map((path) => [path, operation(path)])),
  };
}

function rate(amount) {
  return { name: "burst", kind: "rate", amount, period: "minute" };
}

function call(path, key) {
  return fetch(`${tollgate.welcome.gateway_url}/parcels${path}`, { headers: { "x-api-key": key } });
}

/** Asks the gateway until it answers as hoped; returns the milliseconds since `began`. */
async function inForce(t, what, path, key, hoped, began) {
  const { found, ms } = await until(what, 5 * IN_FORCE_WITHIN_MS, async () => {
    const answer = await call(path, key);
    const text = await answer.text();
    return hoped(answer) ? { answer, text } : undefined;
  }, { began, everyMs: 5 });
  t.diagnostic(`${what} was in force ${Math.round(ms)} ms after it was sent`);
  assert.ok(ms < IN_FORCE_WITHIN_MS, `${what} took ${ms} ms`);
  return found;
}

test("a script publishes an API and opens it to a program", async (t) => {
  made.service = await api.create("services", { slug: "parcels", name: "Parcels backend", targets: [{ url: upstream.url }] });
  made.api = await api.create("apis", {
    slug: "parcels", name: "Parcels", service_id: made.service.id, base_path: "/parcels", state: "published",
    document: document("/parcels"),
  });
  made.product = await api.create("products", { slug: "post", name: "Post", state: "published", apis: [made.api.id] });
  const price = { minor: 0, currency: "EUR", per: "month" };
  made.plan = await api.create("plans", {
    product_id: made.product.id, slug: "small", name: "Small", price, limits: [rate(1000)],
  });
  made.boundless = await api.create("plans", { product_id: made.product.id, slug: "boundless", name: "Boundless", price });
  made.organization = await api.create("organizations", { name: "Globex" });
  for (const [name, plan] of [["subscriber", made.plan], ["neighbour", made.boundless]]) {
    const application = await api.create("applications", { organization_id: made.organization.id, name });
    const subscription = await api.create("subscriptions", { application_id: application.id, plan_id: plan.id });
    const began = performance.now();
    const key = await api.create("keys", { application_id: application.id, name: "Production" });
    made[name] = { application, subscription, key };
    const { answer, text } = await inForce(t, `a new key of the ${name}`, "/parcels", key.secret, ({ ok }) => ok, began);
    assert.deepEqual(JSON.parse(text), { method: "GET", path: "/parcels" });
    assert.ok(answer.headers.get("x-request-id"));
  }
  assert.ok(upstream.seen.length > 0 && upstream.seen.every((headers) => !JSON.stringify(headers).includes("tg_live_")),
    "no key reaches the upstream");
  const page = await (await fetch(`${tollgate.welcome.portal_url}/products/post`)).text();
  assert.ok(page.includes("Get parcels") && page.includes("1,000 requests per minute"), "the portal offers it");
});

test("a changed plan, a new route and a revoked key are in force within a second and drop no call", async (t) => {
  const { subscriber, neighbour } = made;
  const steady = new SteadyCalls(`${tollgate.welcome.gateway_url}/parcels/parcels`, neighbour.key.secret);
  try {
    await steady.more(10);
    let began = performance.now();
    await api.send("PATCH", `/v1/plans/${made.plan.id}`, { limits: [rate(7)] });
    await inForce(t, "a changed plan", "/parcels", subscriber.key.secret,
      ({ headers }) => /"burst";q=7;w=60/.test(headers.get("ratelimit-policy")), began);
    const refused = await until("a refusal by the new limit", 1_000, async () => {
      const answer = await call("/parcels", subscriber.key.secret);
      return answer.status === 429 ? answer : undefined;
    });
    assert.match(refused.found.headers.get("content-type"), /^application\/problem\+json/);
    await api.send("PATCH", `/v1/plans/${made.plan.id}`, { limits: [] });

    began = performance.now();
    await api.send("PUT", `/v1/apis/${made.api.id}/document`, document("/parcels", "/offices"));
    await inForce(t, "a new route", "/offices", neighbour.key.secret, ({ status }) => status === 200, began);

    began = performance.now();
    await api.send("DELETE", `/v1/keys/${subscriber.key.id}`);
    await inForce(t, "a revoked key", "/parcels", subscriber.key.secret, ({ status }) => status === 401, began);
    await steady.more(10);
  } finally {
    await steady.stop();
  }
  t.diagnostic(`${steady.made} calls of the neighbour meanwhile, ${steady.failed.length} failed`);
  assert.deepEqual(steady.failed, []);
});

test("everything a script made is read back, and gone when it is deleted", async () => {
  const { subscriber, neighbour } = made;
  assert.equal((await api.send("GET", `/v1/keys/${subscriber.key.id}`)).state, "revoked");
  assert.equal((await api.send("GET", `/v1/apis/${made.api.id}`)).document_number, 2);
  await until("the neighbour's calls are counted", 5_000, async () => {
    const usage = await api.send("GET", `/v1/usage?application_id=${neighbour.application.id}`);
    return usage.totals.calls > 20 ? usage : undefined;
  }, { everyMs: 100 });
  await api.send("DELETE", `/v1/subscriptions/${neighbour.subscription.id}`);
  await until("an ended subscription opens nothing", IN_FORCE_WITHIN_MS, async () => {
    const { status } = await call("/parcels", neighbour.key.secret);
    return status === 403 ? status : undefined;
  });
  await api.send("DELETE", `/v1/applications/${neighbour.application.id}`);
  await until("the key of a deleted application is unknown", IN_FORCE_WITHIN_MS, async () => {
    const { status } = await call("/parcels", neighbour.key.secret);
    return status === 401 ? status : undefined;
  });
});
