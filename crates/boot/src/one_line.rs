//! Log lines that stay one line each: what callers sent cannot begin a line of its own.

use std::io::{Result, Write};

/// A writer of whole log lines, each given by one call of `write`, as `tracing_subscriber` does.
#[derive(Debug)]
pub(crate) struct OneLine<W> {
    inner: W,
    /// Whether escapes of colours may stand in a line.
    coloured: bool,
}

impl<W: Write> OneLine<W> {
    pub(crate) const fn new(inner: W, coloured: bool) -> Self {
        Self { inner, coloured }
    }

    /// A control character other than the line's own end.
    const fn is_foreign(&self, byte: u8) -> bool {
        byte < 0x20 && !(self.coloured && byte == 0x1b)
    }
}

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, line: &[u8]) -> Result<usize> {
        let (text, end) = match line {
            [text @ .., b'\n'] => (text, &b"\n"[..]),
            text => (text, &b""[..]),
        };
        if text.iter().any(|byte| self.is_foreign(*byte)) {
            let mut escaped = Vec::with_capacity(line.len() + 16);
            for byte in text {
                if self.is_foreign(*byte) {
                    escaped.extend(byte.escape_ascii());
                } else {
                    escaped.push(*byte);
                }
            }
            escaped.extend_from_slice(end);
            self.inner.write_all(&escaped)?;
        } else {
            self.inner.write_all(line)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    /// Bad input 146: in both formats.
    #[test]
    fn case_146_what_callers_sent_cannot_begin_a_line_of_the_log() {
        let sent = "x\r\n{\"level\":\"ERROR\",\"message\":\"forged\"}\u{1b}[2J";
        let kept = Kept::default();
        let log = kept.clone();
        let writer = move || OneLine::new(log.clone(), false);
        let text = tracing_subscriber::fmt().with_writer(writer.clone()).with_ansi(false).finish();
        let json = tracing_subscriber::fmt().with_writer(writer).json().finish();
        tracing::subscriber::with_default(text, || tracing::warn!(path = %sent, "refused"));
        tracing::subscriber::with_default(json, || tracing::warn!(path = %sent, "refused"));
        let lines = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(lines.lines().count(), 2, "{lines}");
        assert!(lines.ends_with('\n') && !lines.contains(['\r', '\u{1b}']), "{lines:?}");
        let [first, second] = lines.lines().collect::<Vec<_>>()[..] else { panic!("two lines") };
        assert!(first.contains("refused") && first.contains("x\\r\\n{"), "{first}");
        let told: serde_json::Value = serde_json::from_str(second).expect("JSON");
        assert_eq!(told["fields"]["path"], sent);
    }
}
