//! Stripe behind control's trait.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use stripe_billing::billing_portal_session::CreateBillingPortalSession;
use stripe_billing::credit_note::CreateCreditNote;
use stripe_billing::invoice::{
    CreateInvoice, CreateInvoiceAutomaticTax, CreateInvoicePendingInvoiceItemsBehavior,
    FinalizeInvoiceInvoice, ListInvoice, PayInvoice, RetrieveInvoice, VoidInvoiceInvoice,
};
use stripe_billing::invoice_item::CreateInvoiceItem;
use stripe_billing::tax_id::{CreateCustomerTaxId, CreateCustomerTaxIdType};
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionCustomerUpdate, CreateCheckoutSessionCustomerUpdateAddress,
    CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsPriceData, ProductData,
    RetrieveCheckoutSession,
};
use stripe_client_core::VERSION;
use stripe_core::customer::{
    CreateCustomer, RetrieveCustomer, SearchCustomer, UpdateCustomer, UpdateCustomerInvoiceSettings,
};
use stripe_core::refund::{CreateRefund, ListRefund, RetrieveRefund};
use stripe_shared::{CheckoutSessionBillingAddressCollection, CheckoutSessionMode, InvoiceCollectionMethod};
use stripe_types::{Currency as StripeCurrency, RangeQueryTs};
use tollgate_control::provider::{
    Bill, BillStanding, HostedPage, NewBill, NewBillLine, NewCustomer, NotAuthentic, PageRequest, PageState,
    PaymentProvider, Provided, ProviderEvent, ProviderFault, Purchase, RefundStanding, Sought,
};
use tollgate_domain::{Amount, Currency};
use uuid::Uuid;

use crate::answers::{Customer, Event, Invoice, Link, Made, Page, Refund, Session};
use crate::{API_URL, Stripe, signature};

/// What we call our things, in Stripe's metadata.
const INVOICE: &str = "tollgate_invoice";
const ORGANIZATION: &str = "tollgate_organization";
const REFUND: &str = "tollgate_refund";
/// Days that a customer without a way to pay has, by Stripe's count.
const DAYS_UNTIL_DUE: u32 = 14;

fn named(name: &str, value: impl ToString) -> HashMap<String, String> {
    HashMap::from([(name.to_owned(), value.to_string())])
}

fn currency(ours: Currency) -> StripeCurrency {
    match ours.as_str().to_ascii_lowercase().parse() {
        Ok(currency) => currency,
        Err(never) => match never {},
    }
}

fn amount(minor: i64, theirs: &str) -> Provided<Amount> {
    let currency = theirs.to_ascii_uppercase().parse();
    let currency = currency.map_err(|_| ProviderFault::Unavailable(format!("no currency: {theirs}")))?;
    Ok(Amount { minor: u64::try_from(minor).unwrap_or(0), currency })
}

impl Invoice {
    fn read(self) -> Provided<Bill> {
        let total = amount(self.total, &self.currency)?;
        let tax = self.total_excluding_tax.map_or(0, |without| self.total - without);
        let paid_by = self.payments.into_iter().flat_map(|page| page.data);
        let paid_by = paid_by.filter(|one| one.status.as_deref() == Some("paid"));
        Ok(Bill {
            standing: match self.status.as_deref() {
                Some("paid") => BillStanding::Paid,
                Some("open") => BillStanding::Open,
                Some("void" | "uncollectible") => BillStanding::Void,
                _ => BillStanding::Draft,
            },
            invoice_id: self.metadata.get(INVOICE).and_then(|id| id.parse().ok()),
            total,
            tax_minor: u64::try_from(tax).unwrap_or(0),
            paid_minor: u64::try_from(self.amount_paid).unwrap_or(0),
            hosted_url: self.hosted_invoice_url,
            attempts: self.attempt_count,
            payment: paid_by.filter_map(|one| one.payment?.payment_intent).next(),
            id: self.id,
        })
    }
}

impl Refund {
    fn standing(&self) -> RefundStanding {
        match self.status.as_deref() {
            Some("succeeded") => RefundStanding::Done,
            Some("failed" | "canceled") => {
                let why = self.failure_reason.as_deref().unwrap_or("Stripe does not say why");
                RefundStanding::Failed(why.replace('_', " "))
            }
            _ => RefundStanding::Pending,
        }
    }
}

/// Stripe's payments in an invoice are told only where they are asked for.
fn with_payments() -> Vec<String> {
    vec!["payments".to_owned()]
}

#[async_trait]
impl PaymentProvider for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn page_origins(&self) -> Vec<String> {
        let api = self.settings().api_url.trim_end_matches('/');
        if api == API_URL {
            return vec!["https://checkout.stripe.com".to_owned(), "https://billing.stripe.com".to_owned()];
        }
        vec![api.to_owned()]
    }

    fn verify(
        &self,
        header: Option<&str>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<ProviderEvent, NotAuthentic> {
        let secrets = self.settings().webhook_secrets.iter().map(ExposeSecret::expose_secret);
        signature::check(header, body, secrets, now)?;
        let event: Event = serde_json::from_slice(body).map_err(|_| NotAuthentic::Unreadable)?;
        let foreign = match (event.livemode == self.is_live(), event.account) {
            (false, _) => Some(format!("livemode is {}, and our key's is not", event.livemode)),
            (true, Some(account)) => Some(format!("it is about the connected account {account}")),
            (true, None) => None,
        };
        // It is read again in our version, so it does its work; but somebody is to set the endpoint right.
        let odd = event.api_version.as_deref().filter(|theirs| *theirs != VERSION.as_str()).map(|theirs| {
            format!("it is written in version {theirs} of the interface, and we speak {}", VERSION.as_str())
        });
        Ok(ProviderEvent {
            odd,
            id: event.id,
            kind: event.kind,
            object_id: event.data.object["id"].as_str().map(str::to_owned),
            happened_at: DateTime::from_timestamp(event.created, 0).unwrap_or(now),
            api_version: event.api_version,
            foreign,
        })
    }

    async fn create_customer(&self, key: Uuid, new: &NewCustomer) -> Provided<String> {
        let mut request =
            CreateCustomer::new().name(&new.name).metadata(named(ORGANIZATION, new.organization_id));
        if let Some(email) = &new.email {
            request = request.email(email);
        }
        Ok(self.ask::<Made>(Some(key), &request).await?.id)
    }

    async fn open_page(&self, key: Uuid, page: &PageRequest) -> Provided<HostedPage> {
        let mut request = CreateCheckoutSession::new()
            .client_reference_id(page.checkout.to_string())
            .customer(&page.customer)
            .success_url(&page.return_url)
            .cancel_url(&page.cancel_url);
        request = match &page.pays {
            Some(Purchase { invoice_id, title, amount: sum }) => {
                let price = CreateCheckoutSessionLineItemsPriceData {
                    product_data: Some(ProductData::new(title)),
                    unit_amount: Some(sum.minor.cast_signed()),
                    ..CreateCheckoutSessionLineItemsPriceData::new(currency(sum.currency))
                };
                let line = CreateCheckoutSessionLineItems {
                    price_data: Some(price),
                    quantity: Some(1),
                    ..CreateCheckoutSessionLineItems::new()
                };
                let request = request.mode(CheckoutSessionMode::Payment).line_items(vec![line]);
                match invoice_id {
                    Some(invoice) => request.metadata(named(INVOICE, invoice)),
                    None => request,
                }
            }
            None => request.mode(CheckoutSessionMode::Setup).currency(currency(page.currency)),
        };
        if self.settings().tax {
            // Taxes depend on where the customer is.
            let keep = CreateCheckoutSessionCustomerUpdate {
                address: Some(CreateCheckoutSessionCustomerUpdateAddress::Auto),
                ..CreateCheckoutSessionCustomerUpdate::new()
            };
            request = request
                .billing_address_collection(CheckoutSessionBillingAddressCollection::Required)
                .customer_update(keep);
        }
        let made = self.ask::<Session>(Some(key), &request).await?;
        let url = made.url.ok_or_else(|| ProviderFault::Refused("the page has no address".to_owned()))?;
        Ok(HostedPage { id: made.id, url })
    }

    async fn open_account(&self, customer: &str, return_url: &str) -> Provided<String> {
        let request = CreateBillingPortalSession::new().customer(customer).return_url(return_url);
        Ok(self.ask::<Link>(None, &request).await?.url)
    }

    async fn set_method(&self, key: Uuid, customer: &str, method: &str) -> Provided<()> {
        let settings = UpdateCustomerInvoiceSettings {
            default_payment_method: Some(method.to_owned()),
            ..UpdateCustomerInvoiceSettings::new()
        };
        let request = UpdateCustomer::new(customer).invoice_settings(settings);
        self.ask::<Made>(Some(key), &request).await.map(drop)
    }

    async fn add_tax_id(&self, key: Uuid, customer: &str, kind: &str, value: &str) -> Provided<String> {
        let kind: CreateCustomerTaxIdType = match kind.parse() {
            Ok(CreateCustomerTaxIdType::Unknown(_)) => {
                return Err(ProviderFault::Refused(format!("{kind} is no kind of tax number")));
            }
            Ok(kind) => kind,
            Err(never) => match never {},
        };
        let request = CreateCustomerTaxId::new(customer, kind, value);
        Ok(self.ask::<Made>(Some(key), &request).await?.id)
    }

    async fn create_bill(&self, key: Uuid, new: &NewBill) -> Provided<String> {
        let request = CreateInvoice::new()
            .customer(&new.customer)
            .currency(currency(new.total.currency))
            .number(&new.number)
            .metadata(named(INVOICE, new.invoice_id))
            // When it is collected, and how often that is tried, is decided here.
            .auto_advance(false)
            .pending_invoice_items_behavior(CreateInvoicePendingInvoiceItemsBehavior::Exclude)
            .automatic_tax(CreateInvoiceAutomaticTax::new(self.settings().tax));
        let request = match new.collect {
            true => request.collection_method(InvoiceCollectionMethod::ChargeAutomatically),
            false => {
                request.collection_method(InvoiceCollectionMethod::SendInvoice).days_until_due(DAYS_UNTIL_DUE)
            }
        };
        Ok(self.ask::<Made>(Some(key), &request).await?.id)
    }

    async fn add_line(&self, key: Uuid, line: &NewBillLine) -> Provided<String> {
        let minor = line.amount.minor.cast_signed();
        let request = CreateInvoiceItem::new()
            .customer(&line.customer)
            .invoice(&line.bill)
            .currency(currency(line.amount.currency))
            .amount(if line.deducts { -minor } else { minor })
            .description(&line.title);
        Ok(self.ask::<Made>(Some(key), &request).await?.id)
    }

    async fn finalize(&self, key: Uuid, bill: &str) -> Provided<Bill> {
        let request = FinalizeInvoiceInvoice::new(bill).auto_advance(false).expand(with_payments());
        self.ask::<Invoice>(Some(key), &request).await?.read()
    }

    async fn collect(&self, key: Uuid, bill: &str) -> Provided<Bill> {
        let request = PayInvoice::new(bill).off_session(true).expand(with_payments());
        match self.ask::<Invoice>(Some(key), &request).await {
            Ok(invoice) => invoice.read(),
            // Somebody paid it meanwhile, on Stripe's page.
            Err(ProviderFault::Refused(why)) => match self.bill(bill).await? {
                paid if paid.standing == BillStanding::Paid => Ok(paid),
                _ => Err(ProviderFault::Refused(why)),
            },
            Err(fault) => Err(fault),
        }
    }

    async fn close(&self, key: Uuid, bill: &str, paid: bool) -> Provided<()> {
        if paid {
            let request = PayInvoice::new(bill).paid_out_of_band(true);
            return self.ask::<Made>(Some(key), &request).await.map(drop);
        }
        self.ask::<Made>(Some(key), &VoidInvoiceInvoice::new(bill)).await.map(drop)
    }

    async fn refund(
        &self,
        key: Uuid,
        payment: &str,
        sum: Amount,
        ours: Uuid,
    ) -> Provided<(String, RefundStanding)> {
        let request = CreateRefund::new()
            .payment_intent(payment)
            .amount(sum.minor.cast_signed())
            .metadata(named(REFUND, ours));
        let made = self.ask::<Refund>(Some(key), &request).await?;
        let standing = made.standing();
        Ok((made.id, standing))
    }

    async fn credit(&self, key: Uuid, bill: &str, sum: Amount, memo: &str) -> Provided<String> {
        let request = CreateCreditNote::new(bill).amount(sum.minor.cast_signed()).memo(memo);
        Ok(self.ask::<Made>(Some(key), &request).await?.id)
    }

    async fn method(&self, customer: &str) -> Provided<Option<(String, String)>> {
        let expand = vec!["invoice_settings.default_payment_method".to_owned()];
        let request = RetrieveCustomer::new(customer).expand(expand);
        let found = self.ask::<Customer>(None, &request).await?;
        let method = found.invoice_settings.and_then(|settings| settings.default_payment_method);
        Ok(method.map(|method| (method.label(), method.id)).map(|(label, id)| (id, label)))
    }

    async fn page(&self, id: &str) -> Provided<PageState> {
        let expand = vec!["setup_intent.payment_method".to_owned()];
        let found = self.ask::<Session>(None, &RetrieveCheckoutSession::new(id).expand(expand)).await?;
        match (found.status.as_deref(), found.mode.as_str()) {
            (Some("expired"), _) => Ok(PageState::Expired),
            (Some("complete"), "setup") => {
                let method = found.setup_intent.and_then(|intent| intent.payment_method);
                let method = method.map(|method| (method.label(), method.id));
                Ok(method
                    .map_or(PageState::Open, |(label, id)| PageState::MethodLeft { method: (id, label) }))
            }
            // Complete is not paid: some ways to pay take days.
            (Some("complete"), _) if found.payment_status == "paid" => {
                let payment = found.payment_intent;
                let payment =
                    payment.ok_or_else(|| ProviderFault::Unavailable("a payment has no name".to_owned()))?;
                let sum = amount(found.amount_total.unwrap_or(0), found.currency.as_deref().unwrap_or(""))?;
                Ok(PageState::Paid { payment, amount: sum })
            }
            _ => Ok(PageState::Open),
        }
    }

    async fn bill(&self, id: &str) -> Provided<Bill> {
        self.ask::<Invoice>(None, &RetrieveInvoice::new(id).expand(with_payments())).await?.read()
    }

    async fn refund_standing(&self, id: &str) -> Provided<RefundStanding> {
        Ok(self.ask::<Refund>(None, &RetrieveRefund::new(id)).await?.standing())
    }

    async fn bills(&self, since: DateTime<Utc>, after: Option<&str>) -> Provided<Vec<Bill>> {
        let mut request = ListInvoice::new().created(RangeQueryTs::gte(since.timestamp())).limit(100);
        if let Some(after) = after {
            request = request.starting_after(after);
        }
        let found = self.ask::<Page<Invoice>>(None, &request).await?;
        found.data.into_iter().map(Invoice::read).collect()
    }

    async fn find(&self, sought: &Sought) -> Provided<Option<String>> {
        match sought {
            Sought::Customer(organization) => {
                let query = format!("metadata['{ORGANIZATION}']:'{organization}'");
                let found = self.ask::<Page<Made>>(None, &SearchCustomer::new(query)).await?;
                Ok(found.data.into_iter().next().map(|made| made.id))
            }
            Sought::Bill { customer, invoice_id } => {
                let request = ListInvoice::new().customer(customer).limit(100);
                let found = self.ask::<Page<Invoice>>(None, &request).await?;
                let wanted = invoice_id.to_string();
                let ours = found.data.into_iter().find(|one| one.metadata.get(INVOICE) == Some(&wanted));
                Ok(ours.map(|invoice| invoice.id))
            }
            Sought::Refund { payment, ours } => {
                let found = self
                    .ask::<Page<Refund>>(None, &ListRefund::new().payment_intent(payment).limit(100))
                    .await?;
                let wanted = ours.to_string();
                let is_ours = |one: &Refund| {
                    one.metadata.as_ref().and_then(|metadata| metadata.get(REFUND)) == Some(&wanted)
                };
                Ok(found.data.into_iter().find(is_ours).map(|refund| refund.id))
            }
        }
    }
}
