// A newcomer reads, signs up, calls, and sees the call: with JavaScript and without.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openBrowser, Person, signUp, theCall } from "../person.mjs";
import { paste } from "../terminal.mjs";
import { Tollgate, until } from "../tollgate.mjs";

// From landing to the first successful call with an own key. These numbers may fall, never grow.
const SHORTEST = { clicks: 3, fields: 2 };
const THROUGH_THE_REFERENCE = { clicks: 5, fields: 2 };
const USAGE_WITHIN_MS = 5_000;
const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

let tollgate;
let browser;

before(async () => {
  [tollgate, browser] = await Promise.all([Tollgate.start(), openBrowser()]);
});

after(async () => {
  await browser?.close();
  await tollgate?.close();
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

function report(t, person, began) {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  t.diagnostic(`landing to first own call: ${person.clicks} clicks, ${person.fields} fields, ${seconds} s`);
}

function assertNotMore(person, most) {
  assert.ok(person.clicks <= most.clicks, `${person.clicks} clicks, recorded ${most.clicks}`);
  assert.ok(person.fields <= most.fields, `${person.fields} fields, recorded ${most.fields}`);
}
