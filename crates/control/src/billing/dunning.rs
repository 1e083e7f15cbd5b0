//! Dunning: a bill that is not paid is tried again, has its days of grace, and then lands where its plan says.

use chrono::{DateTime, Utc};
use serde_json::json;
use tollgate_domain::{InvoiceId, InvoiceState, OrganizationId, PlanId, Scope, UnpaidLanding};
use tollgate_store::{DueKind, UnpaidTermsRow};

use crate::change::{Subject, check_version};
use crate::jobs::{self, Job};
use crate::{Action, Actor, Control, Error, Result};

/// Bills that are looked at in one go; the next one comes a minute later.
const AT_ONCE: i64 = 200;
/// The most days of grace.
const GRACE_DAYS_MAX: i16 = 365;

impl Control {
    /// What is due about bills by now: those that were left behind are given to the provider, those that failed are tried
    /// again, those past their due date count as failed, and those past their grace land.
    ///
    /// # Errors
    /// The database is away.
    pub async fn look_after_payments(&self, now: DateTime<Utc>) -> Result<()> {
        if self.collects() {
            for invoice_id in self.store.list_uncollected(AT_ONCE).await? {
                let once = format!("collect:{invoice_id}:late");
                self.queue(&Job::CollectInvoice { invoice_id }, Some(&once), None).await?;
            }
            for invoice_id in self.store.list_due_invoices(DueKind::Attempt, now, AT_ONCE).await? {
                let row = self.store.get_invoice(Scope::Operator, invoice_id).await?;
                let once = format!(
                    "collect:{invoice_id}:{}:{}",
                    row.attempts,
                    row.attempt_at.map_or(0, |at| at.timestamp())
                );
                self.queue(&Job::CollectInvoice { invoice_id }, Some(&once), None).await?;
            }
            for checkout in self.store.list_lingering_checkouts(AT_ONCE).await? {
                let once = format!("checkout:{}:{}", checkout.id, now.timestamp() / 3_600);
                self.queue(&Job::FollowCheckout { checkout_id: checkout.id }, Some(&once), None).await?;
            }
        }
        for id in self.store.list_due_invoices(DueKind::Overdue, now, AT_ONCE).await? {
            let row = self.store.get_invoice(Scope::Operator, id).await?;
            self.note_unpaid(id, "it was not paid until it was due", row.attempts + 1, now).await?;
        }
        for id in self.store.list_due_invoices(DueKind::Landing, now, AT_ONCE).await? {
            self.land(id, now).await?;
        }
        Ok(())
    }

    /// The grace of a bill is over.
    async fn land(&self, id: InvoiceId, now: DateTime<Utc>) -> Result<()> {
        let system = Actor::system();
        let mut change = self.change(&system).await?;
        let row = change.tx.lock_invoice(id).await?;
        if row.state != InvoiceState::Open || row.landed_at.is_some() {
            return Ok(());
        }
        let landed = change.tx.land(id, now).await?;
        let stopped = landed.iter().filter(|subscription| subscription.unpaid).count();
        for user_id in self.store.list_payers(row.organization_id).await? {
            jobs::queue(&mut change.tx, &Job::AccessLanded { invoice_id: id, user_id }).await?;
        }
        let subject = Subject { kind: "invoice", id: id.uuid(), organization: Some(row.organization_id) };
        let details =
            json!({ "number": row.number, "stopped": stopped, "throttled": landed.len() - stopped });
        change.commit("invoice.land", subject, details).await
    }

    /// Agrees on what becomes of late payers of a plan: how many days of grace they have (none for three), and what then
    /// happens to their calls.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, `Invalid`, or the actor may not.
    pub async fn agree_on_late_payers(
        &self,
        actor: &Actor,
        id: PlanId,
        expected: Option<i64>,
        landing: UnpaidLanding,
        grace_days: Option<i16>,
    ) -> Result<UnpaidTermsRow> {
        actor.authorize(Action::Publish)?;
        check_days(grace_days)?;
        let mut change = self.change(actor).await?;
        let plan = change.tx.lock_plan(id).await?;
        check_version(expected, plan.version)?;
        let terms = UnpaidTermsRow { landing, grace_days };
        change.tx.update_unpaid_terms(id, terms).await?;
        let subject = Subject { kind: "plan", id: id.uuid(), organization: None };
        let details = json!({ "unpaid_landing": landing, "grace_days": grace_days });
        change.commit("plan.late_payers", subject, details).await?;
        Ok(terms)
    }

    /// Agrees on an organization's own days of grace; none leaves it to its plans. Bills that failed already keep theirs.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, or the actor may not.
    pub async fn agree_on_grace(
        &self,
        actor: &Actor,
        id: OrganizationId,
        grace_days: Option<i16>,
    ) -> Result<()> {
        actor.authorize(Action::SettleBills)?;
        check_days(grace_days)?;
        let mut change = self.change(actor).await?;
        change.tx.update_grace(id, grace_days).await?;
        let subject = Subject { kind: "organization", id: id.uuid(), organization: Some(id) };
        change.commit("organization.grace", subject, json!({ "grace_days": grace_days })).await
    }
}

fn check_days(days: Option<i16>) -> Result<()> {
    match days {
        Some(days) if !(0..=GRACE_DAYS_MAX).contains(&days) => {
            Err(Error::invalid("/grace_days", format!("0 to {GRACE_DAYS_MAX} days")))
        }
        _ => Ok(()),
    }
}
