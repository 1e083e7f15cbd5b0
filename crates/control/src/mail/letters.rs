//! Every letter that is written, in its own words.

use chrono::{DateTime, Utc};
use tollgate_domain::{Amount, CalendarMonth, CapLanding, MailTopic, MemberRole};
use tollgate_language::{Language, Said, clock, day, month_of_year, text};

use super::Letter;
use crate::jobs::TeamChange;

/// The words of one reader.
#[derive(Debug, Clone, Copy)]
struct Words(Language);

impl Words {
    fn t(self, key: &'static str) -> &'static str {
        text(self.0, key)
    }

    fn say(self, key: &'static str) -> Said {
        Said::new(self.0, key)
    }

    /// A letter with a subject, what it says first, and why it comes.
    fn letter(self, subject: impl Into<String>, plain: impl Into<String>, reason: &'static str) -> Letter {
        let subject = subject.into();
        Letter {
            language: self.0,
            heading: subject.clone(),
            subject,
            plain: vec![plain.into()],
            button: None,
            after: Vec::new(),
            reason: self.t(reason).to_owned(),
            topic: None,
        }
    }
}

impl Letter {
    fn with_button(mut self, words: &'static str, link: &str) -> Self {
        self.button = Some((text(self.language, words).to_owned(), link.to_owned()));
        self
    }

    /// Of a kind that its reader can do without.
    const fn about(mut self, topic: MailTopic) -> Self {
        self.topic = Some(topic);
        self
    }

    fn and_then(mut self, said: impl Into<String>) -> Self {
        self.after.push(said.into());
        self
    }
}

/// Is this address yours?
pub fn verify_email(language: Language, email: &str, link: &str) -> Letter {
    let words = Words(language);
    let asked = words.say("mail-verify-text").with("email", email);
    words
        .letter(words.t("mail-verify"), asked, "mail-to-the-owner")
        .with_button("verify-confirm", link)
        .and_then(words.t("mail-verify-after"))
}

/// Somebody signed up with an address that has an account.
pub fn sign_up_again(language: Language, sign_in: &str) -> Letter {
    let words = Words(language);
    words
        .letter(words.t("mail-again"), words.t("mail-again-text"), "mail-to-the-owner")
        .with_button("around-sign-in", sign_in)
        .and_then(words.t("mail-again-after"))
}

/// A new password may be set.
pub fn reset_password(language: Language, link: &str) -> Letter {
    let words = Words(language);
    words
        .letter(words.t("reset-title"), words.t("mail-reset-text"), "mail-to-the-owner")
        .with_button("reset-title", link)
        .and_then(words.t("mail-reset-after"))
}

/// The password was changed.
pub fn password_changed(language: Language, reset: &str) -> Letter {
    let words = Words(language);
    words
        .letter(words.t("mail-password"), words.t("mail-password-text"), "mail-about-the-account")
        .with_button("mail-not-me", reset)
        .and_then(words.t("mail-nothing-to-do"))
}

/// Is this address to be an account's?
pub fn confirm_new_email(language: Language, email: &str, link: &str) -> Letter {
    let words = Words(language);
    let said = words.say("mail-new-email-text").with("email", email);
    words
        .letter(words.t("mail-new-email"), said, "mail-to-the-owner")
        .with_button("email-confirm", link)
        .and_then(words.t("mail-new-email-after"))
}

/// Another address was asked for.
pub fn email_change_asked(language: Language, email: &str, reset: &str) -> Letter {
    let words = Words(language);
    let said = words.say("mail-email-asked-text").with("email", email);
    words
        .letter(words.t("mail-email-asked"), said, "mail-about-the-account")
        .with_button("mail-not-me", reset)
        .and_then(words.t("mail-email-asked-after"))
}

/// An account has another address.
pub fn email_changed(language: Language, email: &str, sign_in: &str) -> Letter {
    let words = Words(language);
    let said = words.say("mail-email-changed-text").with("email", email);
    words
        .letter(words.t("mail-email-changed"), said, "mail-about-the-account")
        .with_button("around-sign-in", sign_in)
        .and_then(words.t("mail-email-changed-after"))
}

/// A key ends soon.
pub fn key_expires(
    language: Language,
    (key, application): (&str, &str),
    days: i32,
    ends: DateTime<Utc>,
    link: &str,
) -> Letter {
    let words = Words(language);
    let said = words
        .say("mail-key-text")
        .with("key", key)
        .with("application", application)
        .with("ends", clock(language, ends));
    words
        .letter(words.say("mail-key").count(days), said, "mail-key-reason")
        .with_button("mail-key-button", link)
        .about(MailTopic::KeyExpiry)
        .and_then(words.t("mail-key-after"))
}

/// So much of a quota is used.
pub fn quota_used(
    language: Language,
    product: &str,
    percent: i32,
    opens: DateTime<Utc>,
    soft: bool,
    link: &str,
) -> Letter {
    let words = Words(language);
    let opens = clock(language, opens);
    let (subject, said, then) = match (percent >= 100, soft) {
        (true, false) => ("mail-quota-over", "mail-quota-over-text", "mail-quota-over-after"),
        (true, true) => ("mail-quota", "mail-quota-soft-text", "mail-quota-soft-after"),
        (false, _) => ("mail-quota", "mail-quota-text", "mail-quota-after"),
    };
    let filled = |key| {
        words.say(key).with("product", product).with("percent", percent).with("opens", &opens).to_string()
    };
    words
        .letter(filled(subject), filled(said), "mail-subscription-reason")
        .with_button("mail-see-limits", link)
        .about(MailTopic::of_percent(percent))
        .and_then(filled(then))
}

/// So much of a spend cap is spent.
pub fn spend_reached(
    language: Language,
    product: &str,
    percent: i32,
    cap: &str,
    landing: CapLanding,
    link: &str,
) -> Letter {
    let words = Words(language);
    let filled =
        |key| words.say(key).with("product", product).with("percent", percent).sum("cap", cap).to_string();
    let (subject, said) = if percent >= 100 {
        let then = match landing {
            CapLanding::Block => "mail-cap-block",
            CapLanding::Throttle => "mail-cap-throttle",
            CapLanding::Notify => "mail-cap-notify",
        };
        (filled("mail-cap-reached"), format!("{} {}", filled("mail-cap-reached-text"), words.t(then)))
    } else {
        (filled("mail-cap"), filled("mail-cap-text"))
    };
    words
        .letter(subject, said, "mail-subscription-reason")
        .with_button("mail-see-cap", link)
        .about(MailTopic::of_percent(percent))
        .and_then(words.t("mail-cap-after"))
}

/// Credits run low, or are used up.
pub fn credits_low(language: Language, left: &str, used_up: bool, link: &str) -> Letter {
    let words = Words(language);
    let (subject, said) = if used_up {
        ("mail-credits-over", words.t("mail-credits-over-text").to_owned())
    } else {
        ("mail-credits", words.say("mail-credits-text").sum("left", left).to_string())
    };
    words
        .letter(words.t(subject), said, "mail-credits-reason")
        .with_button("tried-see-credits", link)
        .about(MailTopic::Credits)
        .and_then(words.t("mail-credits-after"))
}

/// Join an organization.
pub fn invitation(language: Language, organization: &str, by: &str, role: MemberRole, link: &str) -> Letter {
    let words = Words(language);
    let name: String = organization.chars().take(40).collect();
    let said = words
        .say("mail-invitation-text")
        .with("by", by)
        .with("organization", organization)
        .with("role", words.t(role_key(role)));
    words
        .letter(words.say("team-join").with("organization", name), said, "mail-invitation-reason")
        .with_button("mail-see-invitation", link)
        .and_then(words.t("mail-invitation-after"))
}

/// A webhook does not work and is told nothing more.
pub fn webhook_disabled(language: Language, host: &str, gone: bool, link: &str) -> Letter {
    let words = Words(language);
    let host: String = host.chars().take(60).collect();
    let why = words.say(if gone { "mail-webhook-gone" } else { "mail-webhook-silent" }).with("host", host);
    words
        .letter(words.t("mail-webhook"), why, "mail-webhook-reason")
        .with_button("mail-see-wrong", link)
        .about(MailTopic::Webhook)
        .and_then(words.t("mail-webhook-after"))
}

/// Somebody is asked to run the platform.
pub fn invite_operator(language: Language, role: &str, link: &str) -> Letter {
    let words = Words(language);
    words
        .letter(
            words.t("mail-operator"),
            words.say("mail-operator-text").with("role", role),
            "mail-operator-reason",
        )
        .with_button("setup-accept", link)
        .and_then(words.t("mail-operator-after"))
}

/// A request was approved or rejected, perhaps with a reason.
pub fn decided(
    language: Language,
    (product, about): (&str, &str),
    approved: bool,
    said: Option<&str>,
    link: &str,
) -> Letter {
    let words = Words(language);
    let product: String = product.chars().take(30).collect();
    let (subject, text) = if approved {
        ("mail-approved", "mail-approved-text")
    } else {
        ("mail-rejected", "mail-rejected-text")
    };
    let (subject, text) = (words.say(subject).with("product", product), words.say(text).with("about", about));
    let mut letter =
        words.letter(subject, text, "mail-decided-reason").with_button("mail-see-subscription", link);
    letter = letter.about(MailTopic::Decision);
    letter.plain.extend(said.map(|said| words.say("mail-they-say").with("said", said).into()));
    letter
}

/// A trial ends soon.
pub fn trial_ends(
    language: Language,
    (product, plan): (&str, &str),
    costs: &str,
    ends: DateTime<Utc>,
    link: &str,
) -> Letter {
    let words = Words(language);
    let said = words
        .say("mail-trial-text")
        .with("product", product)
        .with("plan", plan)
        .with("ends", clock(language, ends))
        .with("costs", costs);
    words
        .letter(words.say("mail-trial").with("product", product), said, "mail-trial-reason")
        .with_button("mail-see-subscription", link)
        .about(MailTopic::Trial)
        .and_then(words.t("mail-trial-after"))
}

/// A bill could not be collected.
pub fn payment_failed(
    language: Language,
    (number, due): (&str, &str),
    reason: Option<&str>,
    until: Option<DateTime<Utc>>,
    link: &str,
) -> Letter {
    let words = Words(language);
    let reason = reason.unwrap_or(words.t("mail-unpaid-reason"));
    let said = words.say("mail-unpaid-text").with("number", number).sum("due", due).with("reason", reason);
    let mut letter = words
        .letter(words.say("mail-unpaid").with("number", number), said, "mail-to-the-payer")
        .with_button("mail-see-invoice", link)
        .about(MailTopic::Payment)
        .and_then(words.t("mail-unpaid-after"));
    let grace =
        until.map(|until| words.say("mail-unpaid-until").with("until", clock(language, until)).into());
    letter.plain.extend(grace);
    letter
}

/// Calls are refused or throttled for an unpaid bill.
pub fn access_landed(language: Language, number: &str, due: &str, link: &str) -> Letter {
    let words = Words(language);
    let said = words.say("mail-landed-text").with("number", number).sum("due", due);
    words
        .letter(words.say("mail-landed").with("number", number), said, "mail-to-the-payer")
        .with_button("mail-pay", link)
        .about(MailTopic::Payment)
        .and_then(words.t("mail-landed-after"))
}

/// A month was closed, and its invoice written.
pub fn invoice_ready(
    language: Language,
    (number, month): (&str, CalendarMonth),
    due: Amount,
    until: DateTime<Utc>,
    link: &str,
) -> Letter {
    let words = Words(language);
    let said = words
        .say("mail-invoice-text")
        .with("number", number)
        .with("month", month_of_year(language, &month.first_day()));
    let then = match due.minor {
        0 => words.t("mail-invoice-nothing").to_owned(),
        _ => words.say("mail-invoice-due").sum("due", due).with("until", day(language, &until)).into(),
    };
    words
        .letter(words.say("mail-invoice").with("number", number), said, "mail-to-the-payer")
        .with_button("mail-see-invoice", link)
        .about(MailTopic::Invoice)
        .and_then(then)
}

/// An API will go.
pub fn api_ends(
    language: Language,
    api: &str,
    sunset: Option<DateTime<Utc>>,
    successor: Option<&str>,
    link: &str,
) -> Letter {
    let words = Words(language);
    let api: String = api.chars().take(60).collect();
    let (subject, said) = match sunset {
        Some(at) => {
            let filled = |key| words.say(key).with("api", &api).with("day", day(language, &at)).to_string();
            (filled("mail-api-ends"), filled("mail-api-ends-text"))
        }
        None => {
            let filled = |key| words.say(key).with("api", &api).to_string();
            (filled("mail-api"), filled("mail-api-text"))
        }
    };
    let letter = words.letter(subject, said, "mail-api-reason").with_button("mail-see-api", link);
    let successor = successor.map(|name| words.say("mail-api-successor").with("name", name).into());
    let mut letter = letter.about(MailTopic::Api).and_then(words.t("mail-api-after"));
    letter.plain.extend(successor);
    letter
}

/// An API ends in so many days, and is still called by these applications.
pub fn api_ends_soon(
    language: Language,
    (api, sunset, days): (&str, DateTime<Utc>, i64),
    successor: Option<&str>,
    callers: &[String],
    link: &str,
) -> Letter {
    let words = Words(language);
    let name: String = api.chars().take(40).collect();
    let subject = words.say("mail-api-soon").with("api", name).count(days);
    let said = words.say("mail-api-soon-text").with("api", api).with("day", day(language, &sunset));
    let mut letter = words
        .letter(subject, said, "mail-api-soon-reason")
        .with_button("mail-see-api", link)
        .about(MailTopic::Api)
        .and_then(words.t("mail-api-after"));
    letter.plain.extend(successor.map(|name| words.say("mail-api-successor").with("name", name).into()));
    if !callers.is_empty() {
        letter.plain.push(words.say("mail-api-soon-callers").with("names", callers.join(", ")).into());
    }
    letter
}

/// Somebody joined an organization, left it, or may do other things in it.
pub fn team_changed(
    language: Language,
    organization: &str,
    email: &str,
    change: &TeamChange,
    link: &str,
) -> Letter {
    let words = Words(language);
    let name: String = organization.chars().take(40).collect();
    let key = match change {
        TeamChange::Joined { .. } => "mail-team-joined",
        TeamChange::Role { .. } => "mail-team-role",
        TeamChange::Left {} => "mail-team-left",
        TeamChange::Removed {} => "mail-team-removed",
    };
    let mut said = words.say(key).with("email", email).with("organization", organization);
    if let TeamChange::Joined { role } | TeamChange::Role { role } = change {
        said = said.with("role", words.t(role_key(*role)));
    }
    words
        .letter(words.say("mail-team").with("organization", name), said, "mail-team-reason")
        .with_button("mail-see-team", link)
        .about(MailTopic::Team)
        .and_then(words.t("mail-team-after"))
}

const fn role_key(role: MemberRole) -> &'static str {
    match role {
        MemberRole::Owner => "role-owner",
        MemberRole::Developer => "role-developer",
        MemberRole::Viewer => "role-viewer",
    }
}
