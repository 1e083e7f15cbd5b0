//! Billing at size: ten thousand subscriptions with twenty meters each. Run by `bench/billing`.

use std::time::Instant;

use chrono::{DateTime, Utc};
use serde_json::json;
use tollgate_control::{Actor, Pricing};

use crate::fixture::{Fixture, plan_input};

/// Twenty meters: four built in, sixteen read from answers, two each of eight operations. Three tiers each.
fn twenty_meters() -> Pricing {
    let built_in = ["calls", "units", "megabytes_in", "megabytes_out"].map(str::to_owned);
    let read = (1..=8).flat_map(|route| [format!("first_{route}"), format!("second_{route}")]);
    let tiers = json!([
        { "up_to": 100, "unit_minor": "0.5" }, { "up_to": 10_000, "unit_minor": "0.2" },
        { "up_to": null, "unit_minor": "0.05", "flat_minor": 100 }
    ]);
    let price = json!({ "scheme": "graduated", "tiers": tiers });
    let meters: Vec<_> = built_in
        .into_iter()
        .chain(read)
        .map(|meter| json!({ "meter": meter, "included": 10, "price": price }))
        .collect();
    Pricing { meters: serde_json::from_value(json!(meters)).unwrap(), ..Pricing::default() }
}

/// Ten thousand subscribers of one plan, each with calls of eight operations on two days of April 2026.
const SUBSCRIBERS: &[&str] = &[
    "create temporary table new as select gen_random_uuid() as organization, gen_random_uuid() as application,
        gen_random_uuid() as subscription, gen_random_uuid() as credential, n from generate_series(1, 10000) n",
    "insert into organizations (id, name, slug) select organization, 'Subscriber ' || n, 'subscriber-' || n from new",
    "insert into applications (id, organization_id, name) select application, organization, 'App ' || n from new",
    "insert into subscriptions (id, organization_id, application_id, product_id, plan_id, state)
        select subscription, organization, application, p.product_id, p.id, 'active' from new cross join (select * from plans where slug = 'twenty') p",
    "insert into credentials (id, organization_id, application_id, name, environment, display_prefix, display_last4, digest, pepper_version)
        select credential, organization, application, 'Server', 'live', 'tg_live_' || n, '0000', sha256(credential::text::bytea), 1 from new",
    "insert into route_readings (route_id, position, meter, since)
        select ('00000000-0000-0000-0000-00000000000' || r)::uuid, p, case p when 1 then 'first_' else 'second_' end || r, '-infinity'
        from generate_series(1, 8) r, generate_series(1, 2) p",
    "insert into usage_counters (boot_id, credential_id, subscription_id, route_id, status, outcome, minute, calls, charged,
            bytes_in, bytes_out, duration_us, units, reading_1, reading_2, organization_id, application_id)
        select '00000000-0000-0000-0000-000000000001', credential, subscription, ('00000000-0000-0000-0000-00000000000' || r)::uuid, 200, 1,
            d, 100 + n % 50, 100 + n % 50, 2000000, 5000000, 1000, 300, 1000 + r, 50, organization, application
        from new, generate_series(1, 8) r, (values ('2026-04-03T10:00Z'::timestamptz), ('2026-04-17T10:00Z')) v (d)",
    "update subscription_terms set begins = '2026-04-01'",
    "update billing_months set month = '2026-03-01'",
    "analyze",
];

#[tokio::test]
#[ignore = "takes a minute: bench/billing runs it"]
async fn ten_thousand_subscriptions_of_twenty_meters_are_billed_within_a_minute() {
    let fixture = Fixture::new().await;
    let system = Actor::system();
    let published = fixture.publish("things").await;
    let input =
        tollgate_control::PlanInput { slug: "twenty".parse().unwrap(), ..plan_input(&published.product) };
    let plan = fixture.control.create_plan(&system, input).await.unwrap();
    fixture.control.price_plan(&system, plan.id, None, twenty_meters()).await.unwrap();
    let mut connection = fixture.database.store().pool().acquire().await.unwrap();
    let began = Instant::now();
    for sql in SUBSCRIBERS {
        sqlx::query(*sql).execute(&mut *connection).await.unwrap();
        println!("filled after {:.1} s", began.elapsed().as_secs_f64());
    }
    let began = Instant::now();
    let now: DateTime<Utc> = "2026-05-01T02:00:00Z".parse().unwrap();
    let issued = fixture.control.close_months(now).await.unwrap();
    let took = began.elapsed();
    println!("{issued} invoices in {:.1} s", took.as_secs_f64());
    assert_eq!(issued, 10_000);
    let lines: i64 =
        sqlx::query_scalar("select count(*) from invoice_lines").fetch_one(&mut *connection).await.unwrap();
    assert_eq!(lines, 200_000);
    assert!(took.as_secs() <= 60, "{took:?}");
}
