//! What the provider tells us: verified, taken once, and then looked up there, so that order does not matter.

use chrono::{DateTime, Utc};
use tollgate_domain::PaymentKind;
use tollgate_store::NewProviderEvent;

use super::provider::{NotAuthentic, ProviderEvent, RefundStanding};
use crate::jobs::Job;
use crate::{Control, Error, Result};

/// What was done with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It was taken; the work is queued.
    Taken,
    /// It came before.
    Again,
    /// It is nothing that we do anything about.
    Ignored,
    /// It is not about our account; it is kept to be looked at.
    Foreign,
    /// It is not from the provider. Nothing was kept.
    Refused(NotAuthentic),
}

/// What an event is about, as far as we care.
fn concerns(kind: &str) -> bool {
    matches!(
        kind.split_once('.'),
        Some(("invoice" | "checkout" | "refund", _)) | Some(("customer", "updated"))
    ) || kind == "charge.refund.updated"
}

impl Control {
    /// Takes a message of the payment provider. It is kept before this returns, and handled later.
    ///
    /// # Errors
    /// No provider is set up, or the database is away: then the provider sends it again.
    pub async fn receive_event(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Received> {
        let provider = self.provider.as_ref().ok_or(Error::NotFound("payment provider"))?;
        let event = match provider.verify(signature, body, now) {
            Ok(event) => event,
            Err(refused) => {
                self.figures.refuse_message();
                tracing::warn!(reason = %refused, "a message that claims to be the payment provider's was refused");
                return Ok(Received::Refused(refused));
            }
        };
        let (state, answer) = match &event {
            ProviderEvent { foreign: Some(why), .. } => {
                tracing::error!(
                    event = event.id,
                    why,
                    "the payment provider sends events of another account"
                );
                ("foreign", Received::Foreign)
            }
            event if concerns(&event.kind) && event.object_id.is_some() => ("queued", Received::Taken),
            _ => ("ignored", Received::Ignored),
        };
        if let Some(why) = &event.odd {
            tracing::warn!(
                event = event.id,
                why,
                "the payment provider's endpoint is not set up as it should be"
            );
        }
        let new = NewProviderEvent {
            id: &event.id,
            kind: &event.kind,
            object_id: event.object_id.as_deref(),
            api_version: event.api_version.as_deref(),
            happened_at: event.happened_at,
            state,
            note: event.foreign.as_deref().or(event.odd.as_deref()),
        };
        let job = Job::TakeEvent { event_id: event.id.clone() };
        let job = (state == "queued").then_some(job);
        let taken = crate::jobs::keep_event(&self.store, &new, job.as_ref()).await?;
        Ok(if taken { answer } else { Received::Again })
    }

    /// Does what an event asks for: fetches what it is about, and takes over how that stands.
    ///
    /// # Errors
    /// The provider or the database is away.
    pub async fn take_event(&self, id: &str, now: DateTime<Utc>) -> Result<()> {
        let Some(event) = self.store.find_provider_event(id).await? else { return Ok(()) };
        let Some(object) = event.object_id.as_ref().filter(|_| event.state == "queued") else {
            return Ok(());
        };
        let provider = self.payment_provider()?.clone();
        match event.kind.split_once('.') {
            Some(("invoice", _)) => self.follow_bill(&provider.bill(object).await?, now).await?,
            Some(("checkout", _)) => {
                if let Some(checkout) = self.store.find_checkout(object).await? {
                    self.follow_checkout(&checkout, now).await?;
                }
            }
            Some(("customer", _)) => self.follow_customer(object).await?,
            Some(("refund" | "charge", _)) => self.follow_refund(object).await?,
            _ => {}
        }
        Ok(self.store.finish_provider_event(id).await?)
    }

    async fn follow_customer(&self, customer: &str) -> Result<()> {
        let provider = self.payment_provider()?;
        let Some(organization) = self.store.find_payer(provider.name(), customer).await? else {
            return Ok(());
        };
        let account = self.payer(organization).await?;
        match provider.method(customer).await? {
            Some(method) => self.keep_method(organization, &account, &method).await,
            None => Ok(()),
        }
    }

    async fn follow_refund(&self, refund: &str) -> Result<()> {
        let provider = self.payment_provider()?;
        let Some(row) = self.store.find_payment(provider.name(), PaymentKind::Refund, refund).await? else {
            return self.follow_credit_refund(refund).await.map(drop);
        };
        match provider.refund_standing(refund).await? {
            RefundStanding::Pending => Ok(()),
            standing => self.settle_return(&row, standing, None).await,
        }
    }
}
