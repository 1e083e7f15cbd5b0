//! How large the bodies of an API's requests may be, as fields of its form: an amount for all, and lines for some.

use tollgate_control::{Error, FieldFault};
use tollgate_domain::{BodyLimits, OperationBody};

use crate::form::Form;
use crate::parts::{Fieldset, Input, Reader, Sent};

const ALL: &str = "body_limits/body_bytes_max";
const SOME: &str = "body_limits/operations";

/// The fields.
#[must_use]
pub fn fieldset(form: &Form) -> Fieldset {
    let inputs = vec![
        Input::line(form, ALL, "Largest body")
            .hint("In bytes. Left empty, the gateway's setting holds: 10 MiB at first."),
        Input::code(form, SOME, "Operations that take more or less", 3)
            .hint("One per line: method, path and bytes, like POST /images 52428800. 0 takes no body."),
    ];
    Fieldset::new("Request bodies", inputs).about("What is larger is refused with 413, body_too_large.")
}

/// What stands in the fields of an API that says this.
#[must_use]
pub fn filled(limits: &BodyLimits) -> [(&'static str, String); 2] {
    let line = |one: &OperationBody| format!("{} {} {}", one.method, one.path, one.body_bytes_max);
    [
        (ALL, limits.body_bytes_max.map(|bytes| bytes.to_string()).unwrap_or_default()),
        (SOME, limits.operations.iter().map(line).collect::<Vec<_>>().join("\n")),
    ]
}

/// For those who may only look.
#[must_use]
pub fn shown(limits: &BodyLimits) -> String {
    let [(_, all), (_, some)] = filled(limits);
    let all = if all.is_empty() { "as the gateway says".to_owned() } else { format!("{all} bytes") };
    if some.is_empty() { all } else { format!("{all}; {}", some.replace('\n', "; ")) }
}

/// What was typed; faults are left with the reader.
pub fn typed(sent: &Sent, reader: &mut Reader<'_>) -> BodyLimits {
    let body_bytes_max = if sent.get(ALL).is_empty() { None } else { reader.number(ALL) };
    let mut operations = Vec::new();
    for (at, line) in lines(&sent.get(SOME)).enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let read = match words[..] {
            [method, path, bytes] => bytes.parse().ok().map(|body_bytes_max| OperationBody {
                method: method.to_ascii_uppercase(),
                path: path.to_owned(),
                body_bytes_max,
            }),
            _ => None,
        };
        match read {
            Some(operation) => operations.push(operation),
            None => reader.wrong(
                SOME,
                &format!(
                    "line {}: a method, a path and a whole number of bytes, like POST /images 52428800",
                    at + 1
                ),
            ),
        }
    }
    BodyLimits { body_bytes_max, operations }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Faults of single operations are shown at the field in which all of them stand, with their line.
#[must_use]
pub fn placed(error: Error) -> Error {
    let Error::Invalid(faults) = error else { return error };
    let placed = faults.into_iter().map(|fault| {
        let rest = fault.pointer.strip_prefix("/body_limits/operations/").map(|rest| rest.split('/').next());
        match rest.flatten().and_then(|number| number.parse::<usize>().ok()) {
            Some(at) => {
                // What says where it is says it twice here.
                let place = format!("body_limits/operations/{at}: ");
                let reason = fault.message.rsplit_once(&place).map_or(&*fault.message, |(_, reason)| reason);
                FieldFault::new(format!("/{SOME}"), format!("line {}: {reason}", at + 1))
            }
            None => fault,
        }
    });
    Error::Invalid(placed.collect())
}
