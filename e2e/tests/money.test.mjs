// The journey of money in a browser: free, paid by Checkout, past the included calls, warned, capped, upgraded, billed, declined,
// in grace, cut off, paid, back. With Stripe's double; the month's end is brought about, nothing else is.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AdminApi } from "../admin-api.mjs";
import { openBrowser, Person, signUp } from "../person.mjs";
import { hurry, sql, Stripe } from "../stripe.mjs";
import { Tollgate, until } from "../tollgate.mjs";

const INCLUDED = 5;

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

/** A product with the demo's API: free, 29 EUR with a few calls in it and ten cents for each further one, and 99 EUR. */
async function publish() {
  const admin = new AdminApi(tollgate.welcome);
  const apis = await admin.send("GET", "/v1/apis");
  const product = await admin.create("products", {
    slug: "maps", name: "Maps", summary: "Maps of the world.", state: "published", visibility: "public",
    apis: [apis.data[0].id],
  });
  const quota = (amount) => ({ name: "month", kind: "quota", amount, period: "month", enforcement: "soft", alerts: [50, 100] });
  const plans = {};
  for (const [slug, name, minor, limits] of [
    ["free", "Free", 0, [{ name: "burst", kind: "rate", amount: 50, period: "second" }]],
    ["pro", "Pro", 2900, [quota(8)]],
    ["team", "Team", 9900, []],
  ]) {
    plans[slug] = await admin.create("plans", {
      product_id: product.id, slug, name, state: "open", price: { minor, currency: "EUR", per: "month" }, limits,
    });
  }
  await admin.send("PUT", `/v1/plans/${plans.pro.id}/pricing`, {
    meters: [{ meter: "calls", included: INCLUDED, price: { scheme: "per_unit", unit_minor: "10" } }],
  });
  await admin.send("PUT", `/v1/plans/${plans.team.id}/pricing`, {
    meters: [{ meter: "calls", price: { scheme: "per_unit", unit_minor: "1" } }],
  });
  return { admin, product };
}

/** The queue is hurried until something is so. */
function eventually(what, probe, limitMs = 30_000) {
  return until(what, limitMs, async () => {
    hurry(tollgate.room);
    return (await probe()) || undefined;
  }, { everyMs: 400 });
}

test("free, paid, past what is included, warned, capped, upgraded, billed, declined, cut off, paid, back", async () => {
  const { admin, product } = await publish();
  const person = await Person.arrive(browser, tollgate.welcome.portal_url, { javaScript: false, alsoAt: [stripe.url] });
  const { page } = person;

  // Free: a key that works.
  await page.goto("/signup?product=maps");
  await signUp(person, "payer@example.com");
  sql(tollgate.room, "update users set email_verified_at = now()");
  const scope = "product_id = (select id from products where slug = 'maps')";
  const subscription = sql(tollgate.room, `select id from subscriptions where ${scope}`);
  await page.goto("/applications");
  await person.click(page.getByRole("main").getByRole("link", { name: "My first app" }).first());
  const application = new URL(page.url()).pathname.split("/").pop();
  const { secret: key } = await admin.create("keys", { application_id: application, name: "Server" });
  const call = () => fetch(`${tollgate.welcome.gateway_url}${tollgate.welcome.demo_path}`, { headers: { "x-api-key": key } });
  const calls = async (count) => {
    for (let index = 0; index < count; index += 1) assert.equal((await call()).status, 200);
  };
  await until("the key to be known", 5_000, async () => (await call()).status === 200 || undefined);

  // Paid by Checkout: no way around it, and nothing before Stripe has told us.
  const [{ id: shown }] = (await admin.send("GET", "/v1/subscriptions")).data
    .filter((one) => one.application_id === application && one.product_id === product.id);
  const pages = `/subscriptions/${shown}`;
  await page.goto(`${pages}/change?plan=pro`);
  await person.click(page.getByRole("button", { name: "Move now" }));
  await person.sees("Checkout (double)");
  await person.click(page.getByRole("button", { name: "Card that is declined later" }));
  await until("the plan to be in force", 10_000, async () => (await page.getByText("the plan is in force").count()) || undefined);
  // As if it had been so all month: then everything included is, and what it costs is known beforehand.
  sql(tollgate.room, `delete from subscription_terms where ends is not null;
    update subscription_terms set begins = date_trunc('month', now(), 'UTC')`);

  // A cap of one euro: what it means is said before it is set.
  await page.goto(pages);
  await person.click(page.getByRole("link", { name: /none; set one/ }));
  await person.sees("Spend cap");
  await page.getByLabel(/^The most that use may cost/).fill("1.00");
  await person.click(page.getByRole("button", { name: "See what it means" }));
  await person.sees("Set this cap?");
  await page.getByText("Use costs 1.00 EUR this month at most").waitFor();
  await person.click(page.getByRole("button", { name: "Set this cap" }));
  await page.getByText("Use costs 1.00 EUR a month at most.").waitFor();

  // Past what is included; the quota's alert; then the cap.
  await calls(10);
  await eventually("the quota's alert", () => Number(sql(tollgate.room,
    "select count(*) from events where type = 'quota.threshold_reached' and data ->> 'percent' = '100'")) > 0);
  const capped = await until("the cap", 20_000, async () => {
    const answer = await call();
    return answer.status === 402 ? answer : undefined;
  });
  const problem = await capped.found.json();
  assert.equal(problem.code, "spend_cap_reached");
  assert.equal(problem.raise_at, `${tollgate.welcome.portal_url}${pages}/cap`);
  await eventually("all calls to be counted", () => Number(sql(tollgate.room,
    `select coalesce(sum(charged), 0) from usage_counters where subscription_id = '${subscription}'`)) >= INCLUDED + 10);
  await page.goto(new URL(problem.raise_at).pathname);
  await page.getByText("1.00 EUR is spent already").waitFor();
  await page.goto("/billing");
  await page.getByText("1.00 EUR").first().waitFor();
  await eventually("the cap's event", () => Number(sql(tollgate.room,
    "select count(*) from events where type = 'spend_cap.threshold_reached' and data ->> 'percent' = '100'")) > 0);

  // An upgrade is previewed and opens calls: there they cost less, so the cap has room.
  await page.goto(`${pages}/change?plan=team`);
  await page.getByText("It moves at once").waitFor();
  await person.click(page.getByRole("button", { name: "Move now" }));
  await page.getByText("It is on Team now").waitFor();
  await page.goto(`${pages}/cap`);
  await person.click(page.getByRole("button", { name: "Lift the cap" }));
  await page.getByText("Lifted.").waitFor();
  await until("calls to be served", 10_000, async () => (await call()).status === 200 || undefined);
  await calls(3);

  // The period ends; the invoice has lines that open; the card is declined.
  await eventually("usage to be counted", () => Number(sql(tollgate.room,
    `select coalesce(sum(charged), 0) from usage_counters where subscription_id = '${subscription}'`)) >= INCLUDED + 14);
  const shift = "interval '1 day' * (extract(day from now() at time zone 'UTC') + 1)";
  sql(tollgate.room, `
    update subscription_terms set begins = begins - ${shift}, ends = ends - ${shift};
    update usage_counters set minute = minute - ${shift} where subscription_id = '${subscription}';
    update billing_months set month = (date_trunc('month', now() at time zone 'UTC') - interval '2 months')::date;`);
  await eventually("the invoice to be declined", () => Number(sql(tollgate.room,
    "select count(*) from invoices where failed_at is not null")) > 0);
  await page.goto("/billing");
  await page.getByRole("alert").getByText("Your card was declined").waitFor();
  const first = page.getByRole("link", { name: /^INV-/ }).first();
  await person.click(first);
  await page.getByText(/Team: calls/).first().waitFor();
  await page.getByText(/calls, by day and operation/).first().click();
  await page.locator("section details[open] td").first().waitFor();

  // Grace, then cut off; paid, then back.
  assert.equal((await call()).status, 200, "grace");
  sql(tollgate.room, "update invoices set grace_until = now() where state = 'open' and failed_at is not null");
  await eventually("calls to be refused", async () => (await call()).status === 402);
  assert.equal((await (await call()).json()).code, "payment_required");
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
  person.assertNothingWrong();
  await person.leave();
});
