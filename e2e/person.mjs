// Somebody with a browser: every click and field is counted, and whatever a page does wrong is kept.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
  // Nothing outside this machine is reached, whatever a page asks for.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/** Debian's Chromium with a fresh profile. */
export function openBrowser() {
  const executablePath = process.env.TOLLGATE_CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: FLAGS });
}

export class Person {
  clicks = 0;
  fields = 0;
  #faults = [];
  #expected = new Set();

  /** A new person with an empty cookie jar, looking at `origin`. */
  static async arrive(browser, origin, { javaScript = true, width = 1280, height = 900, scale = 1, alsoAt = [] } = {}) {
    const context = await browser.newContext({
      baseURL: origin,
      javaScriptEnabled: javaScript,
      viewport: { width, height },
      deviceScaleFactor: scale,
      colorScheme: "light",
      reducedMotion: "reduce",
      locale: "en-GB",
      timezoneId: "UTC",
      permissions: ["clipboard-read", "clipboard-write"],
    });
    context.setDefaultTimeout(10_000);
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`CSP: ${event.violatedDirective} blocked ${event.blockedURI} ${event.sample}`);
      });
    });
    return new Person(context, await context.newPage(), origin, alsoAt);
  }

  constructor(context, page, origin, alsoAt) {
    this.context = context;
    this.page = page;
    const fault = (text) => this.#faults.push(`${new URL(page.url(), origin).pathname}: ${text}`);
    page.on("pageerror", (error) => fault(`script error: ${error.message}`));
    page.on("console", (message) => {
      // The answers themselves are looked at below, with their status and whether it was meant.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) fault(message.text());
    });
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol !== "data:" && ![origin, ...alsoAt].includes(url.origin)) fault(`request off origin: ${url.href}`);
    });
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText;
      // A poll that a navigation cuts off, and a download, are no failures.
      if (why !== "net::ERR_ABORTED") fault(`${request.url()} failed: ${why}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400 && !this.#expected.has(response.status())) {
        fault(`${response.request().method()} ${response.url()} answered ${response.status()}`);
      }
    });
  }

  /** These statuses are what the next pages are about. */
  expectStatus(...statuses) {
    this.#expected = new Set(statuses);
  }

  async click(locator) {
    this.clicks += 1;
    await locator.click();
  }

  async fill(label, text) {
    this.fields += 1;
    await this.page.getByLabel(label, { exact: true }).fill(text);
  }

  /** Waits until the page's only h1 says this. */
  async sees(heading) {
    await this.page.getByRole("heading", { level: 1, name: heading }).waitFor();
  }

  assertNothingWrong() {
    assert.deepEqual(this.#faults, [], "no script error, CSP violation, failed or foreign request");
  }

  /** What went wrong since the last time. */
  takeFaults() {
    return this.#faults.splice(0);
  }

  async leave() {
    await this.context.close();
  }
}

/** A password nobody uses elsewhere. */
export const PASSWORD = "four blue lanterns over water";

/** Fills the sign-up form that is open, and sends it. */
export async function signUp(person, email) {
  await person.sees("Get a key");
  await person.fill("E-mail", email);
  await person.fill("Password", PASSWORD);
  await person.click(person.page.getByRole("button", { name: "Create account and key" }));
  await person.sees("Get started");
}

/** The curl line beside a new key. */
export function theCall(page) {
  return page.getByRole("region", { name: "Make the call" }).getByRole("code").filter({ hasText: /^curl / });
}
