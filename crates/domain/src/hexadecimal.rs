//! Thirty-two bytes, as digests and seals are written.

/// Reads 64 hexadecimal digits, upper or lower case; nothing where the text is anything else.
#[must_use]
pub fn bytes_of_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sixty_four_digits_are_thirty_two_bytes() {
        let mut expected = [0xfb; 32];
        expected[0] = 0x0a;
        assert_eq!(bytes_of_hex(&format!("0A{}", "fb".repeat(31))), Some(expected));
        for bad in ["", "fb", &"+f".repeat(32), &"fb".repeat(33), &"é".repeat(32), &"0x".repeat(32)] {
            assert_eq!(bytes_of_hex(bad), None, "{bad}");
        }
    }
}
