//! Limits of every subscription: quotas with what is left, rates with what they mean.

use askama::Template;
use axum::extract::State;
use tollgate_domain::{CalendarMonth, LimitKind, SubscriptionState};
use tollgate_store::{Page, PlanRow, SubscriptionRow};

use crate::error::{Answer, Fault};
use crate::pages::applications::Names;
use crate::session::{Member, Visit};
use crate::shell::{Area, Shell};
use crate::show::{self, Moment};
use crate::{PortalState, filters};

/// A quota and what is used of it.
pub struct Quota {
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
    pub quota: Option<Quota>,
    pub rates: Vec<String>,
}

#[derive(Template)]
#[template(path = "limits/limits.html")]
pub struct View {
    pub shell: Shell,
    pub resets: Moment,
    pub rows: Vec<Limited>,
}

/// `GET /limits`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let member = visit.member()?;
    let month = CalendarMonth::of(visit.now);
    visit.page(&View {
        shell: visit.shell(Area::Developer, "Limits").await?,
        resets: Moment::day(month.end()),
        rows: rows(&state, &member, month).await?,
    })
}

async fn rows(state: &PortalState, member: &Member, month: CalendarMonth) -> Result<Vec<Limited>, Fault> {
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
        let used = store.quota_used(one.id, month).await?;
        rows.push(limited(&names, &one, &plan, used, (application.name.clone(), application.id.to_string())));
    }
    Ok(rows)
}

fn limited(
    names: &Names,
    one: &SubscriptionRow,
    plan: &PlanRow,
    used: u64,
    (application, application_id): (String, String),
) -> Limited {
    let quota = plan.limits.iter().find(|limit| limit.kind == LimitKind::Quota);
    let rates = plan.limits.iter().filter(|limit| limit.kind == LimitKind::Rate && limit.visible);
    Limited {
        product: names.product(one).to_owned(),
        product_href: names.product_href(one),
        application,
        application_href: format!("/applications/{application_id}"),
        plan: plan.name.clone(),
        quota: quota.map(|limit| Quota::of(used, limit.amount)),
        rates: rates.map(show::limit).collect(),
    }
}

impl Quota {
    fn of(used: u64, amount: u64) -> Self {
        let percent = (used.min(amount) as f64) * 100.0 / amount.max(1) as f64;
        let shown = |calls: u64| show::number(i64::try_from(calls).unwrap_or(i64::MAX));
        Self {
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
        let row = |product: &str, used| Limited {
            product: product.into(),
            product_href: "/products/countries".into(),
            application: "My first app".into(),
            application_href: "/applications/app_01h455vb4pex5vsknk084sn02q".into(),
            plan: "Free".into(),
            quota: Some(Quota::of(used, 25_000)),
            rates: vec!["10 requests per second".into()],
        };
        let view = |rows| Self {
            shell: Shell::sample(Area::Developer, "Limits", "/limits"),
            resets: Moment::day("2026-12-01T00:00:00Z".parse().expect("an instant")),
            rows,
        };
        vec![
            view(vec![row("Countries", 8_204), row("Exchange rates", 21_900), row("Timezones", 25_000)]),
            view(vec![]),
        ]
    }
}
