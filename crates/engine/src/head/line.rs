//! One line of a head, measured where it stands.

use super::{BadHead, Field};

pub(super) const TOKEN: u8 = 1;
pub(super) const VALUE: u8 = 2;
pub(super) const TARGET: u8 = 4;
const CLASS: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut byte = 0usize;
    while byte < 128 {
        let b = byte as u8;
        if b == b'\t' || b == b' ' {
            table[byte] = VALUE;
        } else if b.is_ascii_graphic() {
            // Readers cut a target off at `#`, in silence.
            table[byte] = if b == b'#' { VALUE } else { VALUE | TARGET };
            if b.is_ascii_alphanumeric()
                || matches!(
                    b,
                    b'!' | b'#'
                        | b'$'
                        | b'%'
                        | b'&'
                        | b'\''
                        | b'*'
                        | b'+'
                        | b'-'
                        | b'.'
                        | b'^'
                        | b'_'
                        | b'`'
                        | b'|'
                        | b'~'
                )
            {
                table[byte] |= TOKEN;
            }
        }
        byte += 1;
    }
    table
};

/// How many bytes from the first on are of a class.
pub(crate) fn run_of_tokens(bytes: &[u8]) -> usize {
    run(bytes, TOKEN)
}

/// How many bytes from the first on may stand in a field's value.
pub(crate) fn run_of_value(bytes: &[u8]) -> usize {
    run_of_values(bytes)
}

pub(super) fn run(bytes: &[u8], class: u8) -> usize {
    bytes.iter().position(|byte| CLASS[usize::from(*byte)] & class == 0).unwrap_or(bytes.len())
}

/// As [`run`] of [`VALUE`], many bytes at once: values are the most of a head.
fn run_of_values(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<16>();
    let plain = |block: &&[u8; 16]| block.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'));
    let skipped = blocks.iter().take_while(plain).count() * 16;
    skipped + run(&bytes[skipped..], VALUE)
}

/// The next line of a head.
pub(crate) enum Line {
    /// It is not here to its end.
    Partial,
    /// The empty one.
    Last,
    /// A field, measured from the line's first byte; the line ends two bytes behind the value and its blanks.
    Field { name: usize, value_end: usize },
}

/// How a field line breaks the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadLine {
    LineFeed,
    Name,
    NonAscii,
    Control,
}

/// Measures the next line of fields; `obsolete` says whether values may hold bytes above 127 (RFC 9110 §5.5).
pub(crate) fn field_line(line: &[u8], obsolete: bool) -> Result<Line, BadLine> {
    match line {
        [] | [b'\r'] => return Ok(Line::Partial),
        [b'\r', b'\n', ..] => return Ok(Line::Last),
        [b'\n', ..] => return Err(BadLine::LineFeed),
        _ => {}
    }
    let name = run(line, TOKEN);
    if name == line.len() {
        return Ok(Line::Partial);
    }
    if name == 0 || line[name] != b':' {
        return Err(BadLine::Name);
    }
    let mut end = name + 1 + run_of_values(&line[name + 1..]);
    while obsolete && line.get(end).is_some_and(|byte| *byte >= 128) {
        end += 1;
        end += run_of_values(&line[end..]);
    }
    match &line[end..] {
        [] | [b'\r'] => Ok(Line::Partial),
        [b'\r', b'\n', ..] => Ok(Line::Field { name, value_end: end }),
        [b'\n', ..] => Err(BadLine::LineFeed),
        [128..=255, ..] => Err(BadLine::NonAscii),
        _ => Err(BadLine::Control),
    }
}

/// The place of a field in a head whose line begins at `at`.
pub(crate) fn place(bytes: &[u8], at: usize, name: usize, value_end: usize) -> Field {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let value = &bytes[at + name + 1..at + value_end];
    let start = value.iter().position(|byte| !blank(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    // A head is far smaller than 4 GiB.
    let from = at + name + 1;
    Field { name: (at as u32, (at + name) as u32), value: ((from + start) as u32, (from + end) as u32) }
}

impl From<BadLine> for BadHead {
    fn from(bad: BadLine) -> Self {
        match bad {
            BadLine::LineFeed => Self::Ambiguous("bare_line_feed"),
            BadLine::Name => Self::Malformed("field_name"),
            BadLine::NonAscii => Self::Malformed("non_ascii_value"),
            BadLine::Control => Self::Malformed("control_byte"),
        }
    }
}
