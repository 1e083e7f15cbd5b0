// The plug is pulled: the next start finds everything, and nothing is in its way.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AdminApi } from "../admin-api.mjs";
import { openBrowser, PASSWORD, Person, signUp, theCall } from "../person.mjs";
import { paste } from "../terminal.mjs";
import { Tollgate, until } from "../tollgate.mjs";

const EMAIL = "survivor@example.com";
const CALLS = 9;
// Some of the calls are counted in Postgres when the plug is pulled, the last ones only in the journal.
const COUNTED_FIRST = 6;

let tollgate;
let browser;

before(async () => {
  [tollgate, browser] = await Promise.all([Tollgate.start(), openBrowser()]);
});

after(async () => {
  await browser?.close();
  await tollgate?.close();
});

async function countedCalls() {
  const usage = await new AdminApi(tollgate.welcome).send("GET", "/v1/usage");
  return usage.totals.calls;
}

test("after kill -9 the next start has accounts, keys and every counted call", async (t) => {
  const before = await Person.arrive(browser, tollgate.welcome.portal_url);
  await before.page.goto("/signup");
  await signUp(before, EMAIL);
  const line = await theCall(before.page).innerText();
  await before.leave();
  for (let n = 0; n < COUNTED_FIRST; n += 1) assert.equal((await paste(line)).status, 200);
  await until("the first calls are counted", 5_000, async () => await countedCalls() === COUNTED_FIRST || undefined, { everyMs: 100 });
  for (let n = COUNTED_FIRST; n < CALLS; n += 1) assert.equal((await paste(line)).status, 200);

  const { gateway_url: gatewayBefore, demo_key: demoKeyBefore } = tollgate.welcome;
  await tollgate.kill();
  await tollgate.restart();
  t.diagnostic(`ready again ${Math.round(tollgate.readyMs)} ms after kill -9`);

  const again = await paste(line.replaceAll(gatewayBefore, tollgate.welcome.gateway_url));
  assert.equal(again.status, 200, `the key of before opens: ${again.body}`);
  assert.equal(tollgate.welcome.demo_key, demoKeyBefore, "the demo key stays");
  await until("every call is counted, none twice", 5_000, async () => await countedCalls() === CALLS + 1 || undefined, { everyMs: 100 })
    .catch(async (error) => { throw new Error(`${error.message}: counted ${await countedCalls()} of ${CALLS + 1}`); });

  const after = await Person.arrive(browser, tollgate.welcome.portal_url);
  await after.page.goto("/signin");
  await after.fill("E-mail", EMAIL);
  await after.fill("Password", PASSWORD);
  await after.click(after.page.getByRole("main").getByRole("button", { name: "Sign in" }));
  await after.sees("Applications");
  await after.page.goto("/usage");
  await after.page.getByRole("region", { name: "By endpoint and status" }).getByRole("row").filter({ hasText: "200" })
    .filter({ hasText: String(CALLS + 1) }).waitFor();
  after.assertNothingWrong();
  await after.leave();
});

test("a Tollgate that was asked to end takes its database with it and starts again with the same counts", async () => {
  await tollgate.stop();
  await tollgate.restart();
  assert.equal(await countedCalls(), CALLS + 1);
});
