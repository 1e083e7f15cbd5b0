//! Usage as CSV (RFC 4180), for spreadsheets.

use std::fmt::Write as _;

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use tollgate_store::{UsageLineRow, UsageRange};

use super::overview::Address;
use super::range::Range;
use crate::PortalState;
use crate::error::Answer;
use crate::session::{Visit, unkept};
use crate::show;

/// As many lines as a spreadsheet opens without complaint.
const LINES_MAX: i64 = 100_000;

/// `GET /usage.csv`: one line per step of time, operation, status and outcome.
pub async fn get(State(state): State<PortalState>, visit: Visit, Query(address): Query<Address>) -> Answer {
    let member = visit.member()?;
    let application = address.application(&state, &member).await?;
    let range = Range::named(address.range.as_deref());
    let wanted = UsageRange {
        organization: member.organization_id,
        application,
        credential: None,
        since: range.since(visit.now),
        grain: range.grain(),
    };
    let lines = state.store.usage_lines(&wanted, Some(range.step_seconds()), LINES_MAX).await?;
    let name =
        format!("attachment; filename=\"usage-{}-{}.csv\"", range.name(), visit.now.format("%Y-%m-%d"));
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok(unkept((headers, written(&lines)).into_response()))
}

fn written(lines: &[UsageLineRow]) -> String {
    let mut text = String::from("from,method,path,status,outcome,calls,charged,mean_ms\r\n");
    for line in lines {
        let mean_ms = line.duration_us as f64 / line.calls.max(1) as f64 / 1_000.0;
        let _ = write!(
            text,
            "{},{},{},{},{},{},{},{mean_ms:.3}\r\n",
            line.at.format("%Y-%m-%dT%H:%M:%SZ"),
            cell(line.method.as_deref().unwrap_or_default()),
            cell(line.path.as_deref().unwrap_or_default()),
            line.status,
            cell(show::outcome(line.outcome, line.status)),
            line.calls,
            line.charged,
        );
    }
    text
}

/// Quoted where it must be; what a spreadsheet would take for a formula begins with an apostrophe.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_neither_a_formula_nor_two_cells() {
        for (text, written) in [
            ("/countries", "/countries"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1),2", "\"'@SUM(A1),2\""),
        ] {
            assert_eq!(cell(text), written);
        }
    }
}
