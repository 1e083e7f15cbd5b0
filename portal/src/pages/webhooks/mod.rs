//! Webhooks, in two places: an organization's own for its developers, and all of them for operators.

pub mod deliveries;
pub mod list;
pub mod settings;

use std::borrow::Cow;

use tollgate_control::events::EVENT_TYPES;
use tollgate_control::{Action as May, Actor};
use tollgate_domain::{OrganizationId, Scope, WebhookId};
use tollgate_store::WebhookRow;

use crate::PortalState;
use crate::error::Fault;
use crate::form::Form;
use crate::pages::admin::desk::Desk;
use crate::parts::{Action, Asked, Fieldset, FormPart, Input, Notice, Sheet};
use crate::say::{say, t, translated};
use crate::session::Visit;
use crate::shell::Area;
use crate::show::{Label, Moment};

/// Where the pages are, and for whom.
pub struct Place {
    pub actor: Actor,
    pub scope: Scope,
    pub may_write: bool,
    area: Area,
    /// Without a final slash.
    base: &'static str,
    /// Whose a new webhook is; none for the platform's.
    organization: Option<OrganizationId>,
}

impl Place {
    /// By the path of the page: below `/admin` it is the operators'.
    ///
    /// # Errors
    /// Nobody is signed in, or they may not see it.
    pub fn of(visit: &Visit, asked: &Asked) -> Result<Self, Fault> {
        if asked.path().starts_with("/admin/") {
            let (actor, scope) = visit.operator()?;
            let may_write = actor.authorize(May::WritePlatform).is_ok();
            let base = "/admin/webhooks";
            return Ok(Self { actor, scope, may_write, area: Area::Admin, base, organization: None });
        }
        let member = visit.member()?;
        let organization = Some(member.organization_id);
        let may_write = member.actor.authorize(May::WriteOrganization(member.organization_id)).is_ok();
        Ok(Self {
            actor: member.actor,
            scope: member.scope,
            may_write,
            area: Area::Developer,
            base: "/webhooks",
            organization,
        })
    }

    /// As [`Place::of`], for those who may change something there.
    ///
    /// # Errors
    /// As there, or their role only reads.
    pub fn writing(visit: &Visit, asked: &Asked) -> Result<Self, Fault> {
        let place = Self::of(visit, asked)?;
        if place.area == Area::Admin {
            Desk::writing(visit)?;
        }
        if place.may_write { Ok(place) } else { Err(Fault::forbidden()) }
    }

    fn path(&self, id: WebhookId) -> String {
        format!("{}/{id}", self.base)
    }

    fn new_path(&self) -> String {
        format!("{}/new", self.base)
    }

    async fn sheet(&self, visit: &Visit, title: impl Into<String>) -> Result<Sheet, Fault> {
        Ok(Sheet::new(visit.shell(self.area, title).await?))
    }

    async fn find(&self, state: &PortalState, id: &str) -> Result<WebhookRow, Fault> {
        let id = id.parse().map_err(|_| Fault::not_found())?;
        Ok(state.store.get_webhook(self.scope, id).await?)
    }

    /// What stands around every view of one webhook.
    async fn frame(&self, visit: &Visit, row: &WebhookRow) -> Result<Sheet, Fault> {
        let path = self.path(row.id);
        let log = format!("{path}/settings");
        let sheet = self
            .sheet(visit, host_of(row))
            .await?
            .below(self.base, t("around-webhooks"))
            .labelled(state_of(row))
            .identified(row.id)
            .intro(row.description.clone())
            .action(
                self.may_write && row.is_active(),
                Action::post(format!("{path}/test"), "activity", t("webhook-send-test"), Vec::new()),
            )
            .tabs([(path, t("webhook-deliveries")), (log, t("webhook-settings"))]);
        Ok(sheet.maybe(trouble(row, visit)))
    }
}

/// What a page is called by: the host and the path, without what may be secret behind a question mark.
fn host_of(row: &WebhookRow) -> String {
    let rest = row.url.split_once("://").map_or(row.url.as_str(), |(_, rest)| rest);
    rest.split('?').next().unwrap_or(rest).trim_end_matches('/').to_owned()
}

fn state_of(row: &WebhookRow) -> Label {
    match (row.is_active(), row.failing_since) {
        (true, None) => Label::new("ok", t("state-active")),
        (true, Some(_)) => Label::new("warn", t("webhook-failing")),
        (false, _) => Label::new("bad", t("webhook-off")),
    }
}

/// What is told, in a few words.
fn told(row: &WebhookRow) -> String {
    match row.event_types.as_slice() {
        [] => t("webhook-everything").to_owned(),
        [one] => one.clone(),
        [one, rest @ ..] => say("webhook-and-more").with("one", one).count(rest.len()).into(),
    }
}

fn trouble(row: &WebhookRow, visit: &Visit) -> Option<Notice> {
    let since = row.failing_since.map(|at| Moment::of(at, visit.now).text);
    let (tone, title, text) = match (row.disabled_because.as_deref(), since) {
        (Some("gone"), _) => ("bad", t("webhook-gone").to_owned(), t("webhook-gone-text")),
        (Some("failing"), _) => ("bad", t("webhook-silent").to_owned(), t("webhook-silent-text")),
        (Some(_), _) => ("plain", t("webhook-is-off").to_owned(), t("webhook-is-off-text")),
        (None, Some(since)) => {
            ("warn", say("webhook-since").with("since", since).into(), t("webhook-since-text"))
        }
        (None, None) => return None,
    };
    Some(Notice::new(tone, title, text))
}

fn filled(row: &WebhookRow) -> Form {
    let mut values: Vec<(Cow<'static, str>, String)> =
        vec![("url".into(), row.url.clone()), ("description".into(), row.description.clone())];
    values.extend(row.event_types.iter().map(|name| ("event_types".into(), name.clone())));
    if row.is_active() {
        values.push(("active".into(), "yes".into()));
    }
    Form::with(values)
}

/// The fields; of a webhook that exists also whether it is on.
fn part(form: &Form, button: &str, back: &str, exists: bool) -> FormPart {
    let kinds =
        EVENT_TYPES.iter().map(|kind| (kind.name, format!("{}: {}", kind.name, translated(kind.text))));
    let mut place = vec![
        Input::typed(form, "url", t("account-address"), "url").hint(t("webhook-url-hint")).required(),
        Input::line(form, "description", t("webhook-description")).hint(t("webhook-description-hint")),
    ];
    if exists {
        place.push(Input::tick(form, "active", t("webhook-on")).hint(t("webhook-on-hint")));
    }
    let events = Fieldset::new(
        t("webhook-events"),
        vec![Input::any(form, "event_types", t("webhook-what-told"), kinds)],
    )
    .about(t("webhook-events-hint"));
    FormPart::new("webhook-form", form, vec![Fieldset::new("", place), events], button).or_back(back)
}
