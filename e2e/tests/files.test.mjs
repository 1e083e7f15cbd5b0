// Somebody keeps what is published in files: exports it, changes a line, looks, applies, and calls what changed.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Tollgate, until } from "../tollgate.mjs";

let tollgate;

before(async () => {
  tollgate = await Tollgate.start();
});

after(() => tollgate?.close());

/** Runs a command of Tollgate beside the running process, in its room; returns its exit code and what it printed. */
async function run(args, input = "") {
  const env = { PATH: process.env.PATH, TOLLGATE_DATA_DIR: join(tollgate.room, "data") };
  const child = spawn(process.env.TOLLGATE_BIN, args, { cwd: tollgate.room, env });
  child.stdin.end(input);
  const [out, err] = [child.stdout, child.stderr].map(async (stream) => {
    let text = "";
    for await (const chunk of stream.setEncoding("utf8")) text += chunk;
    return text;
  });
  const [code] = await once(child, "close");
  return { code, out: await out, err: await err };
}

async function succeed(args, input) {
  const done = await run(args, input);
  assert.equal(done.code, 0, `${args.join(" ")}\n${done.out}${done.err}`);
  return done.out;
}

function path(name) {
  return join(tollgate.room, name);
}

function edit(name, from, to) {
  const text = readFileSync(path(name), "utf8");
  assert.ok(text.includes(from), `${name} has ${from}`);
  writeFileSync(path(name), text.replace(from, to));
}

/** Every file below a directory, with its text. */
function tree(name) {
  const files = readdirSync(path(name), { recursive: true }).filter((file) => statSync(path(join(name, file))).isFile());
  return Object.fromEntries(files.sort().map((file) => [file, readFileSync(path(join(name, file)), "utf8")]));
}

async function call(below) {
  const { gateway_url, demo_key } = tollgate.welcome;
  return fetch(gateway_url + below, { headers: { "x-api-key": demo_key } });
}

test("what is exported holds, and is exported again byte by byte", async () => {
  assert.match(await succeed(["export", "-o", "publisher"]), /^4 files in publisher/);
  assert.deepEqual(Object.keys(tree("publisher")),
    ["apis/atlas.openapi.yaml", "apis/atlas.yaml", "products/atlas.yaml", "services/atlas.yaml"]);
  for (const command of [["diff"], ["apply"], ["apply", "--prune"]]) {
    assert.equal(await succeed([...command, "-f", "publisher"]), "Nothing to change: 5 resources are as declared.\n");
  }
  await succeed(["export", "-o", "again"]);
  assert.deepEqual(tree("again"), tree("publisher"));
  const whole = await succeed(["export"]);
  assert.match(await succeed(["apply", "-f", "-"], whole), /^Nothing to change/);
});

test("a changed line is shown, tried, applied once and in force", async (t) => {
  edit("publisher/products/atlas.yaml", "amount: 10\n", "amount: 25\n");
  edit("publisher/apis/atlas.yaml", "base_path: /atlas", "base_path: /world");
  const steps = "  ~ api atlas\n      base_path: /atlas → /world\n  ~ plan atlas/free\n      limits[burst].amount: 10 → 25\n\n";
  const shown = await run(["diff", "-f", "publisher"]);
  assert.deepEqual(shown, { code: 1, out: `${steps}2 to change, 3 unchanged.\n`, err: "" });
  const tried = await succeed(["apply", "-f", "publisher", "--dry-run"]);
  assert.equal(tried, `${steps}Dry run, nothing was written: 2 to change, 3 unchanged.\n`);
  assert.equal((await call("/atlas/v1/countries/NZ")).status, 200, "a dry run changes nothing");

  const began = performance.now();
  assert.match(await succeed(["apply", "-f", "publisher"]), /Done: 2 changed, 3 unchanged\. In force with revision \d+\.\n$/);
  const { found, ms } = await until("the new path", 5_000, async () => {
    const answer = await call("/world/v1/countries/NZ");
    return answer.ok ? answer : undefined;
  }, { began });
  t.diagnostic(`in force ${Math.round(ms)} ms after apply was started`);
  assert.match(found.headers.get("ratelimit-policy"), /"burst";q=25;w=1/);
  assert.equal((await found.json()).code, "NZ");
  assert.equal((await call("/atlas/v1/countries/NZ")).status, 404);
  assert.match(await succeed(["apply", "-f", "publisher"]), /^Nothing to change/);
});

test("every fault is told with its file and line, and nothing is changed", async () => {
  cpSync(path("publisher"), path("faulty"), { recursive: true });
  edit("faulty/services/atlas.yaml", "name: Atlas", "name: Atlas 2\ncolour: red");
  edit("faulty/products/atlas.yaml", "currency: EUR", "currency: euro");
  edit("faulty/apis/atlas.openapi.yaml", "paths:\n  /v1", "paths:\n  v1");
  const refused = await run(["apply", "-f", "faulty"]);
  assert.equal(refused.code, 2);
  assert.equal(refused.out, "");
  const lines = refused.err.trim().split("\n");
  assert.match(lines[0], /^faulty\/apis\/atlas\.openapi\.yaml:\d+: api atlas, document: at \/paths\/v1~1countries: /);
  assert.match(lines[1], /^faulty\/products\/atlas\.yaml:\d+:\d+: plan atlas\/free, price\.currency: expected three capital letters/);
  assert.match(lines[2], /^faulty\/services\/atlas\.yaml:4:1: service atlas, colour: there is no such field/);
  assert.equal(lines.at(-1), "3 faults; nothing was changed.");
  assert.match(await succeed(["diff", "-f", "publisher"]), /^Nothing to change/);
});

test("a document becomes an API with a product, and goes again when its file goes", async () => {
  writeFileSync(path("parcels.json"), JSON.stringify({
    openapi: "3.1.0", info: { title: "Parcels", version: "1" },
    paths: { "/parcels": { get: { operationId: "listParcels", responses: { 200: { description: "All." } } } } },
  }));
  const yaml = await succeed(["import", "openapi", "parcels.json", "--service-url", "http://127.0.0.1:9", "--product", "post"]);
  assert.match(yaml, /^kind: service\nslug: parcels\n/);
  assert.match(yaml, /document: \.\/parcels\.json\n/);
  writeFileSync(path("parcels.yaml"), yaml);
  const { code, out: applied, err } = await run(["apply", "-f", "parcels.yaml"]);
  assert.equal(code, 0, applied + err);
  assert.match(err, /^warning: \S*parcels\.json:\d+: .*describes no answer of class 4xx/m);
  assert.match(applied, /  \+ service parcels\n  \+ api parcels, 1 operation\n  \+ product post\n  \+ plan post\/free\n/);
  assert.match(applied, /Not in these files and left alone: service atlas, api atlas, product atlas, plan atlas\/free, plan atlas\/growth/);
  rmSync(path("parcels.yaml"));
  const pruned = await succeed(["apply", "-f", "publisher", "--prune"]);
  assert.match(pruned, /  - plan post\/free\n  - product post\n  - api parcels\n  - service parcels\n/);
  await succeed(["export", "-o", "again"]);
  assert.deepEqual(tree("again"), tree("publisher"));
});

test("without a running Tollgate the message says what is missing", async () => {
  const child = await run(["export", "--data-dir", path("nowhere")]);
  assert.equal(child.code, 1);
  assert.match(child.err, /no Tollgate has run on .*nowhere and DATABASE_URL is not set/);
});
