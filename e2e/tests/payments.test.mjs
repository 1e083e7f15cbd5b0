// From a free plan to a paid one, over an invoice that is not paid, to being cut off, to being back: with Stripe's double.
// Steps between (limits reached, upgrades) have journeys of their own.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AdminApi } from "../admin-api.mjs";
import { openBrowser, Person, signUp } from "../person.mjs";
import { hurry, sql, Stripe } from "../stripe.mjs";
import { Tollgate, until } from "../tollgate.mjs";

let stripe;
let tollgate;
let browser;

before(async () => {
  stripe = await Stripe.start();
  [tollgate, browser] = await Promise.all([Tollgate.start({ settings: stripe.settings }), openBrowser()]);
  stripe.deliverTo(tollgate.welcome.portal_url);
});

after(async () => {
  await browser?.close();
  await tollgate?.close();
  await stripe?.close();
});

/** A product with the demo's API, on a free plan and one for 29 EUR. */
async function publish() {
  const admin = new AdminApi(tollgate.welcome);
  const apis = await admin.send("GET", "/v1/apis");
  const product = await admin.create("products", {
    slug: "maps", name: "Maps", summary: "Maps of the world.", state: "published", visibility: "public",
    apis: [apis.data[0].id],
  });
  for (const [slug, name, minor] of [["free", "Free", 0], ["pro", "Pro", 2900]]) {
    await admin.create("plans", {
      product_id: product.id, slug, name, state: "open", price: { minor, currency: "EUR", per: "month" },
    });
  }
}

/** Somebody who may visit Stripe's double too. */
async function arrive() {
  return Person.arrive(browser, tollgate.welcome.portal_url, { javaScript: false, alsoAt: [stripe.url] });
}

test("free, paid, billed, declined, in grace, cut off, paid, back", async () => {
  await publish();
  const person = await arrive();
  const { page } = person;
  await page.goto("/signup?product=maps");
  await signUp(person, "payer@example.com");
  const [key] = /\b[a-z]+_(?:live|test)_[A-Za-z0-9]+\b/.exec(await page.content()) ?? [];
  assert.ok(key, "a key is shown");

  // The plan begins when Stripe has told us, and not before.
  await page.goto("/products/maps");
  const pro = page.getByRole("article").filter({ hasText: "29.00 EUR" });
  sql(tollgate.room, "delete from subscription_terms; delete from subscriptions where product_id = (select id from products where slug = 'maps')");
  await page.reload();
  await person.click(pro.getByRole("button", { name: /^Subscribe/ }));
  await person.sees("Checkout (double)");
  await person.click(page.getByRole("button", { name: "Card that is declined later" }));
  await until("the plan to be in force", 10_000, async () => (await page.getByText("the plan is in force").count()) || undefined);

  // A month is over; its invoice is declined.
  sql(tollgate.room, `
    delete from subscription_terms where ends is not null;
    update subscription_terms set begins = date_trunc('month', now(), 'UTC') - interval '3 months';
    update billing_months set month = (date_trunc('month', now() at time zone 'UTC') - interval '3 months')::date;`);
  await until("the invoices to be declined", 20_000, () => {
    hurry(tollgate.room);
    return Number(sql(tollgate.room, "select count(*) from invoices where failed_at is not null")) > 0 || undefined;
  }, { everyMs: 500 });
  await page.goto("/billing");
  await page.getByRole("alert").getByText("Your card was declined").waitFor();

  // Grace is over: calls are refused, and say where to pay.
  const call = () => fetch(`${tollgate.welcome.gateway_url}${tollgate.welcome.demo_path}`, { headers: { "x-api-key": key } });
  assert.equal((await call()).status, 200, "grace");
  sql(tollgate.room, "update invoices set grace_until = now() where state = 'open' and failed_at is not null");
  await until("calls to be refused", 10_000, async () => {
    hurry(tollgate.room);
    return (await call()).status === 402 || undefined;
  }, { everyMs: 500 });
  const problem = await (await call()).json();
  assert.equal(problem.code, "payment_required");
  assert.equal(problem.pay_at, `${tollgate.welcome.portal_url}/billing`);

  // Every open invoice is paid on Stripe's page; calls are served again.
  for (;;) {
    await page.goto("/billing");
    const open = page.getByRole("row").filter({ hasText: "To be paid" }).getByRole("link");
    if (await open.count() === 0) break;
    await person.click(open.first());
    await person.click(page.getByRole("button", { name: /^Pay / }));
    await person.sees("Checkout (double)");
    await person.click(page.getByRole("button", { name: "Card that pays" }));
    await page.getByText("Paid. Thank you.").waitFor();
  }
  await until("calls to be served", 5_000, async () => (await call()).status === 200 || undefined);
  const file = await page.request.get(`${await firstInvoice(page)}/pdf`);
  assert.equal(file.headers()["content-type"], "application/pdf");
  person.assertNothingWrong();
  await person.leave();
});

test("credits are bought by Checkout, and prepaid calls stop where they end", async () => {
  const admin = new AdminApi(tollgate.welcome);
  const product = (await admin.send("GET", "/v1/products")).data.find((one) => one.slug === "maps");
  const plan = await admin.create("plans", {
    product_id: product.id, slug: "prepaid", name: "Prepaid", state: "open", price: { minor: 0, currency: "EUR", per: "month" },
    limits: [{ name: "burst", kind: "rate", amount: 50, period: "second" }],
  });
  await admin.send("PUT", `/v1/plans/${plan.id}/pricing`, {
    meters: [{ meter: "calls", price: { scheme: "per_unit", unit_minor: "25" } }],
  });
  await admin.send("PUT", `/v1/plans/${plan.id}/prepaid`, { prepaid: true });
  const person = await arrive();
  const { page } = person;
  await page.goto("/signup?product=maps");
  await signUp(person, "prepaid@example.com");
  const [key] = /\b[a-z]+_(?:live|test)_[A-Za-z0-9]+\b/.exec(await page.content()) ?? [];
  assert.ok(key, "a key is shown");
  const call = () => fetch(`${tollgate.welcome.gateway_url}${tollgate.welcome.demo_path}`, { headers: { "x-api-key": key } });

  // No card is asked for; without credits no call is served, and the refusal says where they are.
  await page.goto("/applications");
  await person.click(page.getByRole("main").getByRole("link", { name: "My first app" }).first());
  const application = new URL(page.url()).pathname.split("/").pop();
  const [{ id }] = (await admin.send("GET", "/v1/subscriptions")).data
    .filter((one) => one.application_id === application && one.product_id === product.id);
  await page.goto(`/subscriptions/${id}/change?plan=prepaid`);
  await person.click(page.getByRole("button", { name: "Move now" }));
  await page.getByText("It is on Prepaid now").waitFor();
  const refused = await until("calls to be refused", 15_000, async () => {
    const answer = await call();
    return answer.status === 402 ? answer : undefined;
  });
  const problem = await refused.found.json();
  assert.equal(problem.code, "credits_used_up");
  assert.equal(problem.pay_at, `${tollgate.welcome.portal_url}/billing/credits`);

  // What is typed wrong is said on its field; what is bought is there when Stripe has told us.
  await page.goto(new URL(problem.pay_at).pathname);
  person.expectStatus(422);
  await page.getByLabel(/^Amount/).fill("0.10");
  await person.click(page.getByRole("button", { name: "Go to payment" }));
  await page.getByText("Between 1.00 EUR and 100000.00 EUR").first().waitFor();
  person.expectStatus();
  await page.getByLabel(/^Amount/).fill("1.00");
  await person.click(page.getByRole("button", { name: "Go to payment" }));
  await person.sees("Checkout (double)");
  await person.click(page.getByRole("button", { name: "Card that pays" }));
  await page.getByText("1.00 EUR of credits are yours").waitFor();
  await page.getByRole("cell", { name: "Bought" }).waitFor();
  await until("calls to be served", 15_000, async () => (await call()).status === 200 || undefined);
  let served = 1;
  while ((await call()).status === 200) served += 1;
  assert.equal(served, 4, "a euro is four calls, and not one more");
  await until("it to be told", 15_000, async () => {
    await page.goto("/limits");
    return (await page.getByText("No credits are left").count()) || undefined;
  }, { everyMs: 500 });
  person.assertNothingWrong();
  await person.leave();
});

async function firstInvoice(page) {
  await page.goto("/billing");
  return page.getByRole("link", { name: /^INV-/ }).first().getAttribute("href");
}
