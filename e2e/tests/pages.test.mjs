// Every page that can be reached, by visitor, developer and admin: nothing wrong with it in either theme at any width.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Album } from "../album.mjs";
import { openBrowser, PASSWORD, Person, signUp, theCall } from "../person.mjs";
import { paste } from "../terminal.mjs";
import { Tollgate } from "../tollgate.mjs";

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
  const owned = ["/limits", "/requests", "/team", "/webhooks", "/webhooks/new", "/account/mails", "/account/password", "/account/email", "/account/second-factor", "/account/delete", "/device"];
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
