//! The nightly proof: what was allowed is what was metered is what was invoiced.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tollgate_domain::{CalendarMonth, Scope, SubscriptionId};
use tollgate_store::{DifferenceRow, ProofRow};

use super::statement::Charge;
use crate::{Action, Actor, Control, Result};

/// A subscription of which two ledgers say different things.
fn difference(kind: &str, id: SubscriptionId, expected: i64, found: i64) -> Value {
    json!({ "kind": kind, "subscription_id": id, "expected": expected, "found": found })
}

impl Control {
    /// Compares the ledgers of the present month and of the two before, and keeps what it found. Returns how many
    /// differences there are.
    ///
    /// # Errors
    /// The database is away.
    pub async fn prove_usage(&self, now: DateTime<Utc>) -> Result<usize> {
        let month = CalendarMonth::of(now);
        let mut differences = 0;
        let mut months = vec![month.previous(), month];
        // Of the month before last everything is billed, what came late for it, too.
        let oldest = month.previous().previous();
        if self.store.month_is_billed(oldest).await?.0 && self.check_kept(oldest).await.is_ok() {
            months.insert(0, oldest);
        }
        for month in months {
            let sums = self.store.proof_sums(month).await?;
            let found = self.differences(month).await?;
            if !found.is_empty() {
                tracing::error!(%month, differences = found.len(), "what was metered, allowed and invoiced differs");
            }
            differences += found.len();
            self.store.insert_proof(month, sums, &Value::Array(found)).await?;
        }
        Ok(differences)
    }

    async fn differences(&self, month: CalendarMonth) -> Result<Vec<Value>> {
        let told = |kind: &'static str| {
            move |row: DifferenceRow| difference(kind, row.subscription_id, row.expected, row.found)
        };
        let quotas = self.store.list_quota_differences(month).await?;
        let mut found: Vec<Value> = quotas.into_iter().map(told("quota_count")).collect();
        let overdrawn = self.store.list_overdrawn_budgets(month).await?;
        found.extend(overdrawn.into_iter().map(told("budget_overdrawn")));
        found.extend(self.invoice_differences(month).await?);
        Ok(found)
    }

    /// What a month comes to now, against what was billed for it. More than was billed is no difference while it can still
    /// be a late line of the next invoice: until that is written, and where counts came since.
    async fn invoice_differences(&self, month: CalendarMonth) -> Result<Vec<Value>> {
        let (is_billed, late_is_billed) = self.store.month_is_billed(month).await?;
        if !is_billed {
            return Ok(Vec::new());
        }
        let mut billed = HashMap::new();
        for row in self.store.list_all_billed(month).await? {
            billed.insert((row.subscription_id, row.plan_id, row.tariff), row.amount_minor);
        }
        let to_be_billed = self.store.list_noted_late(month).await?;
        let mut found = Vec::new();
        for row in self.store.list_billable(Scope::Operator, month).await? {
            let charge = Charge::of(row, month)?;
            let key = (charge.row.subscription_id, charge.row.plan_id, charge.row.tariff);
            let expected = charge.bill.total_minor.cast_signed();
            let was_billed = billed.remove(&key).unwrap_or(0);
            let is_missing = was_billed < expected && late_is_billed && !to_be_billed.contains(&key.0);
            if was_billed > expected || is_missing {
                found.push(difference("invoice_amount", key.0, expected, was_billed));
            }
        }
        found.extend(
            billed
                .into_iter()
                .filter(|(_, amount)| *amount != 0)
                .map(|((id, ..), amount)| difference("invoice_without_use", id, 0, amount)),
        );
        Ok(found)
    }

    /// The latest proofs, newest first.
    ///
    /// # Errors
    /// The actor may not, or the database is away.
    pub async fn list_proofs(&self, actor: &Actor) -> Result<Vec<ProofRow>> {
        actor.authorize(Action::ReadPlatform)?;
        Ok(self.store.list_proofs(100).await?)
    }
}
