//! How an API's calls are metered, in a form: statuses in a line, an operation or a number per line.

use std::borrow::Cow;

use tollgate_domain::{Metering, OperationCost, Reading};

use crate::form::Form;
use crate::parts::{Fieldset, Input, Reader, Sent};

const CHARGED: &str =
    "Statuses of the service's answers, like 2xx 404. Empty means all below 500; a 5xx is never charged.";
const COSTS: &str =
    "An operation per line with its units, like POST /reports 5. All others cost one; 0 is free of quota.";
const READINGS: &str = "A number per line, two at most: a name for the meter and where answers carry it, like tokens /usage/total_tokens, or rows header x-rows.";

/// Its fields.
pub fn fieldset(form: &Form) -> Fieldset {
    Fieldset::new(
        "Metering",
        vec![
            Input::line(form, "charged", "Charged answers").hint(CHARGED),
            Input::code(form, "costs", "Operations of another cost", 3).hint(COSTS),
            Input::code(form, "readings", "Numbers read from answers", 2).hint(READINGS),
        ],
    )
    .about("What counts against quotas, and what plans can put a price on. A change holds for calls from then on.")
}

/// What was typed; what cannot be read is said on its field.
pub fn typed(reader: &mut Reader<'_>, sent: &Sent) -> Metering {
    let mut lines = |name: &str, hint: &str, texts: Vec<String>, read: &mut dyn FnMut(&str) -> Option<()>| {
        for text in texts {
            if read(&text).is_none() {
                reader.wrong(name, &format!("\u{201c}{text}\u{201d} cannot be read. {hint}"));
            }
        }
    };
    let mut metering = Metering::default();
    let words =
        sent.get("charged").split([',', ' ']).map(str::to_owned).filter(|word| !word.is_empty()).collect();
    lines("charged", CHARGED, words, &mut |word| word.parse().ok().map(|one| metering.charged.push(one)));
    let rows = |name: &str| -> Vec<String> {
        sent.get(name).lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    };
    lines("costs", COSTS, rows("costs"), &mut |line| cost(line).map(|one| metering.costs.push(one)));
    lines("readings", READINGS, rows("readings"), &mut |line| {
        reading(line).map(|one| metering.readings.push(one))
    });
    if let Err(fault) = metering.check() {
        let field = fault.pointer.split('/').nth(1).unwrap_or("charged").to_owned();
        reader.wrong(&field, fault.message);
    }
    metering
}

fn cost(line: &str) -> Option<OperationCost> {
    let mut words = line.split_whitespace();
    let (method, path, units) = (words.next()?, words.next()?, words.next()?.parse().ok()?);
    words.next().is_none().then(|| OperationCost {
        method: method.to_uppercase(),
        path: path.to_owned(),
        units,
    })
}

fn reading(line: &str) -> Option<Reading> {
    let (meter, place) = line.split_once(char::is_whitespace)?;
    let (meter, place) = (meter.parse().ok()?, place.trim());
    Some(match place.strip_prefix("header ") {
        Some(header) => Reading { meter, json: None, header: Some(header.trim().to_lowercase()) },
        None => Reading { meter, json: Some(place.to_owned()), header: None },
    })
}

/// As fields of a form.
pub fn values(metering: &Metering) -> [(Cow<'static, str>, String); 3] {
    let lines = |lines: Vec<String>| lines.join("\n");
    let charged: Vec<String> = metering.charged.iter().map(ToString::to_string).collect();
    let costs = metering.costs.iter().map(|one| format!("{} {} {}", one.method, one.path, one.units));
    let readings = metering.readings.iter().map(|one| match (&one.json, &one.header) {
        (_, Some(header)) => format!("{} header {header}", one.meter.as_str()),
        (json, None) => format!("{} {}", one.meter.as_str(), json.as_deref().unwrap_or_default()),
    });
    [
        ("charged".into(), charged.join(" ")),
        ("costs".into(), lines(costs.collect())),
        ("readings".into(), lines(readings.collect())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(fields: [(&str, &str); 3]) -> Sent {
        Sent(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
    }

    #[test]
    fn what_a_form_shows_is_read_back_as_it_was() {
        let typed_in = sent([
            ("charged", "2xx, 404"),
            ("costs", "post /reports 5\nGET /things/{id} 0"),
            ("readings", "tokens /usage/total_tokens\nrows header X-Rows"),
        ]);
        let mut reader = Reader::new(&typed_in);
        let metering = typed(&mut reader, &typed_in);
        assert!(reader.refused().is_none());
        let shown = values(&metering);
        assert_eq!(shown[1].1, "POST /reports 5\nGET /things/{id} 0");
        let again = Sent(shown.map(|(name, value)| (name.into_owned(), value)).to_vec());
        assert_eq!(typed(&mut Reader::new(&again), &again), metering);
    }

    #[test]
    fn what_cannot_be_read_is_said_on_its_field() {
        let typed_in = sent([("charged", "5xx"), ("costs", "POST /reports"), ("readings", "tokens")]);
        let mut reader = Reader::new(&typed_in);
        typed(&mut reader, &typed_in);
        let refused = reader.refused().expect("three fields");
        assert!(["charged", "costs", "readings"].iter().all(|name| refused.error(name).is_some()));
    }
}
