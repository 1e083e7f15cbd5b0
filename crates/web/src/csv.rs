//! Lines of files of comma-separated values (RFC 4180).

/// What a spreadsheet would take for a formula at the beginning of a cell.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// One line with its end. A cell that a spreadsheet would run gets an apostrophe in front, which it hides.
#[must_use]
pub fn line(cells: impl IntoIterator<Item = String>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_never_breaks_its_line() {
        let cells = ["plain", "=1+1", "a,b", "say \"hi\"", "two\nlines"].map(str::to_owned);
        assert_eq!(line(cells), "plain,'=1+1,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\r\n");
    }
}
