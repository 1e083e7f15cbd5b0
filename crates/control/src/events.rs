//! What webhooks are told. Most of it follows from what the audit log is told, in the same transaction: who adds a use
//! case that others should hear of adds a line to [`of_notes`], and nothing else.

use serde_json::{Value, json};
use tollgate_domain::{
    Amount, ApiId, ApiState, CalendarMonth, CredentialId, EventId, OrganizationId, Scope, SubscriptionId,
};
use tollgate_store::{InvoiceRow, NewEvent, SpendCapRow, Store, SubscriptionRow, Tx};
use uuid::Uuid;

use crate::change::Note;
use crate::{Control, Result};

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventType {
    /// As it stands in `type`.
    pub name: &'static str,
    /// When it is told, in a sentence.
    pub text: &'static str,
}

impl serde::Serialize for EventType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

const fn kind(name: &'static str, text: &'static str) -> EventType {
    EventType { name, text }
}

/// Every kind of event that can be chosen.
pub const EVENT_TYPES: &[EventType] = &[
    kind("subscription.requested", "Somebody asks for a plan that needs an approval."),
    kind("subscription.activated", "A subscription opens its APIs: new, approved, or resumed."),
    kind("subscription.changed", "A subscription moved to another plan, or will at the end of the period."),
    kind("subscription.suspended", "A subscription is paused or held: its calls are refused."),
    kind("subscription.trial_ending", "A trial ends in three days, and the plan costs something then."),
    kind("subscription.ended", "A subscription is over."),
    kind("application.deleted", "An application is gone, with its keys and subscriptions."),
    kind("key.created", "A key was made."),
    kind("key.rotated", "A key was made that takes over from another."),
    kind("key.revoked", "A key stopped."),
    kind("key.expiring", "A key stops in 14, 3 or 1 days."),
    kind(
        "quota.threshold_reached",
        "So much of a quota is used as one of its thresholds says: 50, 80 and 100 % where nothing else is chosen.",
    ),
    kind("spend_cap.threshold_reached", "50, 80 or 100 % of a subscription's spend cap are spent."),
    kind("credits.granted", "Credits were added."),
    kind("credits.low", "Of the credits that prepaid calls take from, a fifth or less is left."),
    kind("invoice.finalized", "A month was closed and its invoice written."),
    kind("invoice.paid", "An invoice was paid."),
    kind("invoice.payment_failed", "A payment of an invoice did not succeed."),
    kind("invoice.voided", "An invoice was given up: it is not owed any more."),
    kind("api.published", "An API can be called, or a new document of it is in force."),
    kind("api.breaking_change", "A new document changes operations so that calls may fail."),
    kind("api.deprecated", "An API will go: since when, until when, and what takes its place."),
    kind("api.retired", "An API can no longer be called."),
];

/// What a webhook is told when somebody tests it; not to be chosen.
pub const TEST_EVENT: &str = "webhook.test";

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// One of [`EVENT_TYPES`].
    pub kind: &'static str,
    /// Whose it is; none for what happens to all.
    pub organization: Option<OrganizationId>,
    /// Of which API, where it is one's: its subscribers are told.
    pub api: Option<ApiId>,
    /// What is told: ids, names and states, never a secret.
    pub data: Value,
}

impl Event {
    /// Of one organization.
    #[must_use]
    pub const fn of(kind: &'static str, organization: OrganizationId, data: Value) -> Self {
        Self { kind, organization: Some(organization), api: None, data }
    }

    fn of_api(kind: &'static str, api: ApiId, data: Value) -> Self {
        Self { kind, organization: None, api: Some(api), data }
    }

    fn row<'e>(&'e self, once: Option<&'e str>) -> NewEvent<'e> {
        NewEvent {
            id: EventId::from(Uuid::now_v7()),
            kind: self.kind,
            organization_id: self.organization,
            api_id: self.api,
            data: &self.data,
            once,
        }
    }
}

/// Notes events in the transaction that makes them happen.
///
/// # Errors
/// The database failed.
pub async fn emit(tx: &mut Tx, events: &[Event]) -> Result<()> {
    let rows: Vec<_> = events.iter().map(|event| event.row(None)).collect();
    Ok(tx.insert_events(&rows).await?)
}

impl Control {
    /// Notes an event that no change of ours made; `once` says what it is about, so that it is told once.
    ///
    /// # Errors
    /// The database is away.
    pub async fn emit_once(&self, event: &Event, once: &str) -> Result<()> {
        Ok(self.store.insert_event(&event.row(Some(once))).await?)
    }
}

/// What is told of lines of the audit log; `store` reads what the transaction leaves behind. Many bills are issued by one change:
/// they are read together.
pub(crate) async fn of_notes(store: &Store, notes: &[Note]) -> Result<Vec<Event>> {
    let issued: Vec<Uuid> =
        notes.iter().filter(|note| note.action == "invoice.issue").map(|note| note.subject.id).collect();
    if !issued.is_empty() && issued.len() == notes.len() {
        let rows = store.list_invoices_of(&issued).await?;
        return Ok(rows.iter().map(|row| told_of("invoice.finalized", row)).collect());
    }
    let mut told = Vec::new();
    for note in notes {
        told.extend(of_note(store, note).await?);
    }
    Ok(told)
}

async fn of_note(store: &Store, note: &Note) -> Result<Vec<Event>> {
    let id = note.subject.id;
    let (before, after) = (&note.details["before"], &note.details["after"]);
    Ok(match note.action.as_str() {
        "subscription.create" | "subscription.update" => {
            let new = note.action == "subscription.create";
            of_subscription(store, id.into(), before, new).await?
        }
        "subscription.plan" => {
            let mut events = of_subscription(store, id.into(), &json!({}), false).await?;
            for event in &mut events {
                event.kind = "subscription.changed";
                event.data["planned"] = note.details.clone();
            }
            events
        }
        "application.delete" => note.subject.organization.map_or_else(Vec::new, |organization| {
            let application = tollgate_domain::ApplicationId::from(id);
            vec![Event::of(
                "application.deleted",
                organization,
                json!({ "application": { "id": application } }),
            )]
        }),
        "key.create" => vec![of_key(store, "key.created", id.into(), None).await?],
        "key.rotate" => {
            vec![of_key(store, "key.rotated", id.into(), note.details.get("replaces").cloned()).await?]
        }
        "key.revoke" => vec![of_key(store, "key.revoked", id.into(), None).await?],
        "credits.grant" => note.subject.organization.map_or_else(Vec::new, |organization| {
            vec![Event::of("credits.granted", organization, json!({ "grant": note.details.clone() }))]
        }),
        "invoice.issue" => vec![of_invoice(store, "invoice.finalized", id).await?],
        "invoice.pay" => vec![of_invoice(store, "invoice.paid", id).await?],
        "invoice.payment_failed" => vec![of_invoice(store, "invoice.payment_failed", id).await?],
        "invoice.void" => vec![of_invoice(store, "invoice.voided", id).await?],
        // Told anew where the date or the successor changes.
        "api.update"
            if after["state"] == ApiState::Deprecated.as_str()
                && ["state", "sunset_at", "successor_id"]
                    .iter()
                    .any(|field| before[*field] != after[*field]) =>
        {
            vec![of_api(store, "api.deprecated", id.into(), json!([])).await?]
        }
        "api.create" if note.details["state"] == ApiState::Published.as_str() => {
            vec![of_api(store, "api.published", id.into(), json!([])).await?]
        }
        "api.update" if before["state"] != after["state"] => {
            let kind = match after["state"].as_str() {
                Some("published") => "api.published",
                Some("retired") => "api.retired",
                _ => return Ok(Vec::new()),
            };
            vec![of_api(store, kind, id.into(), json!([])).await?]
        }
        "api.publish" => of_document(store, id.into(), &note.details["changes"]).await?,
        _ => Vec::new(),
    })
}

async fn of_subscription(
    store: &Store,
    id: SubscriptionId,
    before: &Value,
    is_new: bool,
) -> Result<Vec<Event>> {
    let row = store.get_subscription(Scope::Operator, id).await?;
    let mut data = json!({ "subscription": {
        "id": row.id, "organization_id": row.organization_id, "application_id": row.application_id,
        "product_id": row.product_id, "plan_id": row.plan_id, "state": row.state,
    } });
    if !before.is_null() {
        data["previous"] = before.clone();
    }
    let state_changed = is_new || before["state"] != row.state.as_str();
    let kind = match row.state.as_str() {
        "requested" if state_changed => "subscription.requested",
        "active" if state_changed => "subscription.activated",
        "suspended" if state_changed => "subscription.suspended",
        "ended" => "subscription.ended",
        _ => "subscription.changed",
    };
    Ok(vec![Event::of(kind, row.organization_id, data)])
}

async fn of_key(
    store: &Store,
    kind: &'static str,
    id: CredentialId,
    replaces: Option<Value>,
) -> Result<Event> {
    let row = store.get_credential(Scope::Operator, id).await?;
    let mut data = json!({ "key": {
        "id": row.id, "organization_id": row.organization_id, "application_id": row.application_id,
        "name": row.name, "environment": row.environment,
        "display": format!("{}…{}", row.display_prefix, row.display_last4), "expires_at": row.expires_at,
    } });
    if let Some(replaces) = replaces {
        data["replaces"] = replaces;
    }
    Ok(Event::of(kind, row.organization_id, data))
}

/// A key that stops soon, in so many days at most.
pub(crate) async fn of_expiring_key(store: &Store, id: CredentialId, days: i32) -> Result<Event> {
    let mut event = of_key(store, "key.expiring", id, None).await?;
    event.data["days"] = days.into();
    Ok(event)
}

/// So much of a quota is used.
pub(crate) async fn of_quota(
    store: &Store,
    id: SubscriptionId,
    quota: &str,
    percent: i32,
    month: &str,
) -> Result<Event> {
    let row = store.get_subscription(Scope::Operator, id).await?;
    let data = json!({
        "subscription": {
            "id": row.id, "organization_id": row.organization_id, "application_id": row.application_id,
            "product_id": row.product_id, "plan_id": row.plan_id, "state": row.state,
        },
        "quota": quota, "percent": percent, "month": month,
    });
    Ok(Event::of("quota.threshold_reached", row.organization_id, data))
}

/// So much of a spend cap is spent.
pub(crate) fn of_cap(
    row: &SubscriptionRow,
    cap: &SpendCapRow,
    spent_minor: u64,
    percent: u8,
    month: CalendarMonth,
) -> Event {
    let data = json!({
        "subscription": {
            "id": row.id, "organization_id": row.organization_id, "application_id": row.application_id,
            "product_id": row.product_id, "plan_id": row.plan_id, "state": row.state,
        },
        "percent": percent, "month": month.to_string(), "cap": cap.amount(), "landing": cap.landing,
        "spent": Amount { minor: spent_minor, currency: cap.amount().currency },
    });
    Event::of("spend_cap.threshold_reached", row.organization_id, data)
}

async fn of_invoice(store: &Store, kind: &'static str, id: Uuid) -> Result<Event> {
    Ok(told_of(kind, &store.get_invoice(Scope::Operator, id.into()).await?))
}

fn told_of(kind: &'static str, row: &InvoiceRow) -> Event {
    let data = json!({ "invoice": {
        "id": row.id, "organization_id": row.organization_id, "number": row.number,
        "month": row.month().to_string(), "state": row.state, "total": row.total(), "due_at": row.due_at,
    } });
    Event::of(kind, row.organization_id, data)
}

async fn of_api(store: &Store, kind: &'static str, id: ApiId, changes: Value) -> Result<Event> {
    let row = store.get_api(id).await?;
    let mut data = json!({
        "api": {
            "id": row.id, "slug": row.slug, "name": row.name, "state": row.state, "document": row.document_number,
        },
        "changes": changes,
    });
    if row.state.is_ending() {
        let successor = match row.successor() {
            Some(id) => {
                let row = store.get_api(id).await?;
                json!({ "id": row.id, "slug": row.slug, "name": row.name })
            }
            None => Value::Null,
        };
        data["api"]["deprecated_at"] = json!(row.deprecated_at);
        data["api"]["sunset_at"] = json!(row.sunset_at);
        data["api"]["successor"] = successor;
    }
    Ok(Event::of_api(kind, id, data))
}

/// A new document of an API: what it breaks is told apart. Nobody is told of an API that cannot be called yet.
async fn of_document(store: &Store, id: ApiId, changes: &Value) -> Result<Vec<Event>> {
    if store.get_api(id).await?.state == ApiState::Draft {
        return Ok(Vec::new());
    }
    let breaks = |change: &&Value| change["breaking"].as_array().is_some_and(|list| !list.is_empty());
    let breaking: Vec<&Value> = changes.as_array().into_iter().flatten().filter(breaks).collect();
    let mut events = vec![of_api(store, "api.published", id, changes.clone()).await?];
    if !breaking.is_empty() {
        events.push(of_api(store, "api.breaking_change", id, json!(breaking)).await?);
    }
    Ok(events)
}
