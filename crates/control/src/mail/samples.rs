//! Every letter with made-up content.

use chrono::DateTime;
use tollgate_domain::{Amount, CalendarMonth, CapLanding, MemberRole};
use tollgate_language::Language;

use super::Letter;
use super::letters::*;
use crate::jobs::TeamChange;

/// All letters with made-up content, for previews and tests: a name, and the letter.
#[must_use]
pub fn samples() -> Vec<(String, Letter)> {
    let of = |language: Language| {
        samples_in(language)
            .into_iter()
            .map(move |(name, letter)| (format!("{name}-{}", language.tag()), letter))
    };
    Language::ALL.into_iter().flat_map(of).collect()
}

fn samples_in(language: Language) -> Vec<(&'static str, Letter)> {
    const LINK: &str = "https://portal.example.com/verify/3f9cKx0mJH2v-8QpZ1rT7bWnYd5sLa4uEo6iCg0kXhM";
    let soon = DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default();
    vec![
        ("verify-email", verify_email(language, "maria@example.com", LINK)),
        ("sign-up-again", sign_up_again(language, "https://portal.example.com/signin")),
        ("reset-password", reset_password(language, LINK)),
        ("confirm-new-email", confirm_new_email(language, "maria@example.org", LINK)),
        (
            "email-change-asked",
            email_change_asked(
                language,
                "maria@example.org",
                "https://portal.example.com/password/forgotten",
            ),
        ),
        ("email-changed", email_changed(language, "maria@example.org", "https://portal.example.com/signin")),
        (
            "payment-failed",
            payment_failed(
                language,
                ("INV-2026-000042", "30.07 EUR"),
                Some("the card was declined"),
                Some(soon),
                LINK,
            ),
        ),
        (
            "trial-ends",
            trial_ends(
                language,
                ("Countries", "Pro"),
                "29.00 EUR a month, use beyond what is included",
                soon,
                "https://portal.example.com/subscriptions/s",
            ),
        ),
        ("invite-operator", invite_operator(language, "publisher", "https://portal.example.com/setup/x")),
        (
            "request-approved",
            decided(
                language,
                ("Countries", "Countries Pro for My first app"),
                true,
                None,
                "https://portal.example.com/subscriptions/s",
            ),
        ),
        (
            "request-rejected",
            decided(
                language,
                ("Countries", "Countries Pro for My first app"),
                false,
                Some("Tell us what you build, and in which month you start."),
                "https://portal.example.com/subscriptions/s",
            ),
        ),
        ("spend-80", spend_reached(language, "Atlas", 80, "50.00 EUR", CapLanding::Block, LINK)),
        ("spend-cap-reached", spend_reached(language, "Atlas", 100, "50.00 EUR", CapLanding::Throttle, LINK)),
        ("credits-low", credits_low(language, "4.20 EUR", false, LINK)),
        ("credits-used-up", credits_low(language, "0.00 EUR", true, LINK)),
        ("access-landed", access_landed(language, "INV-2026-000042", "30.07 EUR", LINK)),
        (
            "key-expires",
            key_expires(
                language,
                ("Nightly import", "My first app"),
                3,
                soon,
                "https://portal.example.com/applications/a/keys/k/rotate",
            ),
        ),
        ("quota-80", quota_used(language, "Countries", 80, soon, false, "https://portal.example.com/limits")),
        (
            "quota-100",
            quota_used(language, "Countries", 100, soon, false, "https://portal.example.com/limits"),
        ),
        (
            "invitation",
            invitation(
                language,
                "Acme",
                "maria@example.com",
                MemberRole::Developer,
                "https://portal.example.com/invitations/x",
            ),
        ),
        (
            "webhook-disabled",
            webhook_disabled(
                language,
                "hooks.example.com",
                false,
                "https://portal.example.com/webhooks/whk_x",
            ),
        ),
        (
            "invoice-ready",
            invoice_ready(
                language,
                ("INV-2026-000042", CalendarMonth::of(soon)),
                Amount { minor: 3_007, currency: "EUR".parse().expect("three capital letters") },
                soon,
                LINK,
            ),
        ),
        ("api-ends", api_ends(language, "Countries API", Some(soon), Some("Countries API 2"), LINK)),
        (
            "api-ends-soon",
            api_ends_soon(
                language,
                ("Countries API", soon, 7),
                Some("Countries API 2"),
                &["My first app".to_owned(), "Nightly import".to_owned()],
                LINK,
            ),
        ),
        ("api-deprecated", api_ends(language, "Countries API", None, None, LINK)),
        (
            "team-joined",
            team_changed(
                language,
                "Acme",
                "maria@example.com",
                &TeamChange::Joined { role: MemberRole::Developer },
                LINK,
            ),
        ),
        ("team-removed", team_changed(language, "Acme", "maria@example.com", &TeamChange::Removed {}, LINK)),
        ("password-changed", password_changed(language, "https://portal.example.com/password/forgotten")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Site;

    #[test]
    fn every_letter_reads_the_same_as_text_and_as_html() {
        let site = Site { name: "Tollgate".to_owned(), portal_url: "https://portal.example.com".to_owned() };
        for (name, letter) in samples() {
            let (text, html) = (letter.text(&site).expect(&name), letter.html(&site).expect(&name));
            assert!(letter.subject.chars().count() <= 60, "{name}: the subject is seen whole on a phone");
            for part in letter.plain.iter().chain(&letter.after).chain([&letter.heading, &letter.reason]) {
                assert!(text.contains(part.as_str()), "{name}: {part} in the text");
                assert!(html.contains(part.as_str()), "{name}: {part} in the HTML");
            }
            let link = letter.link();
            assert!(link.starts_with("https://portal.example.com/") && text.contains(link), "{name}");
            assert_eq!(html.matches(&format!("href=\"{link}\"")).count(), 2, "{name}");
            assert!(!html.contains("<img") && !html.contains("<script"), "{name}: nothing is loaded");
            assert!(text.lines().all(|line| !line.contains("&#")), "{name}: plain text has no entities");
            assert!(html.len() < 10_000, "{name}: {} bytes", html.len());
        }
    }

    #[test]
    fn what_people_typed_stays_text() {
        let site = Site { name: "Tollgate".to_owned(), portal_url: "https://portal.example.com".to_owned() };
        let letter =
            verify_email(Language::English, "<b>@example.com", "https://portal.example.com/verify/x");
        assert!(letter.html(&site).expect("renders").contains("&#60;b&#62;@example.com"));
        assert!(letter.text(&site).expect("renders").contains("<b>@example.com"));
    }
}
