// What a first visit may take: of each kind of page, for visitors and developers.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, Person, signUp, theCall } from "../person.mjs";
import { paste } from "../terminal.mjs";
import { Tollgate } from "../tollgate.mjs";

// What comes over the wire on a first visit, in bytes: everything, and scripts.
const PLAIN = { all: 90 * 1024, script: 25 * 1024 };
const WITH_CHART = { all: 120 * 1024, script: 50 * 1024 };
const PUBLIC = ["/", "/products/atlas", "/products/atlas/apis/atlas", "/guides", "/guides/keys", "/problems", "/status", "/search?q=country", "/signup"];
const OWNED = ["/get-started", "/applications", "/limits", "/requests", "/account", "/account/mails", "/billing"];

let tollgate;
let browser;

before(async () => {
  [tollgate, browser] = await Promise.all([Tollgate.start(), openBrowser()]);
});

after(async () => {
  await browser?.close();
  await tollgate?.close();
});

test("a first visit stays within its budget of bytes, whichever page it is to", async (t) => {
  const developer = await Person.arrive(browser, tollgate.welcome.portal_url);
  await developer.page.goto("/signup?product=atlas");
  await signUp(developer, "budgets@example.com");
  assert.equal((await paste(await theCall(developer.page).innerText())).status, 200);
  const visits = [
    ...PUBLIC.map((path) => ({ path, budget: PLAIN })),
    ...OWNED.map((path) => ({ path, budget: PLAIN, owned: true })),
    { path: "/usage", budget: WITH_CHART, owned: true },
  ];
  const session = await developer.context.cookies();
  for (const { path, budget, owned } of visits) {
    const visitor = await Person.arrive(browser, tollgate.welcome.portal_url);
    if (owned) await visitor.context.addCookies(session);
    const bytes = await weigh(visitor, path);
    t.diagnostic(`${path} takes ${bytes.all} bytes, ${bytes.script} of them script`);
    assert.ok(bytes.all > 0 && bytes.all <= budget.all, `${path}: ${bytes.all} bytes`);
    assert.ok(bytes.script <= budget.script, `${path}: ${bytes.script} bytes of script`);
    await visitor.leave();
  }
  await developer.leave();
});

/** What a page takes that nothing is known of yet, in bytes. */
async function weigh(visitor, path) {
  const network = await visitor.context.newCDPSession(visitor.page);
  const kinds = new Map();
  const bytes = { all: 0, script: 0 };
  network.on("Network.responseReceived", ({ requestId, type }) => kinds.set(requestId, type));
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    bytes.all += encodedDataLength;
    if (kinds.get(requestId) === "Script") bytes.script += encodedDataLength;
  });
  await network.send("Network.enable");
  const answer = await visitor.page.goto(path, { waitUntil: "networkidle" });
  assert.equal(answer.status(), 200, path);
  return bytes;
}
