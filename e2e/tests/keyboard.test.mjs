// Pages without a mouse: every control is reached and left again, in sight, and the palette keeps and gives back the focus.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, Person, signUp } from "../person.mjs";
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

test("the keyboard reaches every control of a page, in sight, and leaves it again", async () => {
  const visitor = await Person.arrive(browser, tollgate.welcome.portal_url);
  const { page } = visitor;
  const walk = async (path) => {
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
  };
  for (const path of ["/", "/products/atlas", "/signup"]) await walk(path);
  await signUp(visitor, "keyboard@example.com");
  for (const path of ["/get-started", "/applications", "/account/mails"]) await walk(path);
  visitor.assertNothingWrong();
  await visitor.leave();
});

test("the palette opens by its keys, keeps the focus, and gives it back", async () => {
  const visitor = await Person.arrive(browser, tollgate.welcome.portal_url);
  const { page } = visitor;
  await page.goto("/");
  await page.getByRole("main").getByRole("link", { name: "Get a key" }).focus();
  await page.keyboard.press("Control+k");
  const palette = page.getByRole("dialog");
  await palette.waitFor();
  await page.keyboard.type("countr");
  await palette.getByRole("link").or(palette.getByRole("option")).first().waitFor();
  assert.ok(await page.evaluate(() => document.querySelector("dialog[open]").contains(document.activeElement)));
  await page.keyboard.press("Escape");
  await palette.waitFor({ state: "hidden" });
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "Get a key");
  visitor.assertNothingWrong();
  await visitor.leave();
});

/** What has the focus; null when it is back at the page itself. */
function focused() {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  return { text: element.textContent.trim() || element.id, ring: outlineStyle !== "none" && outlineWidth !== "0px" };
}
