// Takes the README's pictures: what a newcomer meets, in order.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openBrowser, Person, signUp, theCall } from "./person.mjs";
import { paste } from "./terminal.mjs";
import { Tollgate } from "./tollgate.mjs";

const CALLS = 24;

const [directory] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
const [tollgate, browser] = await Promise.all([Tollgate.start(), openBrowser()]);
try {
  const person = await Person.arrive(browser, tollgate.welcome.portal_url, { height: 800, scale: 2 });
  const { page } = person;
  const take = async (name) => {
    await page.evaluate(() => document.fonts.ready);
    await page.screenshot({ path: join(directory, `portal-${name}.png`), animations: "disabled" });
  };
  await page.goto("/");
  await take("home");
  await page.getByRole("region", { name: "Products" }).getByRole("link").first().click();
  await take("product");
  await page.getByRole("main").getByRole("link", { name: "Get a key" }).first().click();
  await signUp(person, "maria.lindqvist@example.com");
  await take("key");
  const call = await theCall(page).innerText();
  for (let n = 0; n < CALLS; n += 1) await paste(call);
  await page.goto("/usage");
  await page.getByRole("region", { name: "By endpoint and status" }).getByRole("row").nth(1).waitFor();
  await page.reload();
  await take("usage");
  person.assertNothingWrong();
} finally {
  await browser.close();
  await tollgate.close();
}
