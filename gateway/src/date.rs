//! The present moment as the `Date` field writes it (RFC 9110 §5.6.7), put into words once a second.

use std::cell::RefCell;

use chrono::DateTime;

thread_local! {
    static WRITTEN: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) };
}

/// Appends the moment `unix_ns`, nanoseconds since the Unix epoch.
pub(crate) fn write(out: &mut Vec<u8>, unix_ns: u64) {
    let second = unix_ns / 1_000_000_000;
    WRITTEN.with_borrow_mut(|(written, text)| {
        if *written != second {
            let moment = i64::try_from(second).ok().and_then(|second| DateTime::from_timestamp(second, 0));
            *text = moment.unwrap_or_default().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            *written = second;
        }
        out.extend_from_slice(text.as_bytes());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_of_its_second() {
        for (unix_ns, expected) in [
            (784_111_777_999_999_999, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_778_000_000_000, "Sun, 06 Nov 1994 08:49:38 GMT"),
            (784_111_778_900_000_000, "Sun, 06 Nov 1994 08:49:38 GMT"),
        ] {
            let mut out = Vec::new();
            write(&mut out, unix_ns);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
