// Takes the README's pictures: what a newcomer meets, in order.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openBrowser, Person, signUp, theCall } from "./person.mjs";
import { Tollgate, until } from "./tollgate.mjs";

// Where a newcomer's own gateway is, so that the examples read as theirs will.
const GATEWAY = "127.0.0.1:8080";
const CALLS = [
  ...Array(14).fill("/atlas/v1/countries"),
  ...Array(9).fill("/atlas/v1/countries/NZ"),
  ...Array(4).fill("/atlas/v1/timezones"),
  "/atlas/v1/countries?limit=none",
];
const PAUSE_MS = 120;

const [directory] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
const [tollgate, browser] = await Promise.all([Tollgate.start({ gateway: GATEWAY }), openBrowser()]);
try {
  const person = await Person.arrive(browser, tollgate.welcome.portal_url, { height: 800, scale: 2 });
  const { page } = person;
  const take = async (name) => {
    await page.evaluate(() => document.fonts.ready);
    await page.screenshot({ path: join(directory, `portal-${name}.png`), animations: "disabled", fullPage: true });
  };
  await page.goto("/");
  await take("home");
  await page.getByRole("region", { name: "Products" }).getByRole("link").first().click();
  await page.getByRole("heading", { name: "Plans" }).waitFor();
  await take("product");
  await page.getByRole("main").getByRole("link", { name: "Get a key" }).first().click();
  await signUp(person, "maria.lindqvist@example.com");
  await take("key");
  const [key] = /tg_test_\w+/.exec(await theCall(page).innerText());
  for (const path of CALLS) {
    await fetch(`http://${GATEWAY}${path}`, { headers: { "x-api-key": key } });
    await page.waitForTimeout(PAUSE_MS); // Below the free plan's ten a second.
  }
  await page.goto("/usage");
  await until("all calls on the usage page", 10_000, async () => {
    await page.reload();
    return await page.getByRole("definition").filter({ hasText: RegExp(`^${CALLS.length}$`) }).count() || undefined;
  }, { everyMs: 500 });
  await take("usage");
  person.assertNothingWrong();
} finally {
  await browser.close();
  await tollgate.close();
}
