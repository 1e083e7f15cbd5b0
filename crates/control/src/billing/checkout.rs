//! Visits to the provider's pages: to leave a way to pay, to pay a bill, to look after either.

use chrono::{DateTime, Utc};
use serde_json::json;
use tollgate_domain::{
    Amount, CheckoutState, Currency, InvoiceId, InvoiceState, OrganizationId, PlanId, PlanState, Scope,
    SubscriptionId,
};
use tollgate_store::{CheckoutRow, NewCheckout, Page, PaymentAccountRow};
use uuid::Uuid;

use super::provider::{PageRequest, PageState, Purchase};
use crate::change::Subject;
use crate::jobs::{self, Job};
use crate::{Action, Actor, Control, Error, Result, SubscriptionPatch, Who};

/// What somebody goes to the provider's page for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckoutInput {
    /// To leave a way to pay.
    Method,
    /// To leave a way to pay, and be on a plan that costs something once it is there.
    Plan(SubscriptionId, PlanId),
    /// To pay a bill.
    Invoice(InvoiceId),
    /// To buy credits.
    Credits(Amount),
}

impl Control {
    /// Opens the provider's page; returns where to send the browser. Nothing else happens until the provider says that it
    /// was completed: `return_url` gets the visit's id at its end.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where there is nothing to pay or no provider; the provider is away; or the actor may not.
    pub async fn open_checkout(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        input: CheckoutInput,
        return_url: &str,
        cancel_url: &str,
    ) -> Result<String> {
        let scope = actor.authorize(Action::WriteOrganization(organization))?;
        let provider = self.payment_provider()?.clone();
        let (pays, wish) = match input {
            CheckoutInput::Method => (None, None),
            CheckoutInput::Plan(subscription, plan) => {
                self.check_wish(scope, subscription, plan).await?;
                (None, Some((subscription, plan)))
            }
            CheckoutInput::Invoice(id) => {
                let row = self.store.get_invoice(scope, id).await?;
                if row.state != InvoiceState::Open {
                    return Err(Error::Conflict(format!("this invoice is {} already", row.state)));
                }
                let title = format!("Invoice {}", row.number);
                (Some(Purchase { invoice_id: Some(id), title, amount: row.due() }), None)
            }
            CheckoutInput::Credits(amount) => {
                self.check_purchase(organization, amount).await?;
                (Some(Purchase { invoice_id: None, title: "Credits".to_owned(), amount }), None)
            }
        };
        let credits = match input {
            CheckoutInput::Credits(amount) => Some(amount),
            _ => None,
        };
        let account = self.payer(organization).await?;
        let id = Uuid::now_v7();
        let user_id = match actor.who {
            Who::Member { user_id, .. } => Some(user_id),
            _ => None,
        };
        let invoice_id = pays.as_ref().and_then(|pays| pays.invoice_id);
        let mut change = self.change(actor).await?;
        let new = NewCheckout { id, organization_id: organization, user_id, invoice_id, credits, wish };
        change.tx.insert_checkout(&new).await?;
        let subject = Subject { kind: "checkout", id, organization: Some(organization) };
        change
            .commit("checkout.open", subject, json!({ "invoice_id": invoice_id, "credits": credits }))
            .await?;
        let request = PageRequest {
            checkout: id,
            customer: account.customer_ref,
            currency: self.currency_of(organization, &pays, wish).await?,
            pays,
            return_url: format!("{return_url}/{id}"),
            cancel_url: cancel_url.to_owned(),
        };
        let slot = self.store.begin_provider_call(&format!("page:{id}")).await?;
        let page = provider.open_page(slot.key, &request).await?;
        self.store.finish_provider_call(&format!("page:{id}"), &page.id).await?;
        self.store.name_checkout(id, &page.id).await?;
        Ok(page.url)
    }

    /// In which currency somebody will be billed, as far as can be told.
    async fn currency_of(
        &self,
        organization: OrganizationId,
        pays: &Option<Purchase>,
        wish: Option<(SubscriptionId, PlanId)>,
    ) -> Result<Currency> {
        if let Some(Purchase { amount, .. }) = pays {
            return Ok(amount.currency);
        }
        if let Some((_, plan)) = wish {
            return Ok(self.store.get_plan(plan).await?.price().currency);
        }
        let scope = Scope::Organization(organization);
        let last = self.store.list_invoices(scope, None, Page { after: None, limit: 1 }).await?;
        let euros = "EUR".parse().expect("three capital letters");
        Ok(last.first().map_or(euros, |row| row.total().currency))
    }

    async fn check_wish(&self, scope: Scope, subscription: SubscriptionId, plan: PlanId) -> Result<()> {
        let row = self.store.get_subscription(scope, subscription).await?;
        let plan = self.store.get_plan(plan).await?;
        if plan.product_id != row.product_id {
            return Err(Error::invalid("/plan_id", "a plan of the same product"));
        }
        if plan.state != PlanState::Open || plan.approval {
            return Err(Error::invalid("/plan_id", "this plan cannot be chosen now"));
        }
        Ok(())
    }

    /// Whether an organization must leave a way to pay before it is on a plan: one that costs something and is not paid in
    /// advance, where a provider collects.
    ///
    /// # Errors
    /// The database is away.
    pub async fn needs_method(&self, organization: OrganizationId, plan: PlanId) -> Result<bool> {
        if !self.collects()
            || self.plan_tariff(plan).await?.tariff.is_free()
            || self.store.is_prepaid(plan).await?
        {
            return Ok(false);
        }
        let account = self.store.find_payment_account(organization).await?;
        Ok(account.is_none_or(|account| account.method_ref.is_none()))
    }

    /// A visit of the actor's organization.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn checkout(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        id: Uuid,
    ) -> Result<CheckoutRow> {
        let scope = actor.authorize(Action::ReadOrganization(organization))?;
        Ok(self.store.get_checkout(scope, id).await?)
    }

    /// Takes over what became of a visit, as the provider has it. Doing it again changes nothing.
    ///
    /// # Errors
    /// The provider or the database is away.
    pub async fn follow_checkout(&self, row: &CheckoutRow, now: DateTime<Utc>) -> Result<()> {
        let Some(page) = row.provider_ref.as_ref().filter(|_| row.state == CheckoutState::Open) else {
            return Ok(());
        };
        let provider = self.payment_provider()?.clone();
        let mut bought = None;
        let mut paid = None;
        let state = match (provider.page(page).await?, row.invoice()) {
            (PageState::Open, _) => return Ok(()),
            (PageState::Expired, _) => CheckoutState::Expired,
            (PageState::MethodLeft { method }, _) => {
                self.take_method(row, &method).await?;
                CheckoutState::Completed
            }
            (PageState::Paid { payment, amount }, Some(invoice)) => {
                self.note_paid(invoice, &payment, amount, now).await?;
                paid = Some(payment);
                CheckoutState::Completed
            }
            (PageState::Paid { amount, payment }, None) => {
                paid = Some(payment);
                // What came is what counts, should it ever differ from what was asked for.
                bought = row.credits().map(|_| amount);
                CheckoutState::Completed
            }
        };
        let system = Actor::system();
        let mut change = self.change(&system).await?;
        if !change.tx.settle_checkout(row.id, state, paid.as_deref()).await? {
            return Ok(());
        }
        if let Some(amount) = bought {
            self.grant_bought(&mut change, (row.organization_id, row.id), amount, now).await?;
        }
        // What was paid on this page must not be collected there once more.
        if let Some(invoice_id) = row.invoice().filter(|_| state == CheckoutState::Completed) {
            jobs::queue(&mut change.tx, &Job::CloseAtProvider { invoice_id }).await?;
        }
        let subject = Subject { kind: "checkout", id: row.id, organization: Some(row.organization_id) };
        let action = if state == CheckoutState::Completed { "checkout.complete" } else { "checkout.expire" };
        change.commit(action, subject, json!({})).await
    }

    /// Bills are collected from this from now on; the wish that led here comes true.
    async fn take_method(&self, row: &CheckoutRow, method: &(String, String)) -> Result<()> {
        let provider = self.payment_provider()?;
        let account = self.payer(row.organization_id).await?;
        self.once_at_provider(&format!("method:{}", row.id), None, async |key| {
            provider.set_method(key, &account.customer_ref, &method.0).await.map(|()| method.0.clone())
        })
        .await?;
        self.keep_method(row.organization_id, &account, method).await?;
        let Some((subscription, plan)) = row.wish() else { return Ok(()) };
        let now = self.store.get_subscription(Scope::Operator, subscription).await?;
        if now.plan_id != plan {
            let patch = SubscriptionPatch { plan_id: Some(plan), ..SubscriptionPatch::default() };
            self.update_subscription(&Actor::system(), subscription, None, patch).await?;
        }
        Ok(())
    }

    pub(super) async fn keep_method(
        &self,
        organization: OrganizationId,
        account: &PaymentAccountRow,
        (method, label): &(String, String),
    ) -> Result<()> {
        if account.method_ref.as_ref() == Some(method) {
            return Ok(());
        }
        let kept = Some((method.as_str(), label.as_str()));
        self.store.keep_payment_account(organization, &account.provider, &account.customer_ref, kept).await?;
        Ok(self.store.attempt_now(organization).await?)
    }

    /// Opens the provider's page where an organization looks after its ways to pay; returns where to send the browser.
    ///
    /// # Errors
    /// No provider, or it is away; or the actor may not.
    pub async fn open_payment_account(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        return_url: &str,
    ) -> Result<String> {
        actor.authorize(Action::WriteOrganization(organization))?;
        let account = self.payer(organization).await?;
        Ok(self.payment_provider()?.open_account(&account.customer_ref, return_url).await?)
    }

    /// Keeps a number for the tax office, like a VAT number, on an organization's bills.
    ///
    /// # Errors
    /// `Invalid` where the provider does not take it; the provider is away; or the actor may not.
    pub async fn set_tax_id(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        kind: &str,
        value: &str,
    ) -> Result<()> {
        use super::provider::ProviderFault;
        actor.authorize(Action::WriteOrganization(organization))?;
        let provider = self.payment_provider()?;
        let value = value.trim();
        if value.is_empty() || value.len() > 40 {
            return Err(Error::invalid(
                "/value",
                "the number as it stands on your papers, up to 40 characters",
            ));
        }
        let account = self.payer(organization).await?;
        let purpose = format!("tax_id:{organization}:{kind}:{value}");
        let added = self.once_at_provider(&purpose, None, async |key| {
            provider.add_tax_id(key, &account.customer_ref, kind, value).await
        });
        let reference = added.await.map_err(|error| match error {
            Error::Provider(ProviderFault::Refused(text)) => Error::invalid("/value", text),
            other => other,
        })?;
        let text = format!("{kind} {value}");
        let mut change = self.change(actor).await?;
        change.tx.keep_tax_id(organization, &reference, &text).await?;
        let subject =
            Subject { kind: "organization", id: organization.uuid(), organization: Some(organization) };
        change.commit("organization.tax_id", subject, json!({ "tax_id": text })).await
    }
}
