//! Lists as files of comma-separated values (RFC 4180).

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tollgate_web::csv::line;

use super::List;

/// The whole list as a file to keep.
#[must_use]
pub fn text(list: &List) -> String {
    let shown: Vec<usize> = (0..list.columns.len()).filter(|index| !list.columns[*index].acts).collect();
    let mut out = line(shown.iter().map(|index| list.columns[*index].title.clone()));
    for row in &list.rows {
        out += &line(shown.iter().map(|index| row.get(*index).map(super::Cell::plain).unwrap_or_default()));
    }
    out
}

/// The answer to `?format=csv`.
#[must_use]
pub fn answer(list: &List, name: &str) -> Response {
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let mut response = (headers, text(list)).into_response();
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
