//! Fields that an API's calls carry, as lines of its form.

use tollgate_control::{Error, FieldFault};
use tollgate_domain::HeaderMatch;
use tollgate_store::ApiRow;

use crate::form::Form;
use crate::parts::{Input, Reader, Sent};

/// The field's name.
pub const FIELD: &str = "match_headers";

/// The field.
#[must_use]
pub fn input(form: &Form) -> Input {
    Input::code(form, FIELD, "Headers that its calls carry", 2).hint(
        "One per line, like X-API-Version: 2. So two versions live at one address. Empty means any call.",
    )
}

/// What stands in the field of an API.
#[must_use]
pub fn written(row: &ApiRow) -> String {
    let lines = row.match_headers.iter().map(|one| format!("{}: {}", one.name, one.value));
    lines.collect::<Vec<_>>().join("\n")
}

/// What was typed; faults are left with the reader.
pub fn typed(sent: &Sent, reader: &mut Reader<'_>) -> Vec<HeaderMatch> {
    let text = sent.get(FIELD);
    let mut conditions = Vec::new();
    for (at, line) in text.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        match line.split_once(':') {
            Some((name, value)) => {
                conditions.push(HeaderMatch { name: name.trim().to_owned(), value: value.trim().to_owned() });
            }
            None => {
                reader.wrong(FIELD, &format!("line {}: a name and a value, like X-API-Version: 2", at + 1))
            }
        }
    }
    conditions
}

/// Faults of single conditions are shown at the field in which all of them stand, with their line.
#[must_use]
pub fn placed(error: Error) -> Error {
    let Error::Invalid(faults) = error else { return error };
    let placed = faults.into_iter().map(|fault| {
        let number = fault.pointer.strip_prefix("/match_headers/").and_then(|rest| rest.split('/').next());
        match number.and_then(|number| number.parse::<usize>().ok()) {
            Some(at) => FieldFault::new(format!("/{FIELD}"), format!("line {}: {}", at + 1, fault.message)),
            None => fault,
        }
    });
    Error::Invalid(placed.collect())
}
