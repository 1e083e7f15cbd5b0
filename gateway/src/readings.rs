//! The numbers that a call's answer carries, picked up while the answer passes. A call of an API that reads none has
//! nothing of this.

use tollgate_domain::Metering;
use tollgate_engine::reading::{Events, Place, Scanner, number};

/// What is read of one answer.
#[derive(Debug)]
pub(crate) struct Readings {
    of_head: [Option<u64>; Metering::READINGS_MAX],
    body: Option<(Scanner, Option<Events>)>,
}

impl Readings {
    /// Reads the head of an answer; `fields` are its fields.
    pub(crate) fn of_head<'f>(places: &[Place], fields: impl Iterator<Item = (&'f [u8], &'f [u8])>) -> Self {
        let mut of_head = [None; Metering::READINGS_MAX];
        let (mut is_stream, mut is_coded) = (false, false);
        for (name, value) in fields {
            for (found, place) in of_head.iter_mut().zip(places) {
                if matches!(place, Place::Header(wanted) if name.eq_ignore_ascii_case(wanted)) {
                    *found = number(value);
                }
            }
            if name.eq_ignore_ascii_case(b"content-type") {
                is_stream =
                    value.get(..17).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/event-stream"));
            }
            is_coded |=
                name.eq_ignore_ascii_case(b"content-encoding") && !value.eq_ignore_ascii_case(b"identity");
        }
        // What is compressed, although nobody asked for it, is not read.
        let scanner = if is_coded { None } else { Scanner::new(places) };
        Self { of_head, body: scanner.map(|scanner| (scanner, is_stream.then(Events::new))) }
    }

    /// Reads the next piece of the body.
    pub(crate) fn read(&mut self, piece: &[u8]) {
        match &mut self.body {
            Some((scanner, Some(events))) => events.read(piece, scanner),
            Some((scanner, None)) => scanner.read(piece),
            None => {}
        }
    }

    /// The numbers, where the answer had them.
    pub(crate) fn numbers(&mut self) -> [Option<u64>; Metering::READINGS_MAX] {
        let of_body = self.body.as_mut().map(|(scanner, _)| {
            scanner.end();
            scanner.found()
        });
        let of_body = of_body.unwrap_or_default();
        std::array::from_fn(|at| self.of_head[at].or(of_body[at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(places: &[Place], head: &[(&str, &str)], body: &str) -> [Option<u64>; 2] {
        let fields = head.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let mut readings = Readings::of_head(places, fields);
        body.as_bytes().chunks(3).for_each(|piece| readings.read(piece));
        readings.numbers()
    }

    #[test]
    fn numbers_come_from_head_and_body() {
        let places = [Place::Header(Box::from(&b"x-rows"[..])), Place::of_pointer("/n")];
        assert_eq!(read(&places, &[("X-Rows", "12")], r#"{"n":3}"#), [Some(12), Some(3)]);
        assert_eq!(read(&places, &[], ""), [None, None]);
        assert_eq!(
            read(&places, &[("Content-Encoding", "gzip"), ("x-rows", "-1")], r#"{"n":3}"#),
            [None, None]
        );
        let stream = [("content-type", "text/event-stream; charset=utf-8")];
        assert_eq!(read(&places, &stream, "data: {\"n\":1}\n\ndata: {\"n\":9}\n\n"), [None, Some(9)]);
    }
}
