//! Collecting a bill: the provider is given it line by line, and asked for the money.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tollgate_domain::{Amount, InvoiceId, InvoiceState, OrganizationId, PaymentKind, PaymentState, Scope};
use tollgate_language::{Language, Said, text};
use tollgate_store::{InvoiceRow, NewPayment, PaymentAccountRow};
use uuid::Uuid;

use super::provider::{Bill, BillStanding, NewBill, NewBillLine, NewCustomer, ProviderFault, Sought};
use crate::change::Subject;
use crate::jobs::{self, Job};
use crate::{Actor, Control, Error, Result};

/// How often a bill is tried to be collected: daily, then left to the customer.
const ATTEMPTS_MAX: i32 = 8;
/// Lines that a provider takes of one bill; the rest are one line.
const LINES_MAX: usize = 200;

/// What a bill is written in.
fn language_of(row: &InvoiceRow) -> Language {
    Language::named(&row.language).unwrap_or_default()
}

impl Control {
    /// Gives a bill to the provider and collects it, as far as that was not done. Does nothing without a provider, and
    /// for a bill that is settled.
    ///
    /// # Errors
    /// The provider or the database is away; or the provider will not have it.
    pub async fn collect_invoice(&self, id: InvoiceId, now: DateTime<Utc>) -> Result<()> {
        let Some(provider) = self.provider.clone() else { return Ok(()) };
        let row = self.store.get_invoice(Scope::Operator, id).await?;
        if row.state != InvoiceState::Open || row.total().minor == 0 {
            return Ok(());
        }
        let account = self.payer(row.organization_id).await?;
        let bill = match &row.provider_ref {
            Some(bill) => bill.clone(),
            None => self.hand_over(&row, &account).await?,
        };
        if account.method_ref.is_none() || self.store.is_being_paid(id).await? {
            return Ok(());
        }
        let purpose = format!("collect:{id}:{}", row.attempts + 1);
        let collected = self.once_at_provider(&purpose, None, async |key| {
            provider.collect(key, &bill).await.map(|bill| bill.payment.unwrap_or_default())
        });
        match collected.await {
            Ok(_) => self.follow_bill(&provider.bill(&bill).await?, now).await,
            Err(Error::Provider(ProviderFault::Declined(reason))) => {
                self.note_unpaid(id, &reason, row.attempts + 1, now).await
            }
            Err(error) => Err(error),
        }
    }

    /// Who an organization is at the provider; it is introduced where it is not known.
    pub(super) async fn payer(&self, organization: OrganizationId) -> Result<PaymentAccountRow> {
        let provider = self.payment_provider()?;
        if let Some(account) = self.store.find_payment_account(organization).await?
            && account.provider == provider.name()
        {
            return Ok(account);
        }
        let row = self.store.get_organization(Scope::Operator, organization).await?;
        let owner = self.store.list_payers(organization).await?;
        let owner = match owner.first() {
            Some(id) => self.store.find_user(*id).await?,
            None => None,
        };
        let new = NewCustomer {
            organization_id: organization,
            name: row.name,
            email: owner.map(|owner| owner.email),
        };
        let sought = Some(Sought::Customer(organization));
        let customer = self
            .once_at_provider(&format!("customer:{organization}"), sought, async |key| {
                provider.create_customer(key, &new).await
            })
            .await?;
        self.store.keep_payment_account(organization, provider.name(), &customer, None).await?;
        let account = self.store.find_payment_account(organization).await?;
        account.ok_or(Error::NotFound("payment account"))
    }

    /// Makes the bill at the provider; returns what it is called there.
    async fn hand_over(&self, row: &InvoiceRow, account: &PaymentAccountRow) -> Result<String> {
        let provider = self.payment_provider()?;
        let id = row.id;
        let customer = &account.customer_ref;
        let new = NewBill {
            invoice_id: id,
            number: row.number.clone(),
            customer: customer.clone(),
            total: row.total(),
            collect: account.method_ref.is_some(),
        };
        let sought = Some(Sought::Bill { customer: customer.clone(), invoice_id: id });
        let bill = self
            .once_at_provider(&format!("bill:{id}"), sought, async |key| {
                provider.create_bill(key, &new).await
            })
            .await?;
        let deducted = self.deducted(row).await?;
        let lines =
            self.lines_for_provider(row).await?.into_iter().map(|(title, amount)| (title, amount, false));
        let deduction = (deducted.minor > 0)
            .then(|| (text(language_of(row), "bill-from-credits").to_owned(), deducted, true));
        for (position, (title, amount, deducts)) in lines.chain(deduction).enumerate() {
            let line = NewBillLine { bill: bill.clone(), customer: customer.clone(), title, amount, deducts };
            let purpose = format!("line:{id}:{position}");
            self.once_at_provider(&purpose, None, async |key| provider.add_line(key, &line).await).await?;
        }
        self.once_at_provider(&format!("finalize:{id}"), None, async |key| {
            provider.finalize(key, &bill).await.map(|bill| bill.id)
        })
        .await?;
        let made = provider.bill(&bill).await?;
        self.store.keep_invoice_ref(id, &bill, made.hosted_url.as_deref(), made.tax_minor).await?;
        Ok(bill)
    }

    /// By how much a bill was lowered before the provider had it: from credits, or by hand.
    pub(super) async fn deducted(&self, row: &InvoiceRow) -> Result<Amount> {
        let none = Amount { minor: 0, ..row.total() };
        if row.credited().minor == 0 {
            return Ok(none);
        }
        let provider = self.payment_provider()?.name();
        let payments = self.store.list_payments(Scope::Operator, row.id).await?;
        let ours = payments.iter().filter(|one| one.kind == PaymentKind::Credit && one.provider != provider);
        let minor = ours.fold(0u64, |sum, one| sum.saturating_add(one.amount().minor));
        Ok(Amount { minor, ..none })
    }

    async fn lines_for_provider(&self, row: &InvoiceRow) -> Result<Vec<(String, Amount)>> {
        let currency = row.total().currency;
        let lines = self.store.list_invoice_lines(Scope::Operator, row.id).await?;
        let mut said: Vec<(String, Amount)> = lines
            .into_iter()
            .filter(|line| line.amount_minor != 0)
            .map(|line| (line.title, Amount { minor: line.amount_minor.unsigned_abs(), currency }))
            .collect();
        if said.len() > LINES_MAX {
            let rest = said.split_off(LINES_MAX - 1);
            let minor = rest.iter().map(|(_, amount)| amount.minor).sum();
            let further = Said::new(language_of(row), "bill-further").count(rest.len());
            said.push((further.into(), Amount { minor, currency }));
        }
        Ok(said)
    }

    /// Takes over where a bill stands at the provider. Told twice or out of order it changes nothing.
    pub(super) async fn follow_bill(&self, bill: &Bill, now: DateTime<Utc>) -> Result<()> {
        let Some(id) = bill.invoice_id else { return Ok(()) };
        let row = self.store.get_invoice(Scope::Operator, id).await?;
        if row.provider_ref.as_deref() != Some(&bill.id) {
            return Ok(());
        }
        self.store.keep_invoice_ref(id, &bill.id, bill.hosted_url.as_deref(), bill.tax_minor).await?;
        let due = Amount { minor: bill.paid_minor, currency: bill.total.currency };
        match (&bill.payment, bill.standing) {
            (Some(payment), BillStanding::Paid) => self.note_paid(id, payment, due, now).await,
            (None, BillStanding::Open) if bill.attempts > u64::from(row.attempts.unsigned_abs()) => {
                let reason = "the provider could not collect it";
                self.note_unpaid(id, reason, row.attempts + 1, now).await
            }
            _ => Ok(()),
        }
    }

    /// A bill was paid at the provider. Money for one that is settled already goes back.
    pub(super) async fn note_paid(
        &self,
        id: InvoiceId,
        payment: &str,
        amount: Amount,
        _now: DateTime<Utc>,
    ) -> Result<()> {
        let system = Actor::system();
        let provider = self.payment_provider()?;
        let mut change = self.change(&system).await?;
        let row = change.tx.lock_invoice(id).await?;
        let new = NewPayment {
            id: Uuid::now_v7(),
            organization_id: row.organization_id,
            invoice_id: id,
            kind: PaymentKind::Payment,
            state: PaymentState::Done,
            amount,
            provider: provider.name(),
            provider_ref: Some(payment),
            of_payment: None,
            note: None,
        };
        if !change.tx.insert_payment(&new).await? {
            return Ok(());
        }
        let subject = Subject { kind: "invoice", id: id.uuid(), organization: Some(row.organization_id) };
        let details = json!({ "number": row.number, "amount": amount, "provider": provider.name() });
        if row.state != InvoiceState::Open {
            let refund = Uuid::now_v7();
            let back = NewPayment {
                id: refund,
                kind: PaymentKind::Refund,
                state: PaymentState::Pending,
                provider_ref: None,
                of_payment: Some(new.id),
                note: Some("the invoice was settled already"),
                ..new
            };
            change.tx.insert_payment(&back).await?;
            change.tx.sum_returns(id).await?;
            jobs::queue(&mut change.tx, &Job::Refund { payment_id: refund }).await?;
            return change.commit("invoice.paid_twice", subject, details).await;
        }
        change.tx.settle_invoice(id, InvoiceState::Paid).await?;
        change.tx.relieve(row.organization_id).await?;
        change.commit("invoice.pay", subject, details).await
    }

    /// A bill could not be collected: its days of grace begin.
    pub(super) async fn note_unpaid(
        &self,
        id: InvoiceId,
        reason: &str,
        attempt: i32,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let system = Actor::system();
        let mut change = self.change(&system).await?;
        let row = change.tx.lock_invoice(id).await?;
        // Somebody else noted this attempt, or it was paid meanwhile.
        if row.state != InvoiceState::Open || row.attempts >= attempt {
            return Ok(());
        }
        let again = (attempt < ATTEMPTS_MAX && row.provider_ref.is_some()).then(|| now + TimeDelta::days(1));
        change.tx.note_failure(id, now, reason, again).await?;
        let provider = self.provider.as_ref().map_or("manual", |provider| provider.name());
        let failure = format!("{id}:{attempt}");
        let new = NewPayment {
            id: Uuid::now_v7(),
            organization_id: row.organization_id,
            invoice_id: id,
            kind: PaymentKind::Failure,
            state: PaymentState::Done,
            amount: row.total(),
            provider,
            provider_ref: Some(&failure),
            of_payment: None,
            note: Some(reason),
        };
        change.tx.insert_payment(&new).await?;
        for user_id in self.store.list_payers(row.organization_id).await? {
            jobs::queue(&mut change.tx, &Job::PaymentFailed { invoice_id: id, user_id }).await?;
        }
        let subject = Subject { kind: "invoice", id: id.uuid(), organization: Some(row.organization_id) };
        let details = json!({ "number": row.number, "reason": reason, "attempt": attempt });
        change.commit("invoice.payment_failed", subject, details).await
    }
}
