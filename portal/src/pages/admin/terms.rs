//! The terms of a plan in a form and in plain words: limits and a price.

use std::borrow::Cow;

use tollgate_domain::{
    Amount, Anchor, Budget, Currency, Enforcement, Limit, LimitKind, LimitPer, Period, Price,
};
use tollgate_rating::Tariff;
use tollgate_store::PlanRow;

use crate::PortalState;
use crate::error::Fault;
use crate::form::Form;
use crate::parts::{Fieldset, Input, Reader, Sent};
use crate::say::{Language, language};
use crate::show;

/// Lines of limits that a form shows at least.
const LINES_AT_LEAST: usize = 2;

/// What a plan costs beside its price per month, as far as its sentence tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beside {
    /// Whether use costs something, or a least per month is due.
    pub use_costs: bool,
    /// Due once.
    pub once: Option<Amount>,
}

impl From<&Tariff> for Beside {
    fn from(tariff: &Tariff) -> Self {
        let once = Amount { minor: tariff.setup_minor, currency: tariff.currency };
        Self {
            use_costs: !tariff.meters.is_empty() || tariff.minimum_minor > 0,
            once: (once.minor > 0).then_some(once),
        }
    }
}

/// Limits and price as one reads them: `60 calls a minute, 10,000 a month, for 29.00 EUR per month and what use costs`.
/// `static/admin.js` writes the same while one types.
#[must_use]
pub fn sentence(limits: &[Limit], price: Price, beside: Beside) -> String {
    let one = |(index, limit): (usize, &Limit)| {
        let amount = show::number(i64::try_from(limit.amount).unwrap_or(i64::MAX));
        let noun = match (index, limit.amount) {
            (0, 1) => " call",
            (0, _) => " calls",
            _ => "",
        };
        let article = if limit.period == Period::Hour { "an" } else { "a" };
        let per = if limit.per == LimitPer::Credential { " for each key" } else { "" };
        format!("{amount}{noun} {article} {}{per}", limit.period.as_str())
    };
    let told: Vec<String> = limits.iter().enumerate().map(one).collect();
    let limits = if told.is_empty() { "As many calls as one likes".to_owned() } else { told.join(", ") };
    let costs = [
        (price.minor > 0).then(|| price.to_string()),
        beside.use_costs.then(|| "what use costs".to_owned()),
        beside.once.map(|once| format!("{once} once")),
    ];
    let costs: Vec<String> = costs.into_iter().flatten().collect();
    match costs.as_slice() {
        [] => format!("{limits}, free of charge."),
        [costs @ .., last] if !costs.is_empty() => format!("{limits}, for {} and {last}.", costs.join(", ")),
        [only, ..] => format!("{limits}, for {only}."),
    }
}

/// The sentence of a plan as it is offered now.
///
/// # Errors
/// The database is away.
pub async fn of_plan(state: &PortalState, plan: &PlanRow) -> Result<String, Fault> {
    let tariff = state.control.plan_tariff(plan.id).await?.tariff;
    Ok(sentence(&plan.limits, plan.price(), Beside::from(&tariff)))
}

/// The fields of limits and price.
#[must_use]
pub fn fieldsets(form: &Form) -> [Fieldset; 2] {
    let lines = (0..).take_while(|n| form.has(&format!("limits/{n}/amount"))).count().max(LINES_AT_LEAST);
    let kinds = [("rate", "Rate: how fast"), ("quota", "Quota: how much")];
    let periods = [Period::Second, Period::Minute, Period::Hour, Period::Day, Period::Month];
    let line = |n: usize| {
        let name = |field: &str| format!("limits/{n}/{field}");
        let label = |text: &str| format!("{text} {}", n + 1);
        vec![
            Input::one(form, &name("kind"), &label("Limit"), kinds),
            Input::number(form, &name("amount"), &label("Calls"), 1, 1_000_000_000_000),
            Input::one(form, &name("period"), &label("Per"), periods.map(|one| (one.as_str(), one.as_str()))),
            Input::one(
                form,
                &name("per"),
                &label("Counted"),
                [("subscription", "all keys"), ("credential", "each key")],
            ),
            Input::number(form, &name("burst"), &label("At once"), 1, 1_000_000_000_000),
            Input::line(form, &name("name"), &label("Name")),
            Input::one(form, &name("kept"), &label("Quota kept"), KEPT),
            Input::number(form, &name("rollover"), &label("Carried over"), 0, 1_000_000_000_000),
            Input::line(form, &name("alerts"), &label("Told at %")),
        ]
    };
    let (limits, price, beside) = draft(form);
    let limits = Fieldset {
        lines: (0..lines).map(line).collect(),
        more: Some(("limit", "Add another limit")),
        sentence: Some(("terms-sentence", sentence(&limits, price, beside))),
        ..Fieldset::new("Limits", Vec::new())
    }
    .about("Up to four rates (per second to per day) and three quotas (per day or month). A shared quota is of the calendar month in UTC and goes on without the database; an exact one is never overrun; a soft one refuses nothing. Units left over can be carried into the next period. A name stands in RateLimit headers and is made where it is left empty. Lines without a number are left out.");
    let price = Fieldset::new(
        "Price",
        vec![
            Input::line(form, "price", "Price per month")
                .hint("Like 29 or 29.00. Empty or 0: no base fee; what use costs is set below."),
            Input::line(form, "currency", "Currency").hint("Three letters, like EUR."),
        ],
    );
    [limits, price]
}

/// What the form holds now, as far as it can be read: for the sentence above it.
fn draft(form: &Form) -> (Vec<Limit>, Price, Beside) {
    let count = (0..).take_while(|n| form.has(&format!("limits/{n}/amount"))).count();
    let pairs = ["kind", "amount", "period", "per", "burst", "name", "kept", "rollover", "alerts"];
    let mut sent = Vec::new();
    for n in 0..count {
        for field in pairs {
            let name = format!("limits/{n}/{field}");
            let value = form.value(&name).to_owned();
            sent.push((name, value));
        }
    }
    let sent = Sent(sent).without_empty("limits", "amount");
    let limits = limits(&mut Reader::new(&sent), &sent);
    let currency = form.value("currency").to_uppercase().parse().unwrap_or_else(|_| euro());
    let amount = |name: &str| minor(form.value(name), currency).unwrap_or(0);
    let meters = (0..).map_while(|n| {
        let name = format!("meters/{n}/price");
        form.has(&name).then(|| form.value(&name).is_empty())
    });
    let once = Amount { minor: amount("setup"), currency };
    let beside = Beside {
        use_costs: meters.into_iter().any(|empty| !empty) || amount("minimum") > 0,
        once: (once.minor > 0).then_some(once),
    };
    (limits, Price { minor: amount("price"), currency, per: Period::Month }, beside)
}

fn euro() -> Currency {
    "EUR".parse().expect("EUR is a currency code")
}

/// The limits that were typed; what cannot be read is said on its field.
pub fn limits(reader: &mut Reader<'_>, sent: &Sent) -> Vec<Limit> {
    let mut limits: Vec<Limit> = Vec::new();
    for n in sent.lines("limits") {
        let name = |field: &str| format!("limits/{n}/{field}");
        let Some(amount) = reader.number(&name("amount")) else { continue };
        let kind = if sent.get(&name("kind")) == "quota" { LimitKind::Quota } else { LimitKind::Rate };
        let quota = kind == LimitKind::Quota;
        let period =
            period(&sent.get(&name("period"))).unwrap_or(if quota { Period::Month } else { Period::Second });
        let per = if !quota && sent.get(&name("per")) == "credential" {
            LimitPer::Credential
        } else {
            LimitPer::Subscription
        };
        let burst = sent.has(&name("burst")).then(|| reader.number(&name("burst"))).flatten();
        let typed = sent.get(&name("name"));
        let own = if typed.is_empty() { own_name(kind, period, &limits) } else { typed };
        let visible = sent.get(&name("visible")) != "no";
        let budget = if quota { budget(reader, sent, n) } else { Budget::default() };
        limits.push(Limit { name: own, kind, amount, period, burst, per, visible, budget });
    }
    limits
}

/// How a quota may be kept: enforcement and anchor in one word.
const KEPT: [(&str, &str); 5] = [
    ("shared", "shared"),
    ("exact", "exact"),
    ("exact-subscription", "exact, from the day of subscribing"),
    ("soft", "soft"),
    ("soft-subscription", "soft, from the day of subscribing"),
];

/// How the quota of a line is kept; what cannot be read is said on its field.
fn budget(reader: &mut Reader<'_>, sent: &Sent, n: usize) -> Budget {
    let name = |field: &str| format!("limits/{n}/{field}");
    let kept = sent.get(&name("kept"));
    let (enforcement, anchor) = match kept.split_once('-') {
        Some((enforcement, _)) => (enforcement, Anchor::Subscription),
        None => (kept.as_str(), Anchor::Calendar),
    };
    let enforcement = Enforcement::ALL.iter().find(|one| one.as_str() == enforcement).copied();
    let rollover = sent.has(&name("rollover")).then(|| reader.number(&name("rollover"))).flatten();
    let typed = sent.get(&name("alerts"));
    let alerts: Vec<Option<u8>> =
        typed.split([',', ' ']).filter(|word| !word.is_empty()).map(|word| word.parse().ok()).collect();
    if alerts.iter().any(Option::is_none) {
        reader.wrong(&name("alerts"), "percentages like 50, 80, 100");
    }
    let alerts = match sent.has(&name("alerts")) {
        true => alerts.into_iter().flatten().collect(),
        false => Budget::default().alerts,
    };
    Budget { enforcement: enforcement.unwrap_or_default(), anchor, rollover: rollover.unwrap_or(0), alerts }
}

fn kept(budget: &Budget) -> String {
    let enforcement = budget.enforcement.as_str();
    match budget.anchor {
        Anchor::Calendar => enforcement.to_owned(),
        Anchor::Subscription => format!("{enforcement}-subscription"),
    }
}

fn own_name(kind: LimitKind, period: Period, taken: &[Limit]) -> String {
    let base = match kind {
        LimitKind::Quota => "quota".to_owned(),
        LimitKind::Rate => format!("per-{}", period.as_str()),
    };
    let free = |name: &String| !taken.iter().any(|limit| limit.name == *name);
    let numbered = (2..).map(|n| format!("{base}-{n}"));
    std::iter::once(base.clone()).chain(numbered).find(free).unwrap_or(base)
}

fn period(word: &str) -> Option<Period> {
    [Period::Second, Period::Minute, Period::Hour, Period::Day, Period::Month]
        .into_iter()
        .find(|one| one.as_str() == word)
}

/// The price that was typed; what cannot be read is said on its field.
pub fn price(reader: &mut Reader<'_>, sent: &Sent) -> Option<Price> {
    let code = sent.get("currency").to_uppercase();
    let currency = if code.is_empty() { Ok(euro()) } else { code.parse::<Currency>() };
    let Ok(currency) = currency else {
        reader.wrong("currency", "three letters, like EUR (ISO 4217)");
        return None;
    };
    let Some(minor) = minor(&sent.get("price"), currency) else {
        let digits = currency.minor_digits();
        reader.wrong("price", &format!("a number with at most {digits} digits behind the point, like 29"));
        return None;
    };
    Some(Price { minor, currency, per: Period::Month })
}

/// Minor units of what was typed: 29, 29.5 and 29.50 are 2900, 2950 and 2950 cents; who reads German may write 29,50.
/// Never by way of a float.
pub fn minor(text: &str, currency: Currency) -> Option<u64> {
    let text = text.trim();
    let digits = currency.minor_digits() as usize;
    let comma = (language() == Language::German).then(|| text.split_once(',')).flatten();
    let (whole, part) = comma.or_else(|| text.split_once('.')).unwrap_or((text, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if part.len() > digits || !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let text = format!("{whole}{part:0<digits$}");
    if text.is_empty() { Some(0) } else { text.parse().ok() }
}

/// A price as it is typed.
#[must_use]
pub fn typed_price(price: Price) -> String {
    if price.minor == 0 {
        return String::new();
    }
    let text = price.to_string();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// Limits as fields of a form.
#[must_use]
pub fn values(limits: &[Limit]) -> Vec<(Cow<'static, str>, String)> {
    let mut values = Vec::new();
    for (n, limit) in limits.iter().enumerate() {
        let kind = if limit.kind == LimitKind::Quota { "quota" } else { "rate" };
        let per = if limit.per == LimitPer::Credential { "credential" } else { "subscription" };
        for (field, value) in [
            ("kind", kind.to_owned()),
            ("amount", limit.amount.to_string()),
            ("period", limit.period.as_str().to_owned()),
            ("per", per.to_owned()),
            ("burst", limit.burst.map(|burst| burst.to_string()).unwrap_or_default()),
            ("name", limit.name.clone()),
            ("kept", kept(&limit.budget)),
            ("rollover", limit.budget.rollover.to_string()),
            ("alerts", limit.budget.alerts.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")),
            ("visible", if limit.visible { "yes" } else { "no" }.to_owned()),
        ] {
            values.push((format!("limits/{n}/{field}").into(), value));
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(kind: LimitKind, amount: u64, period: Period) -> Limit {
        Limit {
            name: "n".into(),
            kind,
            amount,
            period,
            burst: None,
            per: LimitPer::Subscription,
            visible: true,
            budget: tollgate_domain::Budget::default(),
        }
    }

    #[test]
    fn terms_read_like_a_sentence() {
        let euros = |minor| Price { minor, currency: euro(), per: Period::Month };
        let limits =
            [limit(LimitKind::Rate, 60, Period::Minute), limit(LimitKind::Quota, 10_000, Period::Month)];
        let nothing = Beside::default();
        assert_eq!(
            sentence(&limits, euros(0), nothing),
            "60 calls a minute, 10,000 a month, free of charge."
        );
        assert_eq!(
            sentence(&limits[1..], euros(2_900), nothing),
            "10,000 calls a month, for 29.00 EUR per month."
        );
        assert_eq!(sentence(&[], euros(0), nothing), "As many calls as one likes, free of charge.");
        let tariff: Tariff = serde_json::from_value(serde_json::json!({
            "currency": "EUR", "base_minor": 0, "setup_minor": 5_000,
            "meters": [{ "meter": "calls", "price": { "scheme": "per_unit", "unit_minor": "0.2" } }]
        }))
        .expect("a tariff");
        let beside = Beside::from(&tariff);
        assert_eq!(
            sentence(&limits[1..], euros(0), beside),
            "10,000 calls a month, for what use costs and 50.00 EUR once."
        );
        assert_eq!(
            sentence(&limits[1..], euros(2_900), beside),
            "10,000 calls a month, for 29.00 EUR per month, what use costs and 50.00 EUR once."
        );
    }

    #[test]
    fn a_price_is_read_by_the_digits_of_its_currency() {
        let code = |text: &str| text.parse::<Currency>().expect("a code");
        for (text, currency, expected) in [
            ("29", "EUR", Some(2_900)),
            ("29.5", "EUR", Some(2_950)),
            ("29.505", "EUR", None),
            ("", "EUR", Some(0)),
            ("1200", "JPY", Some(1_200)),
            ("1.5", "JPY", None),
            ("-1", "EUR", None),
            ("1e3", "EUR", None),
        ] {
            assert_eq!(minor(text, code(currency)), expected, "{text} {currency}");
        }
    }

    #[test]
    fn what_is_filled_is_read_back_as_it_was() {
        let mut limits =
            vec![limit(LimitKind::Rate, 5, Period::Second), limit(LimitKind::Quota, 1_000, Period::Month)];
        limits[0].burst = Some(9);
        limits[0].visible = false;
        limits[1].name = "q".into();
        let pairs = values(&limits).into_iter().map(|(name, value)| (name.into_owned(), value)).collect();
        let sent = Sent(pairs);
        let mut reader = Reader::new(&sent);
        assert_eq!(super::limits(&mut reader, &sent), limits);
        assert!(reader.refused().is_none());
    }
}
