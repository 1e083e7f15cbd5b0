// Money in the open: a priced plan is made, its cost worked out, moved to, and cancelled again.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, PASSWORD, Person, signUp } from "../person.mjs";
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

test("an admin prices a plan by use; a developer works out its cost, upgrades, cancels, and takes that back", async () => {
  const { portal_url, setup_url } = tollgate.welcome;
  const admin = await Person.arrive(browser, portal_url);
  await admin.page.goto(setup_url);
  await admin.fill("E-mail", "ops@example.com");
  await admin.fill("Password", PASSWORD);
  await admin.click(admin.page.getByRole("button", { name: "Create admin" }));
  await admin.sees("Overview");
  await admin.page.goto("/admin/new/plan?product=atlas");
  await admin.fill("Name", "Team");
  await admin.fill("Price per month", "30");
  await admin.fill("Included 1", "1000");
  await admin.fill("Price 1", "0.002");
  await admin.fill("Calls 2", "1000000");
  await admin.click(admin.page.getByRole("button", { name: "Create plan" }));
  await admin.page.getByText("Team is there").waitFor();

  // Without scripts: every step is a link or a form.
  const developer = await Person.arrive(browser, portal_url, { javaScript: false });
  const { page } = developer;
  await page.goto("/signup");
  await signUp(developer, "mo.ney@example.com");
  await page.goto("/products/atlas");
  await page.getByText("1,000 calls included, then 0.002 EUR per call").waitFor();
  await developer.fill("Calls a month", "21000");
  await developer.click(page.getByRole("button", { name: "Work out what it costs" }));
  await page.getByText("70.00 EUR a month").waitFor();

  await page.goto("/applications");
  await developer.click(page.getByRole("main").getByRole("link", { name: "My first app" }).first());
  await developer.click(page.getByRole("region", { name: "Subscriptions" }).getByRole("link", { name: "Free" }));
  await page.getByRole("row", { name: /Team/ }).getByRole("link").click();
  await page.getByText("It moves at once").waitFor();
  await developer.click(page.getByRole("button", { name: "Move now" }));
  await page.getByText("It is on Team now").waitFor();

  await developer.click(page.getByRole("button", { name: "See what that means" }));
  await developer.click(page.getByRole("button", { name: "End it at the end of the month" }));
  await page.getByText("It ends when the month is over.").waitFor();
  await developer.click(page.getByRole("button", { name: "Take the change back" }));
  await page.getByText("Taken back.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Take the change back" }).count(), 0);

  await admin.page.goto("/admin/revenue");
  await admin.page.getByRole("row", { name: /Team/ }).getByText("30.00").waitFor();
  for (const person of [admin, developer]) {
    person.assertNothingWrong();
    await person.leave();
  }
});
