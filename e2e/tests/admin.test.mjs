// The first admin: a link that works once, and everything in view behind it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, PASSWORD, Person, signUp } from "../person.mjs";
import { Tollgate, until } from "../tollgate.mjs";

const EMAIL = "operator@example.com";

let tollgate;
let browser;

before(async () => {
  [tollgate, browser] = await Promise.all([Tollgate.start(), openBrowser()]);
});

after(async () => {
  await browser?.close();
  await tollgate?.close();
});

test("the setup link makes the first admin, who sees APIs, products, plans, developers and traffic", async () => {
  const { portal_url, gateway_url, demo_key, demo_path, setup_url } = tollgate.welcome;
  const developer = await Person.arrive(browser, portal_url);
  await developer.page.goto("/signup");
  await signUp(developer, "dev.eloper@example.com");
  const call = await fetch(gateway_url + demo_path, { headers: { "x-api-key": demo_key } });
  assert.equal(call.status, 200, await call.text());

  developer.expectStatus(403, 404);
  const shut = await developer.page.goto("/admin");
  assert.ok([403, 404].includes(shut.status()), "a developer does not see the admin's pages");
  await developer.leave();

  const admin = await Person.arrive(browser, portal_url);
  const { page } = admin;
  await page.goto(setup_url);
  await admin.sees("Make the first admin");
  await admin.fill("E-mail", EMAIL);
  await admin.fill("Password", PASSWORD);
  await admin.click(page.getByRole("button", { name: "Create admin" }));
  await admin.sees("Overview");

  const side = page.getByRole("navigation", { name: "Pages" });
  const open = async (name) => {
    await admin.click(side.getByRole("link", { name, exact: true }));
    await admin.sees(name);
  };
  const rows = (region) => page.getByRole("region", { name: region }).getByRole("row");

  await open("APIs");
  const api = rows("All APIs").nth(1);
  await api.getByText("Published").waitFor();
  await admin.click(api.getByRole("link").first());
  await admin.click(page.getByRole("navigation", { name: /^Views of/ }).getByRole("link", { name: "Routes" }));
  await rows("Routes").nth(1).waitFor();

  await open("Products");
  await admin.click(rows("All products").nth(1).getByRole("link").first());
  await rows("Plans").filter({ hasText: "Free" }).filter({ hasText: "10" }).first().waitFor();
  await rows("Plans").filter({ hasText: /EUR|USD/ }).first().waitFor();

  await open("Developers");
  await rows("All developers").filter({ hasText: "dev.eloper@example.com" }).waitFor();
  await page.getByRole("searchbox").fill("nobody-of-this-name");
  await admin.click(page.getByRole("button", { name: "Find" }));
  await page.getByText("Nothing matches").waitFor();

  await open("Traffic");
  await admin.click(page.getByRole("link", { name: "By status" }));
  const traffic = rows("Calls").filter({ hasText: "200" });
  await until("the call in the traffic", 5_000, async () => {
    if (await traffic.count() > 0) return true;
    await page.reload();
    return undefined;
  }, { everyMs: 200 });
  admin.assertNothingWrong();
  await admin.leave();
});

test("a setup link is refused the second time", async () => {
  const stranger = await Person.arrive(browser, tollgate.welcome.portal_url);
  stranger.expectStatus(404, 410);
  const answer = await stranger.page.goto(tollgate.welcome.setup_url);
  assert.ok([404, 410].includes(answer.status()), `the used link answers ${answer.status()}`);
  assert.equal(await stranger.page.getByRole("button", { name: "Create admin" }).count(), 0);
  const forced = await stranger.page.request.post(tollgate.welcome.setup_url, {
    form: { email: "second@example.com", password: PASSWORD },
    headers: { origin: tollgate.welcome.portal_url },
    maxRedirects: 0,
  });
  assert.ok(forced.status() >= 400, `posting to the used link answers ${forced.status()}`);
  stranger.assertNothingWrong();
  await stranger.leave();
});

test("the admin signs out and in again", async () => {
  const admin = await Person.arrive(browser, tollgate.welcome.portal_url);
  const { page } = admin;
  await page.goto("/admin");
  await admin.sees("Sign in");
  await admin.fill("E-mail", EMAIL);
  await admin.fill("Password", PASSWORD);
  await admin.click(page.getByRole("main").getByRole("button", { name: "Sign in" }));
  await admin.sees("Overview");
  await admin.click(page.getByRole("button", { name: /^Account menu/ }));
  await admin.click(page.getByRole("button", { name: "Sign out" }));
  await page.getByRole("link", { name: "Sign in" }).first().waitFor();
  await page.goto("/admin");
  await admin.sees("Sign in");
  admin.assertNothingWrong();
  await admin.leave();
});

test("the next start offers no setup link, because there is an admin", async () => {
  await tollgate.stop();
  await tollgate.restart();
  assert.equal(tollgate.welcome.setup_url, null);
});
