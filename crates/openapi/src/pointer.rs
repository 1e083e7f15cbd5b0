//! JSON Pointers (RFC 6901).

use std::borrow::Cow;

/// `~` and `/` escaped, for one step of a pointer.
pub(crate) fn escape(key: &str) -> Cow<'_, str> {
    if key.contains(['~', '/']) { key.replace('~', "~0").replace('/', "~1").into() } else { key.into() }
}

/// The JSON Pointer inside a local reference (`#/…`); none for references that leave the document.
pub(crate) fn of_reference(reference: &str) -> Option<Cow<'_, str>> {
    let fragment = reference.strip_prefix('#')?;
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return None;
    }
    Some(percent_decode(fragment))
}

/// The last step of a reference as people write it: `Country` for `#/components/schemas/Country`.
pub(crate) fn last_step(reference: &str) -> String {
    let step = reference.rsplit('/').next().unwrap_or(reference);
    percent_decode(step).replace("~1", "/").replace("~0", "~")
}

/// Percent-encoding undone where it is valid UTF-8, else the text as it is.
fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |i: usize| bytes.get(i).and_then(|b| (*b as char).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).map_or_else(|_| text.into(), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references_into_the_document_have_a_pointer() {
        assert_eq!(of_reference("#/paths/~1a%7Bid%7D").as_deref(), Some("/paths/~1a{id}"));
        assert_eq!(of_reference("#").as_deref(), Some(""));
        assert_eq!(of_reference("#anchor"), None);
        assert_eq!(of_reference("other.yaml#/a"), None);
        assert_eq!(last_step("#/components/schemas/a~1b"), "a/b");
    }
}
