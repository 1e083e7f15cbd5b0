//! Which mails a member gets, and which webhooks tell the same.

use askama::Template;
use axum::extract::State;
use tollgate_domain::{MailTopic, MemberRole};
use tollgate_store::Page;

use crate::error::Answer;
use crate::parts::Sent;
use crate::say::t;
use crate::session::Visit;
use crate::shell::{Area, Flash, Shell};
use crate::{PortalState, filters};

/// What a mail can be about.
pub struct Row {
    pub topic: MailTopic,
    pub title: &'static str,
    pub text: &'static str,
    /// Whether it is sent.
    pub on: bool,
    /// What webhooks call it; empty where they are told nothing of it.
    pub event: &'static str,
    /// Whether one is told.
    pub told: bool,
}

#[derive(Template)]
#[template(path = "account/mails.html")]
pub struct View {
    pub shell: Shell,
    pub organization: String,
    pub email: String,
    pub rows: Vec<Row>,
    /// Who only looks gets none of them.
    pub is_viewer: bool,
}

/// What a topic is called, what it says, and what webhooks call it.
fn words(topic: MailTopic) -> (&'static str, &'static str, &'static str) {
    match topic {
        MailTopic::Quota50 => (t("topic-quota-50"), t("topic-quota-50-text"), "quota.threshold_reached"),
        MailTopic::Quota80 => (t("topic-quota-80"), t("topic-quota-80-text"), "quota.threshold_reached"),
        MailTopic::Quota100 => (t("topic-quota-100"), t("topic-quota-100-text"), "quota.threshold_reached"),
        MailTopic::Credits => (t("topic-credits"), t("topic-credits-text"), "credits.low"),
        MailTopic::KeyExpiry => (t("topic-key-expiry"), t("topic-key-expiry-text"), "key.expiring"),
        MailTopic::Invoice => (t("topic-invoice"), t("topic-invoice-text"), "invoice.finalized"),
        MailTopic::Payment => (t("topic-payment"), t("topic-payment-text"), "invoice.payment_failed"),
        MailTopic::Trial => (t("topic-trial"), t("topic-trial-text"), "subscription.trial_ending"),
        MailTopic::Decision => (t("topic-decision"), t("topic-decision-text"), "subscription.activated"),
        MailTopic::Api => (t("topic-api"), t("topic-api-text"), "api.deprecated"),
        MailTopic::Team => (t("topic-team"), t("topic-team-text"), ""),
        MailTopic::Webhook => (t("topic-webhook"), t("topic-webhook-text"), ""),
    }
}

/// Whether a mail of a topic is ever written to a role: bills and the team are the owners' matter.
const fn concerns(topic: MailTopic, role: MemberRole) -> bool {
    match (role, topic) {
        (MemberRole::Owner, _) => true,
        (MemberRole::Viewer, _) => false,
        (_, MailTopic::Invoice | MailTopic::Payment | MailTopic::Trial | MailTopic::Team) => false,
        _ => true,
    }
}

fn topics(role: MemberRole) -> impl Iterator<Item = MailTopic> {
    MailTopic::ALL.iter().copied().filter(move |topic| concerns(*topic, role))
}

/// `GET /account/mails`
pub async fn get(State(state): State<PortalState>, visit: Visit) -> Answer {
    let member = visit.member()?;
    let account = visit.account()?;
    let role = account.organization.map_or(MemberRole::Viewer, |(_, role)| role);
    let muted = state.store.list_muted(member.organization_id, account.user_id).await?;
    let webhooks = state.store.list_webhooks(member.scope, Page::FIRST_500).await?;
    let told = |event: &str| {
        let tells = |kinds: &[String]| kinds.is_empty() || kinds.iter().any(|kind| kind == event);
        !event.is_empty() && webhooks.iter().any(|one| one.is_active() && tells(&one.event_types))
    };
    let row = |topic| {
        let (title, text, event) = words(topic);
        Row { topic, title, text, event, on: !muted.contains(&topic), told: told(event) }
    };
    visit.page(&View {
        shell: visit.shell(Area::Developer, t("mails-title")).await?,
        organization: state.store.get_organization(member.scope, member.organization_id).await?.name,
        email: account.email.clone(),
        rows: topics(role).map(row).collect(),
        is_viewer: role == MemberRole::Viewer,
    })
}

/// `POST /account/mails`: what is not ticked is switched off.
pub async fn post(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let member = visit.member()?;
    let role = visit.account()?.organization.map_or(MemberRole::Viewer, |(_, role)| role);
    let ticked: Vec<&str> = sent.all("topic").collect();
    let muted: Vec<MailTopic> = topics(role).filter(|topic| !ticked.contains(&topic.as_str())).collect();
    state.control.choose_mails(&member.actor, &muted).await?;
    visit.go("/account/mails", Some(Flash::done(t("mails-saved")))).await
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        [MemberRole::Owner, MemberRole::Viewer]
            .map(|role| Self {
                shell: Shell::sample(Area::Developer, t("mails-title"), "/account/mails"),
                organization: "Acme".into(),
                email: "maria.lindqvist@example.com".into(),
                rows: topics(role)
                    .map(|topic| {
                        let (title, text, event) = words(topic);
                        let (on, told) = (topic != MailTopic::Quota50, topic == MailTopic::Credits);
                        Row { topic, title, text, event, on, told }
                    })
                    .collect(),
                is_viewer: role == MemberRole::Viewer,
            })
            .into()
    }
}
