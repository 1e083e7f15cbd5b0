// The shortest ways once more in Firefox, so that what only Chromium does is noticed.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { PASSWORD } from "../person.mjs";
import { paste } from "../terminal.mjs";
import { Tollgate } from "../tollgate.mjs";

const FIREFOX = process.env.TOLLGATE_FIREFOX ?? "/usr/bin/firefox-esr";
// Nothing outside this machine is asked for, and pages speak English.
const PREFERENCES = {
  "network.proxy.type": 1,
  "network.proxy.http": "127.0.0.1",
  "network.proxy.http_port": 9,
  "network.proxy.ssl": "127.0.0.1",
  "network.proxy.ssl_port": 9,
  "network.proxy.allow_hijacking_localhost": false,
  "intl.accept_languages": "en-GB",
};
const skip = !existsSync(FIREFOX) && `there is no ${FIREFOX}`;

let tollgate;
let browser;

before(async () => {
  if (skip) return;
  [tollgate, browser] = await Promise.all([
    Tollgate.start(),
    puppeteer.launch({ browser: "firefox", executablePath: FIREFOX, headless: true, extraPrefsFirefox: PREFERENCES }),
  ]);
});

after(async () => {
  await browser?.close();
  await tollgate?.close();
});

/** A page in a profile of its own, and what goes wrong on it. */
async function arrive() {
  const page = await (await browser.createBrowserContext()).newPage();
  const faults = [];
  const origin = tollgate.welcome.portal_url;
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== origin) faults.push(`request off origin: ${url.href}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) faults.push(`${response.url()} answered ${response.status()}`);
  });
  return { page, faults, go: (path) => page.goto(new URL(path, origin).href) };
}

const press = (page, name, role) => page.locator(`main ::-p-aria([name="${name}"][role="${role}"])`).click();
const text = (page, selector) => page.$eval(selector, (element) => element.innerText);

test("a guest makes a real call with one click", { skip }, async () => {
  const { page, faults, go } = await arrive();
  await go("/");
  await press(page, "Run", "button");
  await page.waitForSelector("::-p-text(200)");
  assert.match(await text(page, "main"), /"code"|"name"/);
  assert.deepEqual(faults, []);
});

test("a newcomer signs up, calls with their key, and the page ticks itself", { skip }, async () => {
  const { page, faults, go } = await arrive();
  await go("/");
  await press(page, "Get a key", "link");
  await page.locator("input[name=email]").fill("firefox@example.com");
  await page.locator("input[name=password]").fill(PASSWORD);
  await press(page, "Create account and key", "button");
  await page.waitForSelector("::-p-text(Get started)");
  const call = await page.waitForFunction(() => [...document.querySelectorAll("code")]
    .map((code) => code.innerText)
    .find((code) => code.startsWith("curl ") && /_test_/.test(code)));
  assert.equal((await paste(await call.jsonValue())).status, 200);
  await page.waitForFunction(() => /First call: .* answered 200/.test(document.body.innerText), { timeout: 15_000 });
  await go("/usage");
  await page.waitForFunction(() => document.querySelector("h1")?.innerText === "Usage");
  assert.deepEqual(faults, []);
});

test("the palette finds an operation, whose samples change their language", { skip }, async () => {
  const { page, faults, go } = await arrive();
  await go("/");
  await page.keyboard.down("Control");
  await page.keyboard.press("k");
  await page.keyboard.up("Control");
  await page.waitForSelector("dialog[open] input");
  await page.keyboard.type("list countries");
  await page.waitForSelector("dialog[open] a.at[href*=\"/operations/\"]");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#operation-path");
  await page.select("#language", "rust");
  assert.equal(await page.$eval(".in-rust", (sample) => getComputedStyle(sample).display), "block");
  assert.equal(await page.$eval(".in-curl", (sample) => getComputedStyle(sample).display), "none");
  assert.deepEqual(faults, []);
});
