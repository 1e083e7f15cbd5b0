//! What is asked of a payment provider, in words of our own: bills are collected alike by whichever there is.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tollgate_domain::{Amount, Currency, InvoiceId, OrganizationId, PaymentState};
use uuid::Uuid;

/// Shorthand.
pub type Provided<T> = std::result::Result<T, ProviderFault>;

/// Why a provider did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderFault {
    /// It cannot be reached, is overloaded or failed: whether it was done is unknown. Ask again with the same key.
    #[error("the payment provider cannot be reached: {0}")]
    Unavailable(String),
    /// The payment was declined; in words that its customer may read.
    #[error("the payment was declined: {0}")]
    Declined(String),
    /// It will not do that, however often it is asked.
    #[error("the payment provider refused: {0}")]
    Refused(String),
}

/// Why a message is not taken for one of the provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAuthentic {
    /// There is no signature, or none that can be read.
    #[error("it is not signed")]
    Unsigned,
    /// The signature is not the provider's, or not of this text.
    #[error("its signature is wrong")]
    Forged,
    /// It was signed more than five minutes ago, or ahead.
    #[error("its signature is too old")]
    Stale,
    /// It is signed, and not what the provider writes.
    #[error("it cannot be read")]
    Unreadable,
}

/// What the provider told us about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    /// Its id there.
    pub id: String,
    /// Like `invoice.paid`.
    pub kind: String,
    /// What it is about.
    pub object_id: Option<String>,
    /// When it happened.
    pub happened_at: DateTime<Utc>,
    /// The version of the provider's API that it is written in.
    pub api_version: Option<String>,
    /// Why it is not about our account: of the other mode, say.
    pub foreign: Option<String>,
    /// What is odd about it, though it is ours: it is written in another version than ours, say.
    pub odd: Option<String>,
}

/// A customer to be made.
#[derive(Debug, Clone)]
pub struct NewCustomer {
    /// Who it is here.
    pub organization_id: OrganizationId,
    /// Their name.
    pub name: String,
    /// Where their bills go.
    pub email: Option<String>,
}

/// What is paid on a page.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// The bill; none where it is credits.
    pub invoice_id: Option<InvoiceId>,
    /// What it is for, as its payer reads it.
    pub title: String,
    /// How much.
    pub amount: Amount,
}

/// A page of the provider on which something is paid, or a way to pay is left.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// What we call the visit.
    pub checkout: Uuid,
    /// The provider's customer.
    pub customer: String,
    /// What is to be paid; none to leave a way to pay only.
    pub pays: Option<Purchase>,
    /// In which currency bills will be.
    pub currency: Currency,
    /// Where browsers are sent afterwards.
    pub return_url: String,
    /// Where browsers are sent that gave up.
    pub cancel_url: String,
}

/// A page that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedPage {
    /// The provider's name for it.
    pub id: String,
    /// Where browsers are sent.
    pub url: String,
}

/// What became of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageState {
    /// Nobody has finished it.
    Open,
    /// A way to pay was left.
    MethodLeft {
        /// The provider's name for it, and ours for people.
        method: (String, String),
    },
    /// It was paid.
    Paid {
        /// The provider's name for the payment.
        payment: String,
        /// How much.
        amount: Amount,
    },
    /// It was given up.
    Expired,
}

/// A bill to be made at the provider.
#[derive(Debug, Clone)]
pub struct NewBill {
    /// What we call it.
    pub invoice_id: InvoiceId,
    /// As people call it.
    pub number: String,
    /// Whose, by the provider's name.
    pub customer: String,
    /// In which currency.
    pub total: Amount,
    /// Whether a way to pay is there; else the customer is asked to pay by hand.
    pub collect: bool,
}

/// A line of it.
#[derive(Debug, Clone)]
pub struct NewBillLine {
    /// Of which bill, by the provider's name.
    pub bill: String,
    /// Whose, by the provider's name.
    pub customer: String,
    /// What it is for.
    pub title: String,
    /// How much.
    pub amount: Amount,
    /// Whether it lowers the bill: it was paid from credits, or taken off before the provider had it.
    pub deducts: bool,
}

/// Where a bill stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillStanding {
    /// Not sent yet.
    Draft,
    /// To be paid.
    Open,
    /// Paid.
    Paid,
    /// Given up.
    Void,
}

/// A bill as the provider has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The provider's name for it.
    pub id: String,
    /// What we call it, where it was made by us.
    pub invoice_id: Option<InvoiceId>,
    /// Where it stands.
    pub standing: BillStanding,
    /// What it comes to, tax included.
    pub total: Amount,
    /// Tax in it, minor units.
    pub tax_minor: u64,
    /// What was paid of it, minor units.
    pub paid_minor: u64,
    /// Where the provider shows it.
    pub hosted_url: Option<String>,
    /// How often it was tried to be collected.
    pub attempts: u64,
    /// The payment that paid it.
    pub payment: Option<String>,
}

/// Something that an unfinished call may have made.
#[derive(Debug, Clone)]
pub enum Sought {
    /// The customer of an organization.
    Customer(OrganizationId),
    /// A bill of a customer.
    Bill {
        /// Whose, by the provider's name.
        customer: String,
        /// What we call it.
        invoice_id: InvoiceId,
    },
    /// A refund of a payment.
    Refund {
        /// The payment, by the provider's name.
        payment: String,
        /// What we call the refund.
        ours: Uuid,
    },
}

/// What became of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundStanding {
    /// On its way.
    Pending,
    /// The money is back.
    Done,
    /// It could not be given back; why, in the provider's words.
    Failed(String),
}

impl RefundStanding {
    /// The same as it is kept, with why it failed.
    pub(super) fn kept(self) -> (PaymentState, Option<String>) {
        match self {
            Self::Pending => (PaymentState::Pending, None),
            Self::Done => (PaymentState::Done, None),
            Self::Failed(why) => (PaymentState::Failed, Some(why)),
        }
    }
}

/// A payment provider. Calls that change something carry a key: the same key makes the same thing once.
#[async_trait]
pub trait PaymentProvider: fmt::Debug + Send + Sync {
    /// Its name in rows and for people: `stripe`.
    fn name(&self) -> &'static str;

    /// Origins of its pages, for browsers that are sent there by a form.
    fn page_origins(&self) -> Vec<String>;

    /// Whether a message is the provider's, and what it says.
    ///
    /// # Errors
    /// It is not, or was signed too long ago.
    fn verify(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> std::result::Result<ProviderEvent, NotAuthentic>;

    /// Makes a customer; returns its name.
    async fn create_customer(&self, key: Uuid, new: &NewCustomer) -> Provided<String>;

    /// Opens a page to pay, or to leave a way to pay.
    async fn open_page(&self, key: Uuid, page: &PageRequest) -> Provided<HostedPage>;

    /// Opens the page where a customer looks after their ways to pay; returns where browsers are sent.
    async fn open_account(&self, customer: &str, return_url: &str) -> Provided<String>;

    /// Sets what a customer's bills are collected from.
    async fn set_method(&self, key: Uuid, customer: &str, method: &str) -> Provided<()>;

    /// Adds a number for the tax office; returns its name.
    async fn add_tax_id(&self, key: Uuid, customer: &str, kind: &str, value: &str) -> Provided<String>;

    /// Makes a bill without lines; returns its name.
    async fn create_bill(&self, key: Uuid, new: &NewBill) -> Provided<String>;

    /// Adds a line; returns its name.
    async fn add_line(&self, key: Uuid, line: &NewBillLine) -> Provided<String>;

    /// Makes a bill final.
    async fn finalize(&self, key: Uuid, bill: &str) -> Provided<Bill>;

    /// Collects a bill from what its customer left.
    async fn collect(&self, key: Uuid, bill: &str) -> Provided<Bill>;

    /// Tells that a bill was paid elsewhere (`paid`), or is given up.
    async fn close(&self, key: Uuid, bill: &str, paid: bool) -> Provided<()>;

    /// Gives back money of a payment; `ours` is what we call it. Returns its name and what became of it.
    async fn refund(
        &self,
        key: Uuid,
        payment: &str,
        amount: Amount,
        ours: Uuid,
    ) -> Provided<(String, RefundStanding)>;

    /// Lowers an open bill by a credit note; returns its name.
    async fn credit(&self, key: Uuid, bill: &str, amount: Amount, memo: &str) -> Provided<String>;

    /// What a customer's bills are collected from: the provider's name for it, and ours for people.
    async fn method(&self, customer: &str) -> Provided<Option<(String, String)>>;

    /// What became of a page.
    async fn page(&self, id: &str) -> Provided<PageState>;

    /// A bill as it stands.
    async fn bill(&self, id: &str) -> Provided<Bill>;

    /// A refund as it stands.
    async fn refund_standing(&self, id: &str) -> Provided<RefundStanding>;

    /// Bills since a time, newest first, up to a hundred; `after` is the last one of the page before.
    async fn bills(&self, since: DateTime<Utc>, after: Option<&str>) -> Provided<Vec<Bill>>;

    /// Looks for what a call may have made whose key the provider has forgotten.
    async fn find(&self, sought: &Sought) -> Provided<Option<String>>;
}
