//! What jobs about money do.

use chrono::Utc;
use tollgate_domain::{
    InvoiceId, InvoiceState, OrganizationId, Scope, SubscriptionId, SubscriptionState, UserId,
};
use tollgate_store::{InvoiceRow, UserRow};
use uuid::Uuid;

use super::Job;
use super::letters::reads;
use super::worker::Failure;
use crate::mail::{self, Post};
use crate::{Control, Result};

impl Control {
    /// Jobs that are about bills and the payment provider.
    pub(super) async fn work_on_payments(&self, job: Job) -> Result<()> {
        let now = Utc::now();
        match job {
            Job::CollectInvoice { invoice_id } => self.collect_invoice(invoice_id, now).await,
            Job::CloseAtProvider { invoice_id } => self.close_at_provider(invoice_id).await,
            Job::TakeEvent { event_id } => self.take_event(&event_id, now).await,
            Job::FollowCheckout { checkout_id } => {
                let checkout = self.store.get_checkout(Scope::Operator, checkout_id).await?;
                self.follow_checkout(&checkout, now).await
            }
            Job::Refund { payment_id } => self.make_refund(payment_id).await,
            Job::RefundCredits { refund_id } => self.make_credit_refund(refund_id).await,
            Job::Credit { payment_id } => self.make_credit(payment_id).await,
            Job::LookAfterPayments {} => self.look_after_payments(now).await,
            Job::Reconcile {} => self.reconcile(now).await.map(drop),
            _ => Ok(()),
        }
    }

    /// Whom to write to about a bill that is still open.
    async fn owing(&self, id: InvoiceId, user_id: UserId) -> Result<Option<(InvoiceRow, UserRow)>> {
        let row = self.store.get_invoice(Scope::Operator, id).await?;
        let user = self.reader(user_id).await?.filter(|_| row.state == InvoiceState::Open);
        Ok(user.map(|user| (row, user)))
    }

    /// A cap that was lifted or a subscription that is over is not written about any more.
    pub(super) async fn send_spend_reached(
        &self,
        id: Uuid,
        subscription: SubscriptionId,
        user_id: UserId,
        percent: i32,
        post: &Post<'_>,
    ) -> std::result::Result<(), Failure> {
        let Some(cap) = self.store.find_spend_cap(subscription).await? else { return Ok(()) };
        let user = self.reader(user_id).await?;
        let row = self.store.get_subscription(Scope::Operator, subscription).await?;
        let Some(user) = user.filter(|_| row.state == SubscriptionState::Active) else { return Ok(()) };
        let product = self.store.get_product(row.product_id).await?.name;
        let link = format!("{}/subscriptions/{subscription}/cap", post.url());
        let letter = mail::spend_reached(
            reads(&user),
            &product,
            percent,
            &cap.amount().to_string(),
            cap.landing,
            &link,
        );
        self.write(id, &user, Some(row.organization_id), &letter, post).await
    }

    pub(super) async fn send_credits_low(
        &self,
        id: Uuid,
        (organization, user_id): (OrganizationId, UserId),
        (left, used_up): (&str, bool),
        post: &Post<'_>,
    ) -> std::result::Result<(), Failure> {
        let Some(user) = self.reader(user_id).await? else { return Ok(()) };
        let link = format!("{}/billing/credits", post.url());
        let letter = mail::credits_low(reads(&user), left, used_up, &link);
        self.write(id, &user, Some(organization), &letter, post).await
    }

    pub(super) async fn send_payment_failed(
        &self,
        id: Uuid,
        invoice: InvoiceId,
        user_id: UserId,
        post: &Post<'_>,
    ) -> std::result::Result<(), Failure> {
        let Some((row, user)) = self.owing(invoice, user_id).await? else { return Ok(()) };
        let link = format!("{}/billing/invoices/{invoice}", post.url());
        let letter = mail::payment_failed(
            reads(&user),
            (&row.number, &row.due().to_string()),
            row.failure.as_deref(),
            row.grace_until,
            &link,
        );
        self.write(id, &user, Some(row.organization_id), &letter, post).await
    }

    pub(super) async fn send_access_landed(
        &self,
        id: Uuid,
        invoice: InvoiceId,
        user_id: UserId,
        post: &Post<'_>,
    ) -> std::result::Result<(), Failure> {
        let Some((row, user)) = self.owing(invoice, user_id).await? else { return Ok(()) };
        let link = format!("{}/billing/invoices/{invoice}", post.url());
        let letter = mail::access_landed(reads(&user), &row.number, &row.due().to_string(), &link);
        self.write(id, &user, Some(row.organization_id), &letter, post).await
    }
}
