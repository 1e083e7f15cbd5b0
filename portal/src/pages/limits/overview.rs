//! Limits of every subscription: quotas with what is left, rates with what they mean.

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, Utc};
use tollgate_control::{CreditsLeft, LimitStanding, SpendStanding};
use tollgate_domain::{CapLanding, Enforcement, Limit, LimitKind, Period, SubscriptionState};
use tollgate_store::{Page, PlanRow, SubscriptionRow};

use crate::error::{Answer, Fault};
use crate::pages::applications::Names;
use crate::say::{language, say, t};
use crate::session::{Member, Visit};
use crate::shell::{Area, Shell};
use crate::show::{self, Moment};
use crate::{PortalState, filters};

/// A quota and what is used of it.
pub struct Quota {
    pub title: String,
    pub resets: Moment,
    pub note: Option<String>,
    pub soft: bool,
    pub used: String,
    pub amount: String,
    pub left: String,
    pub percent: String,
    pub tone: &'static str,
    pub over: bool,
}

/// A subscription with its limits.
pub struct Limited {
    pub product: String,
    pub product_href: String,
    pub application: String,
    pub application_href: String,
    pub plan: String,
    pub quotas: Vec<Quota>,
    pub cap: Option<Money>,
    pub credits: Option<Money>,
    pub rates: Vec<String>,
}

impl Limited {
    /// Whether nothing limits it that its owner sees.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.quotas.is_empty() && self.cap.is_none() && self.credits.is_none() && self.rates.is_empty()
    }
}

/// How much is used of something.
pub struct Meter {
    pub percent: String,
    pub tone: &'static str,
}

/// A spend cap or credits, and what is left of them.
pub struct Money {
    pub title: String,
    pub left: String,
    /// How much of a cap is spent.
    pub meter: Option<Meter>,
    /// What became of calls, where nothing is left.
    pub over: Option<(String, String)>,
    pub href: String,
    pub link: &'static str,
}

#[derive(Template)]
#[template(path = "limits/limits.html")]
pub struct View {
    pub shell: Shell,
    pub zone: String,
    pub rows: Vec<Limited>,
}

/// `GET /limits`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let member = visit.member()?;
    visit.page(&View {
        shell: visit.shell(Area::Developer, t("around-limits")).await?,
        zone: state.control.time_zone(&member.actor, member.organization_id).await?.to_string(),
        rows: rows(&state, &member, visit.now).await?,
    })
}

async fn rows(state: &PortalState, member: &Member, now: DateTime<Utc>) -> Result<Vec<Limited>, Fault> {
    let store = &state.store;
    let applications = store.list_applications(member.scope, Page::FIRST_500).await?;
    let names = Names::read(state).await?;
    let mut rows = Vec::new();
    for one in store.list_subscriptions(member.scope, None, Page::FIRST_500).await? {
        let application = applications.iter().find(|row| row.id == one.application_id);
        let Some(application) = application.filter(|_| one.state == SubscriptionState::Active) else {
            continue;
        };
        let plan = store.get_plan(one.plan_id).await?;
        let standing = state.control.limits_of(&member.actor, one.id).await?;
        let funds = state.control.funds_of(&member.actor, one.id, now).await?;
        let of = (application.name.clone(), application.id.to_string());
        rows.push(Limited {
            cap: funds.cap.as_ref().map(|cap| Money {
                href: format!("/subscriptions/{}/cap", one.id),
                ..Money::of_standing(cap)
            }),
            credits: funds.credits.map(Money::of_credits),
            ..limited(&names, &one, &plan, &standing, of)
        });
    }
    Ok(rows)
}

fn limited(
    names: &Names,
    one: &SubscriptionRow,
    plan: &PlanRow,
    standing: &[LimitStanding],
    (application, application_id): (String, String),
) -> Limited {
    let rates = standing.iter().filter(|one| one.limit.kind == LimitKind::Rate && one.limit.visible);
    Limited {
        product: names.product(one).to_owned(),
        product_href: names.product_href(one),
        application,
        application_href: format!("/applications/{application_id}"),
        plan: plan.name.clone(),
        quotas: standing.iter().filter_map(Quota::of_standing).collect(),
        cap: None,
        credits: None,
        rates: rates.map(|one| show::limit(&one.limit)).collect(),
    }
}

impl Money {
    fn of_standing(cap: &SpendStanding) -> Self {
        let ends = show::day(cap.ends);
        let over = match (cap.is_reached(), cap.landing, &cap.free_plan) {
            (false, ..) | (_, CapLanding::Notify, _) => None,
            (_, CapLanding::Throttle, Some(free)) => Some((
                t("limits-cap-reached").to_owned(),
                say("limits-cap-throttled").with("plan", free).with("at", &ends).into(),
            )),
            _ => {
                Some((t("limits-cap-reached").to_owned(), say("limits-cap-blocked").with("at", &ends).into()))
            }
        };
        let left = match (cap.landing, cap.calls_left) {
            (CapLanding::Notify, _) => t("limits-cap-goes-on").to_owned(),
            (_, Some(calls)) if calls < Limit::AMOUNT_MAX => say("limits-cap-left")
                .with("calls", show::number(calls.cast_signed()))
                .with("at", &ends)
                .into(),
            _ => say("limits-cap-anew").with("at", &ends).into(),
        };
        let percent = if cap.is_reached() { 100 } else { cap.percent().min(100) };
        Self {
            title: say("limits-cap-spent").sum("spent", cap.spent).sum("cap", cap.cap).into(),
            left,
            meter: Some(Meter {
                percent: percent.to_string(),
                tone: match percent {
                    100 => "bad",
                    80.. => "warn",
                    _ => "",
                },
            }),
            over,
            href: String::new(),
            link: t("limits-cap-change"),
        }
    }

    fn of_credits(left: CreditsLeft) -> Self {
        let none = left.calls_left == 0;
        Self {
            title: say("limits-credits").sum("sum", left.balance).into(),
            left: match left.calls_left {
                0 => t("limits-credits-none").to_owned(),
                Limit::AMOUNT_MAX.. => t("limits-credits-free").to_owned(),
                calls => say("limits-credits-calls").with("calls", show::number(calls.cast_signed())).into(),
            },
            meter: None,
            over: none
                .then(|| (t("limits-credits-over").to_owned(), t("limits-credits-over-text").to_owned())),
            href: "/billing/credits".to_owned(),
            link: t("limits-credits-see"),
        }
    }
}

impl Quota {
    fn of_standing(one: &LimitStanding) -> Option<Self> {
        let period = one.period?;
        let soft = one.limit.budget.enforcement == Enforcement::Soft;
        let title = if one.limit.period == Period::Day { t("limits-today") } else { t("limits-month") };
        let mut notes = Vec::new();
        if let Some(own) = &one.own {
            let plan = show::number(i64::try_from(one.of_plan).unwrap_or(i64::MAX));
            let yours = match own.expires_at {
                Some(at) => {
                    say("limits-yours-until").with("day", tollgate_language::day_of_year(language(), &at))
                }
                None => say("limits-yours"),
            };
            notes.push(yours.with("plan", plan).to_string());
        }
        if period.carried > 0 {
            let carried = show::number(i64::try_from(period.carried).unwrap_or(i64::MAX));
            notes.push(say("limits-carried").with("carried", carried).into());
        }
        if soft {
            notes.push(t("limits-soft").to_owned());
        }
        let note = (!notes.is_empty()).then(|| notes.join(" "));
        Some(Self {
            soft,
            note,
            ..Self::of(title, period.used, one.amount(), Moment::day(period.window.ends))
        })
    }

    fn of(title: &str, used: u64, amount: u64, resets: Moment) -> Self {
        let percent = (used.min(amount) as f64) * 100.0 / amount.max(1) as f64;
        let shown = |calls: u64| show::number(i64::try_from(calls).unwrap_or(i64::MAX));
        Self {
            title: title.to_owned(),
            resets,
            note: None,
            soft: false,
            used: shown(used),
            amount: shown(amount),
            left: shown(amount.saturating_sub(used)),
            percent: format!("{percent:.1}"),
            tone: match percent {
                100.0.. => "bad",
                80.0.. => "warn",
                _ => "",
            },
            over: used >= amount,
        }
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        use tollgate_domain::Amount;

        let resets = || Moment::day("2026-12-01T00:00:00Z".parse().expect("an instant"));
        let row = |product: &str, used: u64| Limited {
            product: product.into(),
            product_href: "/products/countries".into(),
            application: "My first app".into(),
            application_href: "/applications/app_01h455vb4pex5vsknk084sn02q".into(),
            plan: "Free".into(),
            quotas: vec![
                Quota {
                    note: Some("5,000 were left over from the period before.".into()),
                    ..Quota::of("this month", used, 25_000, resets())
                },
                Quota::of("today", used / 20, 1_000, resets()),
            ],
            cap: None,
            credits: None,
            rates: vec!["10 requests per second".into()],
        };
        let cap = |spent: u64| {
            let standing = SpendStanding {
                spent: "EUR".parse().map(|currency| Amount { minor: spent, currency }).expect("a code"),
                cap: "EUR".parse().map(|currency| Amount { minor: 5_000, currency }).expect("a code"),
                landing: CapLanding::Block,
                calls_left: Some((5_000 - spent) * 5),
                ends: "2026-12-01T00:00:00Z".parse().expect("an instant"),
                free_plan: None,
                is_estimated: false,
            };
            let id = "sub_01h455vb4pex5vsknk084sn02q";
            Some(Money { href: format!("/subscriptions/{id}/cap"), ..Money::of_standing(&standing) })
        };
        let credits = |calls_left| {
            let currency = "EUR".parse().expect("a code");
            Some(Money::of_credits(CreditsLeft { balance: Amount { minor: 1_250, currency }, calls_left }))
        };
        let view = |rows| Self {
            shell: Shell::sample(Area::Developer, "Limits", "/limits"),
            zone: "Europe/Berlin".into(),
            rows,
        };
        vec![
            view(vec![
                Limited { cap: cap(3_120), ..row("Countries", 8_204) },
                Limited { cap: cap(5_000), ..row("Exchange rates", 21_900) },
                Limited { credits: credits(6_250), quotas: vec![], ..row("Holidays", 0) },
                Limited { credits: credits(0), quotas: vec![], ..row("Subdivisions", 0) },
                row("Timezones", 25_000),
                Limited { quotas: vec![], rates: vec![], ..row("Currencies", 0) },
            ]),
            view(vec![]),
        ]
    }
}
