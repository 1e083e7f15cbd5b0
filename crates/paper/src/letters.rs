//! Letters of Helvetica: how they are written in a PDF (WinAnsi), and how wide they are.

/// Thousandths of the size, from space to tilde, as Adobe's metrics of the font say.
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// How wide a text is at size 1. Letters beyond ASCII count as a digit, which is near enough to break lines.
pub fn width(text: &str) -> f32 {
    let letters = text.chars().map(|letter| {
        let place = (letter as usize).checked_sub(32);
        f32::from(place.and_then(|place| WIDTHS.get(place)).copied().unwrap_or(556))
    });
    letters.sum::<f32>() / 1_000.0
}

/// A text in WinAnsi; what it lacks is a question mark.
pub fn encoded(text: &str) -> Vec<u8> {
    text.chars().map(|letter| code(letter).unwrap_or(b'?')).collect()
}

/// Whether WinAnsi lacks any letter of a text.
pub fn is_lacking(text: &str) -> bool {
    text.chars().any(|letter| code(letter).is_none())
}

fn code(letter: char) -> Option<u8> {
    let code = match letter {
        ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(letter as u32).ok()?,
        '€' => 0x80,
        '‘' => 0x91,
        '’' => 0x92,
        '“' => 0x93,
        '”' => 0x94,
        '•' => 0x95,
        '–' => 0x96,
        '—' => 0x97,
        'Š' => 0x8a,
        'š' => 0x9a,
        'Ž' => 0x8e,
        'ž' => 0x9e,
        'Œ' => 0x8c,
        'œ' => 0x9c,
        _ => return None,
    };
    Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn western_letters_are_kept_and_others_marked() {
        assert!(is_lacking("Łódź") && is_lacking("株式会社") && !is_lacking("Zoë €5"));
        assert_eq!(encoded("Zoë €5 × 3 – Łódź"), b"Zo\xeb \x805 \xd7 3 \x96 ?\xf3d?");
    }

    #[test]
    fn amounts_are_as_wide_as_their_digits() {
        assert!((width("30.07") - (4.0 * 0.556 + 0.278)).abs() < 1e-6);
    }
}
