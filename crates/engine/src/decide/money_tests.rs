//! Calls that money is to pay for: what is left of it says yes or no, and what comes after.

use std::sync::Arc;

use tollgate_domain::{
    Blueprint, Budget, Enforcement, Funds, Limit, LimitKind, OperationCost, Outcome, Period, Plan, Policies,
    RatePer, RatePolicy, SubscriptionId,
};

use crate::compile::compile;
use crate::consumers::{Consumers, NewLease};
use crate::decide::{Admission, Call, Refusal, decide};
use crate::sample::{NOW, S, application, blueprint, key, limit, peppers, uuid};
use crate::snapshot::Snapshot;

const NOW_S: u64 = NOW / S;

fn kept(funds: Funds) -> Limit {
    let budget = Budget { enforcement: Enforcement::Exact, ..Budget::default() };
    let name = funds.limit_name().expect("it is money's");
    Limit { visible: false, budget, ..limit(name, LimitKind::Quota, Limit::AMOUNT_MAX, Period::Month) }
}

fn plan(n: u128, limits: Vec<Limit>) -> Plan {
    let (id, product_id) = (uuid(n).into(), uuid(31).into());
    Plan { id, product_id, slug: "pro".into(), limits, fallback: None, uncharged: false }
}

struct Till {
    snapshot: Arc<Snapshot>,
    consumers: Consumers,
}

impl Till {
    /// One application on plan 60.
    fn of(plans: Vec<Plan>, units: u32) -> Self {
        Self::held_to(Policies::default(), plans, units)
    }

    /// The same, where all calls are held to something besides.
    fn held_to(policies: Policies, plans: Vec<Plan>, units: u32) -> Self {
        let mut rows = Blueprint { plans, policies, ..blueprint() };
        rows.apis[0].metering.costs =
            vec![OperationCost { method: "GET".into(), path: "/items/{id}".into(), units }];
        let consumers = Consumers::new(peppers());
        consumers.replace_all([application(51, 60, &[1])]);
        Self { snapshot: Arc::new(compile(&rows).expect("valid")), consumers }
    }

    fn subscription() -> SubscriptionId {
        uuid(10_051).into()
    }

    fn call_at(&self, now: u64) -> Result<Admission, Box<Refusal>> {
        let key = key(1);
        let call = Call {
            method: "GET",
            host: Some(b"api.example"),
            target: b"/one/items/7",
            credential: Some(key.as_bytes()),
            whence: &crate::Nowhere,
        };
        decide(&self.snapshot, &self.consumers, &call, now, None)
    }

    fn code(&self) -> &'static str {
        self.call_at(NOW).map_or_else(|refusal| refusal.denial.code(), |_| "admitted")
    }

    /// The database lends so much, and has nothing more.
    fn lend(&self, funds: Funds, granted: u64) {
        let name = funds.limit_name().expect("it is money's");
        let (cell, ends_s) = (funds.cell(0), NOW_S + 1_000);
        let lease = NewLease { cell, name, ends_s, granted, free: 0, now_s: NOW_S };
        assert!(self.consumers.fill_lease(Self::subscription(), &lease));
    }
}

#[test]
fn a_cap_refuses_what_it_does_not_pay_for_and_says_where_it_is_raised() {
    let till = Till::of(vec![plan(60, vec![kept(Funds::SpendCap)])], 1);
    assert_eq!(till.code(), "quota_unavailable", "nothing is known yet");
    till.lend(Funds::SpendCap, 2);
    assert_eq!([till.code(), till.code(), till.code()], ["admitted", "admitted", "spend_cap_reached"]);
    let refusal = till.call_at(NOW).expect_err("it is reached");
    assert_eq!((refusal.denial.status(), refusal.denial.retry_after_s()), (402, None));
    assert_eq!(refusal.denial.outcome(), Some(Outcome::QuotaExceeded));
    let problem = crate::Problem {
        denial: &refusal.denial,
        type_base: "https://p.example/problems/",
        request_id: "r",
        instance: None,
    };
    let raise_at = format!("\"raise_at\":\"https://p.example/subscriptions/{}/cap\"", Till::subscription());
    assert!(problem.to_json().contains(&raise_at), "{}", problem.to_json());
}

#[test]
fn a_day_and_a_month_at_once_refuse_each_for_itself_and_a_soft_quota_refuses_nothing() {
    let quota = |name: &str, period, enforcement| Limit {
        budget: Budget { enforcement, ..Budget::default() },
        ..limit(name, LimitKind::Quota, 1, period)
    };
    let (exact, soft) = (Enforcement::Exact, Enforcement::Soft);
    let limits = vec![
        quota("day", Period::Day, exact),
        quota("month", Period::Month, exact),
        quota("fair", Period::Month, soft),
    ];
    let till = Till::of(vec![plan(60, limits)], 1);
    assert_eq!(till.code(), "quota_unavailable", "nothing is known yet");
    let lend = |cell, name, granted| {
        let lease = NewLease { cell, name, ends_s: NOW_S + 1_000, granted, free: 0, now_s: NOW_S };
        assert!(till.consumers.fill_lease(Till::subscription(), &lease));
    };
    lend(0, "day", 2);
    lend(1, "month", 3);
    assert_eq!([till.code(), till.code(), till.code()], ["admitted", "admitted", "quota_exceeded"]);
    lend(0, "day", 5);
    assert_eq!([till.code(), till.code()], ["admitted", "quota_exceeded"], "now the month is over");
    assert_eq!(till.consumers.lease_left(Till::subscription(), 0), 4, "a refusal takes from neither");
}

#[test]
fn an_operation_that_costs_no_units_takes_from_money_all_the_same() {
    let till = Till::of(vec![plan(60, vec![kept(Funds::Credits)])], 0);
    assert_eq!(till.code(), "quota_unavailable");
    till.lend(Funds::Credits, 1);
    assert_eq!([till.code(), till.code()], ["admitted", "credits_used_up"]);
}

#[test]
fn what_is_not_charged_is_given_back_to_money() {
    let till = Till::of(vec![plan(60, vec![kept(Funds::Credits)])], 0);
    let _ = till.code();
    till.lend(Funds::Credits, 1);
    let admission = till.call_at(NOW).expect("one is left");
    assert_eq!(admission.finish(502, Outcome::UpstreamFailed), None);
    assert_eq!(till.code(), "admitted");
}

#[test]
fn a_policy_counts_a_call_once_on_whichever_plan_it_ends_and_not_one_that_no_plan_takes() {
    let (name, period, per) = ("all".into(), Period::Hour, RatePer::All);
    let rates = vec![RatePolicy { name, amount: 3, period, burst: None, per }];
    let capped = Plan { fallback: Some(uuid(61).into()), ..plan(60, vec![kept(Funds::SpendCap)]) };
    let free = Plan { uncharged: true, ..plan(61, vec![kept(Funds::Throttled)]) };
    let till = Till::held_to(Policies { rates, ..Policies::default() }, vec![capped, free], 3);
    assert_eq!(till.code(), "quota_unavailable", "which is asked for, and the call decided again");
    till.lend(Funds::SpendCap, 3);
    till.lend(Funds::Throttled, 6);
    let plans = [60, 61, 61].map(|_| till.call_at(NOW).expect("one of the plans takes it").plan().id);
    assert_eq!(plans, [60, 61, 61].map(|n| uuid(n).into()));
    assert_eq!(till.code(), "rate_limited", "three were taken, and no refusal was");
}

#[test]
fn who_chose_to_be_throttled_goes_on_within_the_free_plan_and_pays_nothing() {
    let capped = Plan { fallback: Some(uuid(61).into()), ..plan(60, vec![kept(Funds::SpendCap)]) };
    let rate = limit("burst", LimitKind::Rate, 1, Period::Hour);
    let free = Plan { uncharged: true, ..plan(61, vec![rate, kept(Funds::Throttled)]) };
    let till = Till::of(vec![capped, free], 3);
    let _ = till.code();
    till.lend(Funds::SpendCap, 3);
    till.lend(Funds::Throttled, 5);
    let paid = till.call_at(NOW).expect("the cap pays for it");
    assert_eq!(paid.finish(200, Outcome::Served), Some(3));
    let throttled = till.call_at(NOW).expect("the free plan takes it");
    assert_eq!(throttled.finish(200, Outcome::Served), None, "it is not charged");
    assert_eq!(till.code(), "rate_limited", "one an hour");
    // Of the free plan's five units two are left, and were not given back.
    let later = NOW + 3_600 * S;
    assert_eq!(till.consumers.lease_left(Till::subscription(), Funds::Throttled.cell(0)), 2);
    till.consumers.fill_lease(
        Till::subscription(),
        &NewLease {
            cell: Funds::SpendCap.cell(0),
            name: "$cap",
            ends_s: NOW_S + 9_000,
            granted: 0,
            free: 0,
            now_s: NOW_S + 3_600,
        },
    );
    till.consumers.fill_lease(
        Till::subscription(),
        &NewLease {
            cell: Funds::Throttled.cell(0),
            name: "$throttled",
            ends_s: NOW_S + 9_000,
            granted: 2,
            free: 0,
            now_s: NOW_S + 3_600,
        },
    );
    assert_eq!(
        till.call_at(later).expect_err("two units do not pay for three").denial.code(),
        "spend_cap_reached"
    );
}
