//! Numbers and dates as each language writes them.

use chrono::{DateTime, Datelike, Utc};

use crate::Language;

const MONTHS: [[&str; 12]; 2] = [
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
];
const SHORT_MONTHS: [[&str; 12]; 2] = [
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sep.", "Okt.", "Nov.", "Dez."],
];

/// The month's name in a table of both languages.
fn month(table: &'static [[&'static str; 12]; 2], language: Language, at: &impl Datelike) -> &'static str {
    let row = &table[usize::from(language == Language::German)];
    row[(at.month0() as usize).min(11)]
}

fn dot(language: Language) -> &'static str {
    if language == Language::German { "." } else { "" }
}

/// A whole number with its thousands apart: `1,234,567`, `1.234.567`.
#[must_use]
pub fn number(language: Language, value: i64) -> String {
    let mark = if language == Language::German { '.' } else { ',' };
    let digits = value.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if value < 0 {
        out.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(mark);
        }
        out.push(digit);
    }
    out
}

/// A number with one digit behind its point: `4.2`, `4,2`.
#[must_use]
pub fn decimal(language: Language, whole: i64, tenths: i64) -> String {
    format!("{}{}{tenths}", number(language, whole), point(language))
}

/// A sum of money or a price, from how programs write it: `1250.00 EUR` becomes `1,250.00 EUR` and `1.250,00 EUR`. What
/// is no such thing stays as it is.
#[must_use]
pub fn money(language: Language, plain: &str) -> String {
    let Some((amount, currency)) = plain.split_once(' ') else { return plain.to_owned() };
    let (whole, part) = amount.split_once('.').map_or((amount, None), |(whole, part)| (whole, Some(part)));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (Ok(units), true) = (whole.parse::<i64>(), all_digits(whole) && part.is_none_or(all_digits)) else {
        return plain.to_owned();
    };
    let whole = number(language, units);
    match part {
        Some(part) => format!("{whole}{}{part} {currency}", point(language)),
        None => format!("{whole} {currency}"),
    }
}

const fn point(language: Language) -> char {
    match language {
        Language::English => '.',
        Language::German => ',',
    }
}

/// A day with its year: `21 November 2026`, `21. November 2026`.
#[must_use]
pub fn day(language: Language, at: &impl Datelike) -> String {
    format!("{}{} {} {}", at.day(), dot(language), month(&MONTHS, language, at), at.year())
}

/// A month with its year: `November 2026`.
#[must_use]
pub fn month_of_year(language: Language, at: &impl Datelike) -> String {
    format!("{} {}", month(&MONTHS, language, at), at.year())
}

/// A day without its year: `21 November`, `21. November`.
#[must_use]
pub fn day_of_year(language: Language, at: &impl Datelike) -> String {
    format!("{}{} {}", at.day(), dot(language), month(&MONTHS, language, at))
}

/// A day in few letters: `21 Nov`, `21. Nov.`.
#[must_use]
pub fn short_day(language: Language, at: &impl Datelike) -> String {
    format!("{}{} {}", at.day(), dot(language), month(&SHORT_MONTHS, language, at))
}

/// A day and its time to the minute, in UTC: `21 November 2026, 14:05 UTC`.
#[must_use]
pub fn clock(language: Language, at: DateTime<Utc>) -> String {
    format!("{}, {}", day(language, &at), at.format("%H:%M UTC"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_writes_numbers_and_days_its_own_way() {
        let at: DateTime<Utc> = "2026-03-05T09:07:00Z".parse().expect("an instant");
        let (en, de) = (Language::English, Language::German);
        assert_eq!((number(en, -1_234_567), number(de, 1_234)), ("-1,234,567".into(), "1.234".into()));
        assert_eq!((decimal(en, 4, 2), decimal(de, 1_004, 2)), ("4.2".into(), "1.004,2".into()));
        let sums = [
            ("29.00 EUR", "29.00 EUR", "29,00 EUR"),
            ("1234567.5 KWD", "1,234,567.5 KWD", "1.234.567,5 KWD"),
        ];
        for (plain, english, german) in sums.into_iter().chain([
            ("0.002 EUR", "0.002 EUR", "0,002 EUR"),
            ("2905 JPY", "2,905 JPY", "2.905 JPY"),
            ("free", "free", "free"),
            ("1.2.3 EUR", "1.2.3 EUR", "1.2.3 EUR"),
        ]) {
            assert_eq!((money(en, plain), money(de, plain)), (english.to_owned(), german.to_owned()));
        }
        assert_eq!(clock(en, at), "5 March 2026, 09:07 UTC");
        assert_eq!(clock(de, at), "5. März 2026, 09:07 UTC");
        assert_eq!((short_day(en, &at), short_day(de, &at)), ("5 Mar".into(), "5. März".into()));
        assert_eq!((day_of_year(en, &at), day_of_year(de, &at)), ("5 March".into(), "5. März".into()));
    }
}
