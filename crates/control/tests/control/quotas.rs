//! Several quotas at once: each has its own period, thresholds, mails and events.

use uuid::Uuid;

use crate::funds::Wallet;

/// Ten a day and not one more, a hundred a month and what is beyond is billed.
const LIMITS: &str = r#"update plans set limits = '[
    {"name": "day", "kind": "quota", "amount": 10, "period": "day", "enforcement": "exact", "alerts": [50, 90]},
    {"name": "month", "kind": "quota", "amount": 100, "period": "month", "enforcement": "soft", "alerts": [7, 100]}]'"#;

/// Which quotas were told of at which percentages, in order.
async fn told(wallet: &Wallet) -> Vec<(String, String)> {
    let events = "select data ->> 'quota', data ->> 'percent' from events
        where type = 'quota.threshold_reached' order by 1, (data ->> 'percent')::int";
    sqlx::query_as(events).fetch_all(wallet.fixture.control.store().pool()).await.unwrap()
}

#[tokio::test]
async fn a_day_and_a_month_at_once_are_told_of_at_their_own_thresholds_by_event_and_mail() {
    let wallet = Wallet::new("calls").await;
    let control = &wallet.fixture.control;
    wallet.fixture.database.run(LIMITS).await;
    wallet.fixture.database.run("update users set email_verified_at = now()").await;
    let said = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(quota, percent)| ((*quota).to_owned(), (*percent).to_owned())).collect()
    };
    wallet.call(Uuid::now_v7(), wallet.subscription, 6, 0).await;
    control.look_after_quotas().await.unwrap();
    assert_eq!(told(&wallet).await, said(&[("day", "50")]), "six of ten, and six of a hundred");
    wallet.call(Uuid::now_v7(), wallet.subscription, 3, 0).await;
    control.look_after_quotas().await.unwrap();
    control.look_after_quotas().await.unwrap();
    assert_eq!(told(&wallet).await, said(&[("day", "50"), ("day", "90"), ("month", "7")]), "once each");
    wallet.call(Uuid::now_v7(), wallet.subscription, 95, 0).await;
    control.look_after_quotas().await.unwrap();
    let all = said(&[("day", "50"), ("day", "90"), ("month", "7"), ("month", "100")]);
    assert_eq!(told(&wallet).await, all);
    let mails = "select count(*) from jobs where kind = $1 and payload ->> 'quota' in ('day', 'month')";
    assert_eq!(wallet.count(mails, "quota_used").await, 4, "a mail each");
    // Each stands for itself: what is left of the day says nothing about the month.
    let standing = control.limits_of(&wallet.member, wallet.subscription).await.unwrap();
    let used: Vec<_> =
        standing.iter().map(|one| (one.limit.name.as_str(), one.period.map(|period| period.used))).collect();
    assert_eq!(used, [("day", Some(104)), ("month", Some(104))]);
}
