//! Every letter that is written, in its own words.

use chrono::{DateTime, Utc};
use tollgate_domain::CapLanding;

use super::Letter;

const ABOUT_THE_ACCOUNT: &str = "You get this mail because it is about the safety of your account.";
const TO_THE_OWNER: &str = "You get this mail because somebody entered this address.";

fn letter(subject: &str, plain: &[&str], reason: &str) -> Letter {
    Letter {
        subject: subject.to_owned(),
        heading: subject.to_owned(),
        plain: plain.iter().map(|text| (*text).to_owned()).collect(),
        button: None,
        after: Vec::new(),
        reason: reason.to_owned(),
        settings_path: None,
    }
}

impl Letter {
    fn with_button(mut self, words: &str, link: &str) -> Self {
        self.button = Some((words.to_owned(), link.to_owned()));
        self
    }

    fn and_then(mut self, text: &str) -> Self {
        self.after.push(text.to_owned());
        self
    }
}

/// Is this address yours?
pub fn verify_email(email: &str, link: &str) -> Letter {
    let asked = format!("Confirm that {email} is your address. Live keys and invitations wait for it.");
    letter("Confirm your e-mail address", &[&asked], TO_THE_OWNER)
        .with_button("Confirm address", link)
        .and_then("The link works once, for 24 hours. If this was not you, do nothing: without it nobody can prove that this address is theirs.")
}

/// Somebody signed up with an address that has an account.
pub fn sign_up_again(sign_in: &str) -> Letter {
    let said = "Somebody, perhaps you, just signed up with this address. You have an account already, so sign in to it; \
                if you forgot the password, you can set a new one there.";
    letter("You have an account already", &[said], TO_THE_OWNER)
        .with_button("Sign in", sign_in)
        .and_then("What was made under the new sign-up does not belong to your account and is removed after seven days. If this was not you, do nothing.")
}

/// A new password may be set.
pub fn reset_password(link: &str) -> Letter {
    letter("Set a new password", &["Somebody, perhaps you, asked for a new password."], TO_THE_OWNER)
        .with_button("Set a new password", link)
        .and_then(
            "The link works once, for 10 minutes. If this was not you, do nothing: your password stays.",
        )
}

/// The password was changed.
pub fn password_changed(reset: &str) -> Letter {
    let said = "Your password was changed, and everybody who was signed in with the old one is signed out.";
    letter("Your password was changed", &[said], ABOUT_THE_ACCOUNT)
        .with_button("This was not me", reset)
        .and_then("If it was you, there is nothing to do.")
}

/// A key ends soon.
pub fn key_expires(key: &str, application: &str, days: i32, ends: DateTime<Utc>, link: &str) -> Letter {
    let within = if days == 1 { "within a day".to_owned() } else { format!("within {days} days") };
    let said = format!(
        "The key \u{201c}{key}\u{201d} of {application} stops on {}. Calls with it fail from then on.",
        ends.format("%-d %B %Y at %H:%M UTC")
    );
    letter(
        &format!("A key of yours ends {within}"),
        &[&said],
        "You get this mail because you may renew the key.",
    )
    .with_button("Renew the key", link)
    .and_then("The new key takes over while the old one goes on, so that nothing stops.")
}

/// So much of a quota is used.
pub fn quota_used(product: &str, percent: i32, opens: DateTime<Utc>, soft: bool, link: &str) -> Letter {
    let opens = opens.format("%-d %B, %H:%M UTC");
    let of = format!("what your plan of {product} includes for the present period");
    let (subject, said, then) = match (percent >= 100, soft) {
        (true, false) => (
            format!("Quota used up: {product}"),
            format!("All of {of} is used. Further calls are answered 429 until {opens}."),
            format!("The quota opens again on {opens}. A larger plan opens it at once."),
        ),
        (true, true) => (
            format!("{percent} % of a quota used: {product}"),
            format!("{percent} % of {of} is used. Calls go on; your plan says what they cost."),
            format!("The next period begins on {opens}."),
        ),
        (false, _) => (
            format!("{percent} % of a quota used: {product}"),
            format!("{percent} % of {of} is used."),
            format!("The next period begins on {opens}. A larger plan has more."),
        ),
    };
    letter(&subject, &[&said], "You get this mail because you look after the subscription.")
        .with_button("See the limits", link)
        .and_then(&then)
}

/// So much of a spend cap is spent.
pub fn spend_reached(product: &str, percent: i32, cap: &str, landing: CapLanding, link: &str) -> Letter {
    let of = format!("the {cap} that the use of {product} may cost this month");
    let (subject, said) = if percent >= 100 {
        let then = match landing {
            CapLanding::Block => {
                "Further calls are answered 402 until the month is over or you raise the cap."
            }
            CapLanding::Throttle => {
                "Further calls cost nothing and are held to the limits of the free plan, until the month is over or you \
                 raise the cap."
            }
            CapLanding::Notify => "Calls go on and cost what they cost, as you chose.",
        };
        (format!("Spend cap reached: {product}"), format!("{} is spent. {then}", capital(&of)))
    } else {
        (format!("{percent} % of a spend cap spent: {product}"), format!("{percent} % of {of} is spent."))
    };
    letter(&subject, &[&said], "You get this mail because you look after the subscription.")
        .with_button("See the spend cap", link)
        .and_then("The cap is for a calendar month (UTC); base fees are not counted.")
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// Credits run low, or are used up.
pub fn credits_low(left: &str, used_up: bool, link: &str) -> Letter {
    let (subject, said) = if used_up {
        (
            "Your credits are used up",
            "Calls on prepaid plans are answered 402 until credits are added.".to_owned(),
        )
    } else {
        (
            "Your credits run low",
            format!(
                "{left} of your credits are left. When they are used up, calls on prepaid plans are refused."
            ),
        )
    };
    letter(subject, &[&said], "You get this mail because you look after what uses them.")
        .with_button("See the credits", link)
        .and_then("Once credits are added, the same keys work again within seconds.")
}

/// Join an organization.
pub fn invitation(organization: &str, by: &str, role: &str, link: &str) -> Letter {
    let name: String = organization.chars().take(40).collect();
    let said = format!("{by} invites you to {organization}, as {role}.");
    letter(&format!("Join {name}"), &[&said], "You get this mail because somebody invited this address.")
        .with_button("See the invitation", link)
        .and_then("The link works for 7 days. If you do not know who this is, do nothing.")
}

/// A webhook does not work and is told nothing more.
pub fn webhook_disabled(host: &str, gone: bool, link: &str) -> Letter {
    let host: String = host.chars().take(60).collect();
    let why = if gone {
        format!("{host} answered 410, which says that it does not want to be told anything any more.")
    } else {
        format!("Nothing arrived at {host} for five days, so it is told nothing more.")
    };
    letter(
        "A webhook was switched off",
        &[&why],
        "You get this mail because you may switch the webhook on again.",
    )
    .with_button("See what went wrong", link)
    .and_then("What it missed is kept for 30 days: switch it on again there, and have it sent anew.")
}

const TO_THE_PAYER: &str = "You get this mail because you own the organization that the invoice is for.";

/// Somebody is asked to run the platform.
pub fn invite_operator(role: &str, link: &str) -> Letter {
    let said = format!("You are asked to help run this platform, in the role {role}.");
    letter("Help run this platform", &[&said], "You get this mail because an admin entered your address.")
        .with_button("Accept", link)
        .and_then(
            "The link works once, for three days, with this address. If you do not know why, do nothing.",
        )
}

/// A request was approved or rejected, perhaps with a reason.
pub fn decided(product: &str, about: &str, approved: bool, said: Option<&str>, link: &str) -> Letter {
    let product: String = product.chars().take(30).collect();
    let (subject, text) = if approved {
        let text = format!("Your request was approved: {about}. Its keys open it from now on.");
        (format!("Approved: {product}"), text)
    } else {
        let text = format!("Your request was not approved: {about}. You can ask again at any time.");
        (format!("Not approved: {product}"), text)
    };
    let said = said.map(|said| format!("They say: {said}")).unwrap_or_default();
    let parts: Vec<&str> =
        [text.as_str(), said.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
    letter(&subject, &parts, "You get this mail because your organization asked for it.")
        .with_button("See the subscription", link)
}

/// A trial ends soon.
pub fn trial_ends(product: &str, plan: &str, costs: &str, ends: DateTime<Utc>, link: &str) -> Letter {
    let ends = ends.format("%-d %B %Y at %H:%M UTC");
    let said = format!("The trial of {product} {plan} ends on {ends}. From then on it costs {costs}.");
    letter(
        &format!("A trial ends soon: {product}"),
        &[&said],
        "You get this mail because you own the organization that tries it.",
    )
    .with_button("See the subscription", link)
    .and_then(
        "If you keep it, there is nothing to do. If you do not, move to another plan or cancel before then.",
    )
}

/// A bill could not be collected.
pub fn payment_failed(
    number: &str,
    due: &str,
    reason: &str,
    until: Option<DateTime<Utc>>,
    link: &str,
) -> Letter {
    let said = format!("Invoice {number} over {due} is not paid: {reason}.");
    let grace = until.map_or_else(String::new, |until| {
        let until = until.format("%-d %B %Y at %H:%M UTC");
        format!("Nothing changes until {until}. If it is not paid by then, calls are limited or refused.")
    });
    letter(&format!("Invoice {number} is not paid"), &[&said, &grace], TO_THE_PAYER)
        .with_button("See the invoice", link)
        .and_then("If you paid it in the last hours, there is nothing to do.")
}

/// Calls are refused or throttled for an unpaid bill.
pub fn access_landed(number: &str, due: &str, link: &str) -> Letter {
    let said = format!(
        "Invoice {number} over {due} is still not paid, and its days of grace are over. Calls that it is for are now \
         refused, or held to the limits of the free plan."
    );
    letter(&format!("Calls are limited until invoice {number} is paid"), &[&said], TO_THE_PAYER)
        .with_button("Pay the invoice", link)
        .and_then("Calls are served as before within a second of the payment, with the same keys.")
}

/// All letters with made-up content, for previews and tests: a name, and the letter.
#[must_use]
pub fn samples() -> Vec<(&'static str, Letter)> {
    const LINK: &str = "https://portal.example.com/verify/3f9cKx0mJH2v-8QpZ1rT7bWnYd5sLa4uEo6iCg0kXhM";
    vec![
        ("verify-email", verify_email("maria@example.com", LINK)),
        ("sign-up-again", sign_up_again("https://portal.example.com/signin")),
        ("reset-password", reset_password(LINK)),
        (
            "payment-failed",
            payment_failed(
                "INV-2026-000042",
                "30.07 EUR",
                "the card was declined",
                DateTime::from_timestamp(1_795_000_000, 0),
                LINK,
            ),
        ),
        (
            "trial-ends",
            trial_ends(
                "Countries",
                "Pro",
                "29.00 EUR a month, use beyond what is included",
                DateTime::UNIX_EPOCH,
                "https://portal.example.com/subscriptions/s",
            ),
        ),
        ("invite-operator", invite_operator("publisher", "https://portal.example.com/setup/x")),
        (
            "request-approved",
            decided(
                "Countries",
                "Countries Pro for My first app",
                true,
                None,
                "https://portal.example.com/subscriptions/s",
            ),
        ),
        (
            "request-rejected",
            decided(
                "Countries",
                "Countries Pro for My first app",
                false,
                Some("Tell us what you build, and in which month you start."),
                "https://portal.example.com/subscriptions/s",
            ),
        ),
        ("spend-80", spend_reached("Atlas", 80, "50.00 EUR", CapLanding::Block, LINK)),
        ("spend-cap-reached", spend_reached("Atlas", 100, "50.00 EUR", CapLanding::Throttle, LINK)),
        ("credits-low", credits_low("4.20 EUR", false, LINK)),
        ("credits-used-up", credits_low("0.00 EUR", true, LINK)),
        ("access-landed", access_landed("INV-2026-000042", "30.07 EUR", LINK)),
        (
            "key-expires",
            key_expires(
                "Nightly import",
                "My first app",
                3,
                DateTime::UNIX_EPOCH,
                "https://portal.example.com/applications/a/keys/k/rotate",
            ),
        ),
        (
            "quota-80",
            quota_used("Countries", 80, DateTime::UNIX_EPOCH, false, "https://portal.example.com/limits"),
        ),
        (
            "quota-100",
            quota_used("Countries", 100, DateTime::UNIX_EPOCH, false, "https://portal.example.com/limits"),
        ),
        (
            "invitation",
            invitation("Acme", "maria@example.com", "developer", "https://portal.example.com/invitations/x"),
        ),
        (
            "webhook-disabled",
            webhook_disabled("hooks.example.com", false, "https://portal.example.com/webhooks/whk_x"),
        ),
        ("password-changed", password_changed("https://portal.example.com/password/forgotten")),
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::mail::Site;

    #[test]
    fn every_letter_reads_the_same_as_text_and_as_html() {
        let site = Site { name: "Tollgate".to_owned(), portal_url: "https://portal.example.com".to_owned() };
        for (name, letter) in samples() {
            let (text, html) = (letter.text(&site).expect(name), letter.html(&site).expect(name));
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
        let letter = verify_email("<b>@example.com", "https://portal.example.com/verify/x");
        assert!(letter.html(&site).expect("renders").contains("&#60;b&#62;@example.com"));
        assert!(letter.text(&site).expect("renders").contains("<b>@example.com"));
    }

    /// Writes all letters to a directory, to be looked at.
    #[test]
    fn letters_can_be_written_to_a_directory() {
        let Some(directory) = std::env::var_os("MAIL_SAMPLES") else { return };
        let site = Site { name: "Tollgate".to_owned(), portal_url: "https://portal.example.com".to_owned() };
        std::fs::create_dir_all(&directory).expect("the directory can be made");
        for (name, letter) in samples() {
            let html = letter.html(&site).expect(name);
            std::fs::write(Path::new(&directory).join(format!("{name}.html")), html).expect("written");
        }
    }
}
