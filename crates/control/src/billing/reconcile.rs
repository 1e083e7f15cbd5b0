//! Our invoices against the provider's: what differs is reported, and nothing is changed.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tollgate_domain::{InvoiceId, InvoiceState, Scope};
use tollgate_store::{InvoiceRow, Page, ReconciliationRow};

use super::provider::{Bill, BillStanding};
use crate::{Action, Actor, Control, Result};

/// How far back a comparison looks.
const WINDOW: TimeDelta = TimeDelta::days(70);
/// Bills that are compared at most.
const BILLS_MAX: usize = 20_000;

/// Something that stands differently here and there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Our bill; none where the provider has one that we do not know.
    pub invoice_id: Option<InvoiceId>,
    /// As people call it, or as the provider does.
    pub number: String,
    /// What differs: missing, total, state or paid.
    pub what: String,
    /// As it stands here.
    pub ours: String,
    /// As it stands there.
    pub theirs: String,
}

impl Control {
    /// Compares the invoices of the last seventy days with the provider's and keeps the report. Returns how many
    /// differences there are; none without a provider.
    ///
    /// # Errors
    /// The provider or the database is away.
    pub async fn reconcile(&self, now: DateTime<Utc>) -> Result<usize> {
        let Some(provider) = self.provider.clone() else { return Ok(0) };
        let since = now - WINDOW;
        let mut bills: HashMap<String, Bill> = HashMap::new();
        let mut after: Option<String> = None;
        loop {
            let page = provider.bills(since, after.as_deref()).await?;
            after = page.last().map(|bill| bill.id.clone());
            let full = page.len() == 100;
            bills.extend(page.into_iter().map(|bill| (bill.id.clone(), bill)));
            if !full || bills.len() >= BILLS_MAX {
                break;
            }
        }
        let mut differences = Vec::new();
        let mut checked = 0;
        let mut page = Page::FIRST_500;
        loop {
            let rows = self.store.list_invoices(Scope::Operator, None, page).await?;
            let Some(last) = rows.last() else { break };
            page.after = Some(last.id.uuid());
            let done = rows.len() < 500 || last.issued_at < since;
            for row in rows.iter().filter(|row| row.issued_at >= since && row.total().minor > 0) {
                checked += 1;
                let deducted = self.deducted(row).await?.minor;
                differences.extend(self.compare(row, &mut bills, deducted, now));
            }
            if done {
                break;
            }
        }
        differences.extend(bills.into_values().filter(|bill| bill.invoice_id.is_some()).map(|bill| {
            Difference {
                invoice_id: None,
                number: bill.id,
                what: "missing".to_owned(),
                ours: "no such invoice".to_owned(),
                theirs: bill.total.to_string(),
            }
        }));
        if !differences.is_empty() {
            tracing::error!(differences = differences.len(), "invoices differ from the payment provider's");
        }
        self.store.insert_reconciliation(checked, &json!(differences)).await?;
        Ok(differences.len())
    }

    /// What differs about one bill.
    fn compare(
        &self,
        row: &InvoiceRow,
        bills: &mut HashMap<String, Bill>,
        deducted: u64,
        now: DateTime<Utc>,
    ) -> Vec<Difference> {
        let difference = |what: &str, ours: String, theirs: String| Difference {
            invoice_id: Some(row.id),
            number: row.number.clone(),
            what: what.to_owned(),
            ours,
            theirs,
        };
        let Some(bill) = row.provider_ref.as_ref().and_then(|id| bills.remove(id)) else {
            // What was settled by hand before the provider had it is no difference.
            let late = row.state == InvoiceState::Open && now - row.issued_at > TimeDelta::days(1);
            return match late || row.provider_ref.is_some() {
                true => vec![difference("missing", row.total().to_string(), "no such invoice".to_owned())],
                false => Vec::new(),
            };
        };
        let mut found = Vec::new();
        let minor = (row.total().minor + row.tax().minor).saturating_sub(deducted);
        let ours = tollgate_domain::Amount { minor, ..row.total() };
        if ours != bill.total {
            found.push(difference("total", ours.to_string(), bill.total.to_string()));
        }
        let theirs = match bill.standing {
            BillStanding::Draft => "draft",
            BillStanding::Open => "open",
            BillStanding::Paid => "paid",
            BillStanding::Void => "void",
        };
        if theirs != row.state.as_str() {
            found.push(difference("state", row.state.to_string(), theirs.to_owned()));
        }
        found
    }

    /// The last comparisons, newest first.
    ///
    /// # Errors
    /// The database is away, or the actor may not.
    pub async fn reconciliations(&self, actor: &Actor) -> Result<Vec<(ReconciliationRow, Vec<Difference>)>> {
        actor.authorize(Action::ReadPlatform)?;
        let rows = self.store.list_reconciliations(30).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let differences = serde_json::from_value(row.differences.clone()).unwrap_or_default();
                (row, differences)
            })
            .collect())
    }
}
