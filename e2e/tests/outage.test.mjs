// PostgreSQL goes away and comes back while calls are made: no caller notices, and every call is counted.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { AdminApi } from "../admin-api.mjs";
import { Postgres } from "../postgres.mjs";
import { SteadyCalls } from "../steady-calls.mjs";
import { Tollgate, until } from "../tollgate.mjs";

// Long enough for a reader's deadlines to pass; by hand TOLLGATE_E2E_OUTAGE_S=30 asks for more.
const OUTAGE_MS = 1_000 * Number(process.env.TOLLGATE_E2E_OUTAGE_S ?? 8);

let tollgate;
let postgres;

before(async () => {
  tollgate = await Tollgate.start();
  postgres = new Postgres(tollgate.room);
});

after(async () => {
  try {
    await tollgate?.close();
  } finally {
    await postgres?.close();
  }
});

test("while PostgreSQL is away no call fails, and afterwards every one is counted", async (t) => {
  const api = new AdminApi(tollgate.welcome);
  const product = (await api.send("GET", "/v1/products")).data[0];
  const plan = await api.create("plans", {
    product_id: product.id, slug: "boundless", name: "Boundless", price: { minor: 0, currency: "EUR", per: "month" },
  });
  const organization = await api.create("organizations", { name: "Globex" });
  const application = await api.create("applications", { organization_id: organization.id, name: "Busy" });
  await api.create("subscriptions", { application_id: application.id, plan_id: plan.id });
  const key = await api.create("keys", { application_id: application.id, name: "Production" });
  const url = tollgate.welcome.gateway_url + tollgate.welcome.demo_path;
  await until("the key opens", 5_000, async () => (await fetch(url, { headers: { "x-api-key": key.secret } })).ok || undefined);

  const steady = new SteadyCalls(url, key.secret);
  await steady.more(50);
  await postgres.stop();
  const before = steady.made;
  await pause(OUTAGE_MS);
  const during = steady.made - before;
  await postgres.start();
  await steady.more(50);
  await steady.stop();
  t.diagnostic(`${during} calls during ${OUTAGE_MS} ms without PostgreSQL, ${steady.failed.length} of ${steady.made} failed`);
  assert.deepEqual(steady.failed.slice(0, 3), []);
  assert.ok(during > 100, `only ${during} calls during the outage`);

  // The one before, and these; refusals while the key was new are counted apart.
  const made = steady.made + 1;
  let counted;
  const { ms } = await until("every call is counted", 30_000, async () => {
    const usage = await api.send("GET", `/v1/usage?application_id=${application.id}`).catch(() => undefined);
    counted = usage?.traffic.find(({ status }) => status === 200)?.calls;
    return counted === made || undefined;
  }, { everyMs: 200 }).catch((error) => { throw new Error(`${error.message}: ${counted} of ${made}`); });
  t.diagnostic(`all ${counted} calls were counted ${Math.round(ms)} ms after the last one`);
});
