//! Lists as files of comma-separated values (RFC 4180).

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::List;

/// What a spreadsheet would take for a formula at the beginning of a cell.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// One line. A cell that a spreadsheet would run gets an apostrophe in front, which it hides.
fn line(cells: impl IntoIterator<Item = String>) -> String {
    let quoted: Vec<String> = cells
        .into_iter()
        .map(|cell| {
            let cell = if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell };
            if cell.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell
            }
        })
        .collect();
    quoted.join(",") + "\r\n"
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_never_breaks_its_line() {
        let cells = ["plain", "=1+1", "a,b", "say \"hi\"", "two\nlines"].map(str::to_owned);
        assert_eq!(line(cells), "plain,'=1+1,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\r\n");
    }
}
