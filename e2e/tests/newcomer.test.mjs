// A newcomer reads, signs up, calls, and sees the call: with JavaScript and without.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openBrowser, Person, signUp, theCall } from "../person.mjs";
import { Provider } from "../provider.mjs";
import { paste } from "../terminal.mjs";
import { Tollgate, until } from "../tollgate.mjs";

// From landing to the first successful call with an own key. These numbers may fall, never grow.
const SHORTEST = { clicks: 3, fields: 2 };
// The same with an account elsewhere.
const WITH_PROVIDER = { clicks: 3, fields: 0 };
// Without an account, on the home page.
const GUEST = { clicks: 1, fields: 0 };
// On top of the shortest way: from the mail's link to a key for real traffic.
const LIVE = { clicks: 3, fields: 0 };
const THROUGH_THE_REFERENCE = { clicks: 5, fields: 2 };
const USAGE_WITHIN_MS = 5_000;
const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

let tollgate;
let browser;
let mails;
let provider;

before(async () => {
  mails = mkdtempSync(join(tmpdir(), "tollgate-mails-"));
  provider = await Provider.start();
  const providers = join(mails, "providers.json");
  writeFileSync(providers, provider.settings("work", "Example SSO"));
  const settings = { TOLLGATE_MAIL_URL: `file://${mails}`, TOLLGATE_IDENTITY_PROVIDERS: providers };
  [tollgate, browser] = await Promise.all([Tollgate.start({ settings }), openBrowser()]);
});

after(async () => {
  await browser?.close();
  await tollgate?.close();
  await provider?.stop();
  rmSync(mails, { recursive: true, force: true });
});

for (const javaScript of [true, false]) {
  describe(`with JavaScript ${javaScript ? "on" : "off"}`, () => {
    test("the shortest way to an own first call takes three clicks and two fields", async (t) => {
      const person = await Person.arrive(browser, tollgate.welcome.portal_url, { javaScript });
      const began = performance.now();
      await person.page.goto("/");
      await person.click(person.page.getByRole("main").getByRole("link", { name: "Get a key" }));
      await signUp(person, `shortest-${javaScript}@example.com`);
      const answer = await paste(await copyCall(person, javaScript));
      assert.equal(answer.status, 200, answer.body);
      report(t, person, began);
      assertNotMore(person, SHORTEST);
      person.assertNothingWrong();
      await person.leave();
    });

    test("with an account at a provider it takes three clicks and no field", async (t) => {
      const person = await Person.arrive(browser, tollgate.welcome.portal_url, { javaScript, alsoAt: [provider.url] });
      const { page } = person;
      provider.somebody = { sub: `sso-${javaScript}`, email: `sso-${javaScript}@example.com` };
      const began = performance.now();
      await page.goto("/");
      await person.click(page.getByRole("main").getByRole("link", { name: "Get a key" }));
      await person.click(page.getByRole("link", { name: "Continue with Example SSO" }));
      await person.sees("Get started");
      const answer = await paste(await copyCall(person, javaScript));
      assert.equal(answer.status, 200, answer.body);
      report(t, person, began);
      assertNotMore(person, WITH_PROVIDER);
      person.assertNothingWrong();
      await person.leave();
    });

    test("a guest makes a real call with one click and no field", async (t) => {
      const person = await Person.arrive(browser, tollgate.welcome.portal_url, { javaScript });
      const { page } = person;
      const began = performance.now();
      await page.goto("/");
      await person.click(page.getByRole("main").getByRole("button", { name: "Run" }));
      const answer = page.getByRole("region", { name: "Answer" }).first();
      await answer.getByText("200").first().waitFor();
      assert.match(await answer.innerText(), /"code"|"name"/);
      report(t, person, began);
      assertNotMore(person, GUEST);
      person.assertNothingWrong();
      await person.leave();
    });

    test("a live key on a free plan takes three clicks more", async (t) => {
      const person = await Person.arrive(browser, tollgate.welcome.portal_url, { javaScript });
      const { page } = person;
      const email = `live-${javaScript}@example.com`;
      await page.goto("/signup?product=atlas");
      await signUp(person, email);
      await page.getByText("Go live: confirm your address").waitFor();
      person.clicks = 0;
      person.fields = 0;
      const began = performance.now();
      const { found } = await until("the mail", 15_000, () => linkIn(mails, email, "/verify/"), { everyMs: 100 });
      await page.goto(found);
      await person.click(page.getByRole("button", { name: "Confirm address" }));
      await person.click(page.getByRole("navigation").getByRole("link", { name: "Get started" }).first());
      await person.click(page.getByRole("button", { name: "Create a live key" }));
      await page.getByText("The key is ready").waitFor();
      const key = await page.locator("#new-key").innerText();
      assert.match(key, /_live_/);
      const { gateway_url, demo_path } = tollgate.welcome;
      await until("a call with the live key", 5_000, async () => {
        const answer = await fetch(gateway_url + demo_path, { headers: { "x-api-key": key } });
        return answer.status === 200 || undefined;
      }, { everyMs: 100 });
      report(t, person, began);
      assertNotMore(person, LIVE);
      await page.goto("/get-started");
      await page.getByText("Go live: your live key is there").waitFor();
      person.assertNothingWrong();
      await person.leave();
    });

    test("a newcomer goes from the product to its operations to a key to usage", async (t) => {
      const person = await Person.arrive(browser, tollgate.welcome.portal_url, { javaScript });
      const { page } = person;
      const began = performance.now();
      await page.goto("/");
      await person.click(page.getByRole("region", { name: "Products" }).getByRole("link").first());
      const operation = await assertOperationsAreThoseOfTheDocument(page);
      await person.click(page.getByRole("main").getByRole("link", { name: operation.summary, exact: true }));
      await person.sees(operation.summary);
      await page.getByRole("heading", { name: "Answers" }).waitFor();
      await person.click(page.getByRole("complementary", { name: "Example" }).getByRole("link", { name: "Get a key" }));
      await signUp(person, `reader-${javaScript}@example.com`);

      await page.getByText("Your sandbox key is ready").waitFor();
      const call = await copyCall(person, javaScript);
      const [key] = /\b[a-z]+_(?:live|test)_[A-Za-z0-9]+\b/.exec(call) ?? [];
      assert.ok(key, `the line carries the key: ${call}`);
      assert.ok((await page.getByRole("status").allInnerTexts()).join().includes(key), "the key stands above the line");
      const answer = await paste(call);
      const called = performance.now();
      assert.equal(answer.status, 200, answer.body);
      assert.match(answer.type, /^application\/json/);
      assert.ok(JSON.stringify(JSON.parse(answer.body)).length > 100, "the answer holds data");
      report(t, person, began);
      assertNotMore(person, THROUGH_THE_REFERENCE);

      const keyPage = page.url();
      const ms = await usageShowsOneCall(person, javaScript, called);
      t.diagnostic(`usage showed the call ${Math.round(ms)} ms after it was answered`);
      assert.ok(ms < USAGE_WITHIN_MS, `usage within ${USAGE_WITHIN_MS} ms, was ${ms}`);

      await keyStandsInSamplesOnly(person, keyPage, key);
      await page.getByText("First call:").waitFor();
      person.assertNothingWrong();
      await person.leave();
    });
  });
}

/** Every operation of the OpenAPI document that the page offers stands on the page; returns the first. */
async function assertOperationsAreThoseOfTheDocument(page) {
  const href = await page.getByRole("link", { name: /^OpenAPI/ }).first().getAttribute("href");
  const answer = await page.request.get(href);
  assert.equal(answer.status(), 200, href);
  const document = await answer.json();
  assert.match(document.openapi, /^3\.1\./);
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, summary: item[method].summary })),
  );
  assert.ok(operations.length > 0, "the document has operations");
  const rows = page.getByRole("main").getByRole("listitem");
  for (const { path, method, summary } of operations) {
    const row = rows.filter({ has: page.getByRole("link", { name: summary, exact: true }) }).filter({ hasText: path });
    assert.ok(await row.filter({ hasText: method.toUpperCase() }).count() > 0, `${method} ${path} (${summary}) is on the page`);
  }
  return operations[0];
}

/** Copies the call beside the key, as far as scripts allow by its button, and returns what a paste would yield. */
async function copyCall(person, javaScript) {
  const { page } = person;
  const block = page.getByRole("region", { name: "Make the call" });
  const code = theCall(page);
  if (!javaScript) {
    person.clicks += 1; // Selected by hand.
    await code.selectText();
    return code.innerText();
  }
  await person.click(block.getByRole("button", { name: "Copy" }));
  await block.getByRole("button", { name: "Copied" }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, (await code.innerText()).trim(), "the button copies what is seen");
  return copied;
}

/** Opens usage and waits for the call; returns the milliseconds since it was made. */
async function usageShowsOneCall(person, javaScript, called) {
  const { page } = person;
  await person.click(page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Usage" }));
  await person.sees("Usage");
  const row = page.getByRole("region", { name: "By endpoint and status" }).getByRole("row").filter({ hasText: "200" });
  if (javaScript) {
    await row.waitFor();
  } else {
    await until("the call on the usage page", USAGE_WITHIN_MS, async () => {
      if (await row.count() > 0) return true;
      await person.click(page.getByRole("link", { name: "Look again" }));
      return undefined;
    }, { began: called, everyMs: 200 });
  }
  const ms = performance.now() - called;
  assert.equal((await row.getByRole("cell").nth(3).innerText()).trim(), "1", "one call is counted");
  return ms;
}

async function keyStandsInSamplesOnly(person, keyPage, key) {
  const { page } = person;
  for (const look of [() => page.goto(keyPage), () => page.reload()]) {
    const answer = await look();
    assert.match(answer.headers()["cache-control"], /no-store/);
    assert.equal((await page.content()).split(key).length, 2, "in the sample call, nowhere else");
  }
  await page.getByText("It stands in every sample call").waitFor();
}

/** The link to a page of ours in the last mail to somebody; undefined while there is none. */
function linkIn(directory, email, path) {
  const all = readdirSync(directory).filter((name) => name.endsWith(".eml")).sort();
  const texts = all.map((name) => readFileSync(join(directory, name), "utf8").replaceAll(/=\r?\n/g, ""));
  const text = texts.findLast((one) => one.includes(`To: ${email}`) && one.includes(path));
  return text && new RegExp(`https?://[^\\s"<>]*${path}[\\w-]+`).exec(text)?.[0];
}

function report(t, person, began) {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  t.diagnostic(`${person.clicks} clicks, ${person.fields} fields, ${seconds} s`);
}

function assertNotMore(person, most) {
  assert.ok(person.clicks <= most.clicks, `${person.clicks} clicks, recorded ${most.clicks}`);
  assert.ok(person.fields <= most.fields, `${person.fields} fields, recorded ${most.fields}`);
}
