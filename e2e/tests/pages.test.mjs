// Every page that can be reached, by visitor, developer and admin: nothing wrong with it in either theme at any width.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Album } from "../album.mjs";
import { openBrowser, PASSWORD, Person, signUp, theCall } from "../person.mjs";
import { paste } from "../terminal.mjs";
import { Tollgate } from "../tollgate.mjs";

// As they come over the wire on a first visit to the home page.
const PAGE_BYTES_MAX = 90 * 1024;
const SCRIPT_BYTES_MAX = 5 * 1024;

let tollgate;
let browser;

before(async () => {
  [tollgate, browser] = await Promise.all([Tollgate.start(), openBrowser()]);
});

after(async () => {
  await browser?.close();
  await tollgate?.close();
});

test("pages of a visitor", async (t) => {
  const visitor = await Person.arrive(browser, tollgate.welcome.portal_url);
  const { page } = visitor;
  const album = new Album(visitor);
  await album.walk(["/", "/signin", "/signup"]);

  await page.goto("/");
  await page.getByRole("button", { name: "Menu" }).click();
  await album.keep("the open menu");

  await page.goto(tollgate.welcome.setup_url);
  await album.keep("the setup form");

  visitor.expectStatus(404, 410, 401, 403, 422);
  await page.goto("/setup/this-link-was-never-made");
  await album.keep("a dead setup link");
  await page.goto("/no-such-page");
  await visitor.page.getByRole("heading", { level: 1 }).waitFor();
  await album.keep("a page that does not exist");
  await page.goto("/signup");
  await page.getByRole("button", { name: "Create account and key" }).click();
  await page.getByRole("alert").waitFor();
  await album.keep("sign-up with errors");
  await page.goto("/signin");
  await visitor.fill("E-mail", "nobody@example.com");
  await visitor.fill("Password", PASSWORD);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await album.keep("sign-in with a wrong password");
  await album.close(t);
});

test("pages of a developer", async (t) => {
  const developer = await Person.arrive(browser, tollgate.welcome.portal_url);
  const { page } = developer;
  const album = new Album(developer);
  await page.goto("/");
  await page.getByRole("main").getByRole("link", { name: "Get a key" }).click();
  await signUp(developer, "pages@example.com");
  await album.keep("a key that was just made");
  const call = await theCall(page).innerText();
  await page.goto("/usage");
  await album.keep("usage before the first call");
  await page.goto("/get-started");
  await album.keep("getting started without the key");

  assert.equal((await paste(call)).status, 200);
  await page.getByText(/^First call: .* answered 200/).waitFor();
  const owned = ["/limits", "/requests", "/team", "/webhooks", "/webhooks/new", "/account/password", "/account/second-factor", "/account/delete", "/device"];
  await album.walk(["/get-started", "/applications", "/usage", "/account", "/", ...owned]);

  await page.goto("/");
  await page.getByRole("button", { name: /^Account menu/ }).click();
  await album.keep("the open account menu");
  await page.goto("/applications");
  await page.getByRole("link", { name: "My first app" }).click();
  await page.getByLabel("Name of a new key").fill("Second key");
  await page.getByRole("button", { name: "Create key" }).click();
  await page.getByText("The key is ready").waitFor();
  await album.keep("a second key");
  await page.reload();
  await album.keep("a second key, reloaded");

  await page.goto("/applications");
  await page.getByLabel("New application").fill("An app without anything");
  await page.getByRole("button", { name: "Create application" }).click();
  await page.getByRole("heading", { name: "An app without anything" }).or(page.getByRole("link", { name: "An app without anything" })).first().waitFor();
  await album.keep("an empty application");

  developer.expectStatus(403, 404, 422);
  await page.goto("/applications");
  await page.getByRole("button", { name: "Create application" }).click();
  await page.getByRole("alert").waitFor();
  await album.keep("an application without a name");
  await page.goto("/admin");
  await album.keep("a page for admins only");
  await page.goto("/applications/app_00000000000000000000000000");
  await album.keep("an application that does not exist");
  await album.close(t);
});

test("pages of an admin", async (t) => {
  const admin = await Person.arrive(browser, tollgate.welcome.portal_url);
  const { page } = admin;
  const album = new Album(admin);
  await page.goto(tollgate.welcome.setup_url);
  await admin.fill("E-mail", "pages-admin@example.com");
  await admin.fill("Password", PASSWORD);
  await page.getByRole("button", { name: "Create admin" }).click();
  await admin.sees("Overview");
  await album.walk(["/admin"]);
  await page.goto("/admin/developers?q=nobody-of-this-name");
  await album.keep("a search without a match");
  await album.close(t);
});

test("a chosen theme is kept without a script and wins over the system's", async () => {
  const visitor = await Person.arrive(browser, tollgate.welcome.portal_url, { javaScript: false });
  const { page } = visitor;
  const background = () => page.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
  await page.goto("/problems");
  const light = await background();
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("button", { name: "Dark theme" }).click();
  await visitor.sees("Error codes");
  await page.goto("/");
  assert.notEqual(await background(), light);
  visitor.assertNothingWrong();
  await visitor.leave();
});

test("the keyboard reaches every control of a page, in sight, and leaves it again", async () => {
  const visitor = await Person.arrive(browser, tollgate.welcome.portal_url);
  const { page } = visitor;
  for (const path of ["/", "/signup", "/products/atlas"]) {
    await page.goto(path);
    const controls = await page.locator("a[href]:visible, button:visible, input:visible, pre[tabindex]:visible").count();
    const stops = [];
    for (let n = 0; n < 2 * controls + 2; n += 1) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(focused);
      if (stop === null) break;
      stops.push(stop);
    }
    assert.equal(stops[0].text, "Skip to content", path);
    assert.ok(stops.length >= controls, `${path}: ${stops.length} stops for ${controls} controls`);
    assert.deepEqual(stops.filter(({ ring }) => !ring), [], `${path}: every stop shows that it has the focus`);
    assert.ok(stops.length < 2 * controls + 2, `${path}: the focus comes out at the end`);
  }
  visitor.assertNothingWrong();
  await visitor.leave();
});

test("a first visit stays within its budget of bytes", async (t) => {
  const visitor = await Person.arrive(browser, tollgate.welcome.portal_url);
  const network = await visitor.context.newCDPSession(visitor.page);
  const kinds = new Map();
  const bytes = { all: 0, script: 0 };
  network.on("Network.responseReceived", ({ requestId, type }) => kinds.set(requestId, type));
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    bytes.all += encodedDataLength;
    if (kinds.get(requestId) === "Script") bytes.script += encodedDataLength;
  });
  await network.send("Network.enable");
  await visitor.page.goto("/", { waitUntil: "networkidle" });
  t.diagnostic(`the home page takes ${bytes.all} bytes, ${bytes.script} of them script`);
  assert.ok(bytes.all > 0 && bytes.all <= PAGE_BYTES_MAX, `${bytes.all} bytes`);
  assert.ok(bytes.script <= SCRIPT_BYTES_MAX, `${bytes.script} bytes of script`);
  await visitor.leave();
});

/** What has the focus; null when it is back at the page itself. */
function focused() {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  return { text: element.textContent.trim() || element.id, ring: outlineStyle !== "none" && outlineWidth !== "0px" };
}
