//! The list of single calls, with filters.

use askama::Template;
use axum::extract::{Query, State};
use chrono::DateTime;
use serde::Deserialize;
use tollgate_domain::ApplicationId;
use tollgate_store::{Page, RequestCursor, RequestFilter, RequestRow};

use crate::error::{Answer, Fault, query_value};
use crate::say::t;
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::show::{self, Label, Moment};
use crate::{PortalState, filters};

const ROWS: i64 = 25;
/// Status classes to choose from, and the keys of how they read.
const CLASSES: &[(&str, &str)] =
    &[("", "requests-any"), ("2", "requests-class-2"), ("4", "requests-class-4"), ("5", "requests-class-5")];

/// A call.
pub struct Row {
    pub href: String,
    pub at: Moment,
    pub method: String,
    pub path: String,
    pub status: Label,
    pub why: String,
    pub took: String,
}

/// An application to choose.
pub struct Choice {
    pub id: String,
    pub name: String,
    pub chosen: bool,
}

#[derive(Template)]
#[template(path = "requests/list.html")]
pub struct View {
    pub shell: Shell,
    pub rows: Vec<Row>,
    pub applications: Vec<Choice>,
    pub classes: &'static [(&'static str, &'static str)],
    pub class: String,
    pub path: String,
    pub filtered: bool,
    pub next_href: Option<String>,
}

/// What the page's address carries.
#[derive(Debug, Default, Deserialize)]
pub struct Address {
    #[serde(default)]
    application: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    id: String,
    /// Where the page before ended: microseconds and row.
    #[serde(default)]
    after: String,
}

/// `GET /requests`
pub async fn get(State(state): State<PortalState>, visit: Visit, Query(address): Query<Address>) -> Answer {
    let member = visit.member()?;
    let id = address.id.trim();
    if !id.is_empty() {
        return visit.go(&format!("/requests/{}", query_value(id)), None).await;
    }
    let application: Option<ApplicationId> = match address.application.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| Fault::not_found())?),
    };
    if let Some(id) = application {
        state.store.get_application(member.scope, id).await?;
    }
    let prefix = address.path.trim();
    let filter = RequestFilter {
        application,
        status_class: address.status.parse().ok().filter(|class| (1..=5).contains(class)),
        path_prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
        ..RequestFilter::default()
    };
    let rows = state.store.list_requests(member.scope, &filter, cursor(&address.after), ROWS).await?;
    let applications = state.store.list_applications(member.scope, Page::FIRST_500).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|found| found == ROWS);
    let next_href = rows.last().filter(|_| full).map(|row| address.next(row));
    visit.page(&View {
        shell: visit.shell(Area::Developer, t("around-requests")).await?,
        applications: applications
            .into_iter()
            .map(|row| Choice { chosen: Some(row.id) == application, id: row.id.to_string(), name: row.name })
            .collect(),
        classes: CLASSES,
        filtered: application.is_some() || filter.status_class.is_some() || !prefix.is_empty(),
        class: address.status.clone(),
        path: prefix.to_owned(),
        rows: rows.iter().map(|row| Row::of(row, &visit)).collect(),
        next_href,
    })
}

fn cursor(text: &str) -> Option<RequestCursor> {
    let (at, id) = text.split_once('.')?;
    Some(RequestCursor { at: DateTime::from_timestamp_micros(at.parse().ok()?)?, id: id.parse().ok()? })
}

impl Address {
    fn next(&self, last: &RequestRow) -> String {
        let cursor = last.cursor();
        format!(
            "/requests?application={}&status={}&path={}&after={}.{}",
            query_value(&self.application),
            query_value(&self.status),
            query_value(self.path.trim()),
            cursor.at.timestamp_micros(),
            cursor.id
        )
    }
}

impl Row {
    fn of(row: &RequestRow, visit: &Visit) -> Self {
        Self {
            href: format!("/requests/{}", query_value(&row.request_id)),
            at: Moment::of(row.at, visit.now),
            method: row.method.clone().unwrap_or_else(|| "–".into()),
            path: row.path.clone().unwrap_or_else(|| t("requests-unreadable").into()),
            status: Label::status(u16::try_from(row.status).unwrap_or(0)),
            why: row.code.as_deref().map_or_else(String::new, |code| code.replace('_', " ")),
            took: show::duration(row.duration_us),
        }
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let row = |status: u16, why: &str, path: &str| Row {
            href: "/requests/01936f0e-7a1c-7b52-9f0e-2c1d3b4a5e6f".into(),
            at: crate::pages::sample_time(-70),
            method: "GET".into(),
            path: path.into(),
            status: Label::status(status),
            why: why.into(),
            took: "4.2 ms".into(),
        };
        let view = |rows: Vec<Row>, filtered| Self {
            shell: Shell::sample(Area::Developer, "Requests", "/requests"),
            applications: vec![Choice {
                id: "app_01h455vb4pex5vsknk084sn02q".into(),
                name: "My first app".into(),
                chosen: filtered,
            }],
            classes: CLASSES,
            class: if filtered { "4".into() } else { String::new() },
            path: String::new(),
            filtered,
            next_href: (!rows.is_empty()).then(|| "/requests?after=1.2".into()),
            rows,
        };
        vec![
            view(
                vec![
                    row(200, "", "/countries/v1/countries"),
                    row(429, "rate limited", "/countries/v1/countries"),
                    row(404, "", "/countries/v1/countries/XX/with/a/long/way/to/go/beyond/any/phone"),
                ],
                false,
            ),
            view(vec![], true),
            view(vec![], false),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let row = super::super::why::sample(429, Some("rate_limited"), None);
        let href = Address::default().next(&row);
        assert_eq!(cursor(href.rsplit('=').next().unwrap_or_default()), Some(row.cursor()));
        for bad in ["", ".", "x.1", "1", "1.x", "99999999999999999999.1"] {
            assert_eq!(cursor(bad), None, "{bad}");
        }
    }
}
