//! The audit log: who did what, when, to what.

use axum::extract::State;
use chrono::TimeDelta;
use tollgate_domain::Scope;
use tollgate_store::browse::AuditFilter;

use super::desk::{Desk, sheet};
use super::timeline;
use crate::PortalState;
use crate::error::Answer;
use crate::parts::{Asked, List};
use crate::session::Visit;

/// What a page's log can be narrowed to: what is sent and what is read.
const SUBJECTS: [(&str, &str); 10] = [
    ("service", "Services"),
    ("api", "APIs"),
    ("product", "Products"),
    ("plan", "Plans"),
    ("organization", "Organizations"),
    ("user", "People"),
    ("application", "Applications"),
    ("subscription", "Subscriptions"),
    ("key", "Keys"),
    ("token", "Tokens"),
];
const ACTORS: [(&str, &str); 5] = [
    ("operator", "Operators"),
    ("member", "Developers"),
    ("token", "Service tokens"),
    ("visitor", "Visitors"),
    ("system", "Tollgate itself"),
];

/// `GET /admin/audit`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of(&visit)?;
    let cut = asked.cut(&["-at"]);
    let some = |name: &str| Some(asked.get(name)).filter(|value| !value.is_empty());
    let since = match asked.get("since") {
        "day" => Some(TimeDelta::days(1)),
        "week" => Some(TimeDelta::days(7)),
        "month" => Some(TimeDelta::days(30)),
        _ => None,
    };
    let actor = match some("by") {
        Some(email) => {
            Some(state.store.find_user_by_email(email).await?.map_or(uuid::Uuid::nil(), |row| row.id.uuid()))
        }
        None => None,
    };
    let filter = AuditFilter {
        subject_kind: some("thing"),
        actor_kind: some("who"),
        request_id: some("q"),
        since: since.map(|span| visit.now - span),
        actor,
        ..AuditFilter::default()
    };
    let found = state.store.browse_audit(desk.scope, filter, &cut).await?;
    let list = List::new("audit", "All changes")
        .searched(&asked, "request id")
        .filtered(&asked, "thing", "Thing", "Anything", SUBJECTS)
        .filtered(&asked, "who", "By", "Anybody", ACTORS)
        .filtered(
            &asked,
            "since",
            "Since",
            "Any time",
            [("day", "24 hours"), ("week", "7 days"), ("month", "30 days")],
        )
        .keeping(&asked, "by")
        .narrowed(&asked, "by")
        .column("What")
        .column("To")
        .column("By")
        .sortable("When", &asked, "at", &cut)
        .or_empty(
            "book-open",
            "Nothing was changed yet",
            "Every change is noted here, in the transaction that makes it.",
        )
        .found(&asked, found, |line| timeline::row(&line, &visit));
    sheet(&visit, "Audit log")
        .await?
        .intro("Every change with who made it. Entries are only ever added.")
        .part(list)
        .answer(&visit, &asked)
}

/// `GET /admin/audit/{sequence}`
pub async fn show(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    axum::extract::Path(sequence): axum::extract::Path<i64>,
) -> Answer {
    use crate::parts::sheet::fact;
    use crate::parts::{Cell, Section};
    use crate::show::Moment;

    Desk::of(&visit)?;
    let line = state.store.get_audit_line(Scope::Operator, sequence).await?;
    let organization = line.organization_id.map(tollgate_domain::OrganizationId::from);
    let facts = vec![
        fact("To", timeline::subject(&line)),
        fact("By", Cell::Text(timeline::actor(&line))),
        fact("When", Cell::When(Moment::of(line.at, visit.now))),
        fact("Action", Cell::Code(line.action.clone())),
        fact(
            "Request",
            match &line.request_id {
                Some(id) => Cell::Way {
                    href: format!("/admin/audit?q={}", crate::error::query_value(id)),
                    text: id.clone(),
                },
                None => Cell::Nothing("none"),
            },
        ),
        fact(
            "Organization",
            match organization {
                Some(id) => Cell::Way { href: format!("/admin/organizations/{id}"), text: id.to_string() },
                None => Cell::Nothing("the platform's own"),
            },
        ),
    ];
    let told = timeline::told(&line.action);
    let title = format!("{} {told}", timeline::actor(&line));
    sheet(&visit, title)
        .await?
        .below("/admin/audit", "Audit log")
        .part(Section::Facts(String::new(), facts))
        .part(Section::Changes("What changed".into(), timeline::changes(&line.details)))
        .answer(&visit, &asked)
}
