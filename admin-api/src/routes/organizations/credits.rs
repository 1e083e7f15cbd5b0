//! `/v1/organizations/{organization}/credits`: money that was paid in advance, and every movement of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_control::{CreditInput, CreditStanding};
use tollgate_domain::{Amount, Currency, InvoiceId, OrganizationId};
use tollgate_store::{CreditEntryRow, CreditRefundRow};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer;
use crate::auth::{Reader, Writer};
use crate::body::{Json, Text};
use crate::path::Id;
use crate::problem::Answer;
use crate::schema;

/// The credits of an organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "accounts": [{ "currency": "EUR", "balance_minor": 8000, "held_minor": 8000 }],
    "data": [{
        "id": "01990000-0000-7000-8000-000000000001", "currency": "EUR", "kind": "grant", "amount_minor": 10000,
        "balance_minor": 10000, "grant_id": null, "bought": false, "left_minor": 8000, "expires_at": "2027-12-31T00:00:00Z", "invoice_id": null,
        "note": "Bank transfer of 20 November", "at": "2026-11-20T10:00:00Z"
    }],
    "refunds": []
}))]
pub struct Credits {
    /// The sums, by currency.
    accounts: Vec<CreditAccount>,
    /// The last 1,000 movements, newest first.
    data: Vec<CreditEntry>,
    /// The last 1,000 refunds of credits that were bought, newest first.
    refunds: Vec<CreditReturn>,
}

/// Credits that were bought and given back to the card.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditReturn {
    /// Its id.
    id: Uuid,
    /// The grant that was bought.
    grant_id: Uuid,
    /// ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// Minor units.
    amount_minor: u64,
    /// `pending` until the payment provider has said what became of it; `failed`: the credits are there again.
    #[schema(pattern = "^(pending|done|failed)$")]
    state: String,
    /// Where it failed: why, in the provider's words.
    #[schema(required)]
    failure: Option<String>,
    /// Why it was asked for.
    note: String,
    /// When.
    at: DateTime<Utc>,
}

impl From<CreditRefundRow> for CreditReturn {
    fn from(row: CreditRefundRow) -> Self {
        Self {
            id: row.id,
            grant_id: row.grant_id,
            currency: row.amount().currency.as_str().to_owned(),
            amount_minor: row.amount().minor,
            state: row.state.to_string(),
            failure: row.failure,
            note: row.note,
            at: row.created_at,
        }
    }
}

/// What is there in one currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditAccount {
    /// ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// What is there, in minor units.
    balance_minor: u64,
    /// Of it, what is set apart for prepaid calls that have no invoice yet.
    held_minor: u64,
}

/// A movement. It is never changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditEntry {
    /// Its id.
    id: Uuid,
    /// ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// `grant`, `use`, `expiry` or `refund`.
    #[schema(pattern = "^(grant|use|expiry|refund)$")]
    kind: String,
    /// Minor units: above 0 for grants, below for what is taken from one.
    amount_minor: i64,
    /// The balance after it.
    balance_minor: i64,
    /// The grant that it is taken from.
    #[schema(required)]
    grant_id: Option<Uuid>,
    /// Whether it was bought by card: a grant whose money can go back there.
    bought: bool,
    /// Of grants: what is left of it, in minor units.
    left_minor: u64,
    /// Of grants: when what is left is lost.
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    /// The invoice that it paid.
    #[schema(value_type = Option<String>, pattern = "^inv_[0-7][0-9a-hjkmnp-tv-z]{25}$", required)]
    invoice_id: Option<InvoiceId>,
    /// What it is for.
    note: String,
    /// When.
    at: DateTime<Utc>,
}

impl From<CreditEntryRow> for CreditEntry {
    fn from(row: CreditEntryRow) -> Self {
        Self {
            id: row.id,
            currency: row.currency.as_str().to_owned(),
            kind: row.kind,
            amount_minor: row.amount_minor,
            balance_minor: row.balance_minor,
            grant_id: row.grant_id,
            bought: row.checkout_id.is_some(),
            left_minor: row.left_minor.unsigned_abs(),
            expires_at: row.expires_at,
            invoice_id: row.invoice_id.map(Into::into),
            note: row.note,
            at: row.at,
        }
    }
}

impl From<CreditStanding> for Credits {
    fn from(standing: CreditStanding) -> Self {
        let accounts = standing.accounts.into_iter().map(|account| CreditAccount {
            currency: account.currency.as_str().to_owned(),
            balance_minor: account.balance().minor,
            held_minor: account.held().minor,
        });
        Self {
            accounts: accounts.collect(),
            data: standing.entries.into_iter().map(Into::into).collect(),
            refunds: standing.refunds.into_iter().map(Into::into).collect(),
        }
    }
}

/// Credits to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount_minor": 10000, "currency": "EUR", "expires_at": "2099-12-31T00:00:00Z", "note": "Bank transfer" }))]
pub struct NewCredits {
    /// Minor units.
    #[schema(minimum = 1, maximum = 100_000_000_000_u64)]
    amount_minor: u64,
    /// ISO 4217, upper case.
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    currency: Currency,
    /// From then on what is left is lost; `null` or absent: never.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
    /// What for.
    #[serde(default)]
    #[schema(value_type = String, max_length = 500)]
    note: Text,
}

/// Credits to be taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount_minor": 2000, "currency": "EUR", "note": "Paid back by bank" }))]
pub struct CreditRefund {
    /// Minor units; no more than is free.
    #[schema(minimum = 1, maximum = 100_000_000_000_u64)]
    amount_minor: u64,
    /// ISO 4217, upper case.
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    currency: Currency,
    /// A grant that was bought by card: the provider is asked to pay its money back the way it came. Without it, credits are
    /// only taken back.
    #[serde(default)]
    grant_id: Option<Uuid>,
    /// Why.
    #[serde(default)]
    #[schema(value_type = String, max_length = 500)]
    note: Text,
}

/// Get an organization's credits
///
/// What is there, and every movement: what was granted, used, lost and given back.
#[utoipa::path(
    get, path = "/v1/organizations/{organization}/credits", tag = "Organizations", operation_id = "getCredits",
    params(("organization" = schema::OrganizationId, Path, description = "Its id.")),
    responses((status = 200, description = "Its credits.", body = Credits))
)]
pub async fn get_credits(reader: Reader, Id(id): Id<OrganizationId>) -> Answer {
    Ok(answer::ok(Credits::from(reader.control.credits(&reader.actor, id).await?)))
}

/// Grant credits
///
/// For finance, once the money has come or as a gift. Prepaid calls that were refused are admitted again within seconds.
#[utoipa::path(
    post, path = "/v1/organizations/{organization}/credits", tag = "Organizations", operation_id = "grantCredits",
    params(("organization" = schema::OrganizationId, Path, description = "Its id.")),
    request_body = NewCredits,
    responses((status = 200, description = "Its credits after that.", body = Credits))
)]
pub async fn grant_credits(
    writer: Writer,
    Id(id): Id<OrganizationId>,
    Json(body): Json<NewCredits>,
) -> Answer {
    let amount = Amount { minor: body.amount_minor, currency: body.currency };
    let input = CreditInput { amount, expires_at: body.expires_at, note: body.note.0 };
    Ok(answer::ok(Credits::from(writer.control.grant_credits(&writer.actor, id, input, Utc::now()).await?)))
}

/// Take credits back
///
/// What nothing is committed of: because its money was given back, or it was granted by mistake. With `grant_id` the money of
/// credits that were bought goes back to the card; should that fail, they are there again.
#[utoipa::path(
    post, path = "/v1/organizations/{organization}/credits/refund", tag = "Organizations", operation_id = "refundCredits",
    params(("organization" = schema::OrganizationId, Path, description = "Its id.")),
    request_body = CreditRefund,
    responses((status = 200, description = "Its credits after that.", body = Credits))
)]
pub async fn refund_credits(
    writer: Writer,
    Id(id): Id<OrganizationId>,
    Json(body): Json<CreditRefund>,
) -> Answer {
    let amount = Amount { minor: body.amount_minor, currency: body.currency };
    let (control, note) = (&writer.control, body.note.0.as_str());
    let taken = match body.grant_id {
        Some(grant) => control.refund_credits(&writer.actor, id, grant, amount, note, Utc::now()).await?,
        None => control.take_credits_back(&writer.actor, id, amount, note, Utc::now()).await?,
    };
    Ok(answer::ok(Credits::from(taken)))
}
