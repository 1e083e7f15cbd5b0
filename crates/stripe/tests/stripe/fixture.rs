//! A subscriber with a month to pay, and Stripe beside it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tollgate_control::mail::{Mailer, Transport};
use tollgate_control::{
    Actor, ApiInput, CheckoutInput, Control, PlanInput, ProductInput, Received, ServiceInput, Settings,
    SignUp, SubscriptionPatch, Who,
};
use tollgate_domain::{
    ApiState, InvoiceState, MemberRole, OrganizationId, Period, PlanId, PlanState, Price, ProductState,
    Scope, SubscriptionId, Target, UnpaidLanding, Visibility,
};
use tollgate_engine::key::Peppers;
use tollgate_store::{InvoiceRow, Page, PaymentRow, SubscriptionRow};
use tollgate_stripe::{Settings as StripeSettings, Stripe};
use tollgate_testkit::{STRIPE_KEY, STRIPE_WEBHOOK_SECRET, StripeDouble, StripeMessage, TestDatabase};

const DOCUMENT: &str = "openapi: 3.1.0
info: {title: Things, version: '1'}
paths:
  /things:
    get: {operationId: listThings, responses: {'200': {description: ok}}}
";

pub fn stripe(url: &str) -> Stripe {
    Stripe::new(StripeSettings {
        secret_key: STRIPE_KEY.into(),
        webhook_secrets: vec![STRIPE_WEBHOOK_SECRET.into()],
        api_url: url.to_owned(),
        tax: true,
    })
    .unwrap()
}

/// On a free plan, with one at 29 EUR a month to move to.
pub struct Shop {
    pub database: TestDatabase,
    pub double: StripeDouble,
    pub control: Control,
    pub mails: Transport,
    mailer: Arc<Mailer>,
    pub member: Actor,
    pub organization: OrganizationId,
    pub subscription: SubscriptionId,
    pub free: PlanId,
    pub pro: PlanId,
}

impl Shop {
    pub async fn open() -> Self {
        let database = TestDatabase::create().await;
        let double = StripeDouble::start().await;
        let peppers = Arc::new(Peppers::new(vec![(1, *b"0123456789abcdef0123456789ABCDEF")]).unwrap());
        let settings = Settings { hashing_slots: 2, ..Settings::default() };
        let control =
            Control::new(database.store(), peppers, settings).collecting_by(Arc::new(stripe(&double.url())));
        let mails = Transport::kept();
        let from = "Tollgate <no-reply@tollgate.test>";
        let mailer = Arc::new(Mailer::new(mails.clone(), from, "https://portal.test").unwrap());
        let (free, pro) = publish(&control).await;
        let input = SignUp {
            email: "maria@example.com".to_owned(),
            password: "plain lamp seven boats".to_owned(),
            product: None,
            address: Some([127, 0, 0, 1].into()),
            language: None,
        };
        let made = control.sign_up(&Actor::new(Who::Visitor, None), input).await.unwrap();
        let organization = made.organization_id;
        let who =
            Who::Member { user_id: made.user_id, organization_id: organization, role: MemberRole::Owner };
        let scope = Scope::Organization(organization);
        let subscription =
            control.store().list_subscriptions(scope, None, Page::FIRST_500).await.unwrap()[0].id;
        let member = Actor::new(who, None);
        Self { database, double, control, mails, mailer, member, organization, subscription, free, pro }
    }

    /// Leaves a card and is on the paid plan.
    pub async fn subscribed(card: &str) -> Self {
        let shop = Self::open().await;
        let page = shop.visit(CheckoutInput::Plan(shop.subscription, shop.pro)).await;
        shop.double.finish(&page, card).await;
        shop.listen().await;
        assert_eq!(shop.subscription().await.plan_id, shop.pro);
        shop
    }

    /// Opens a page; returns Stripe's name for it.
    pub async fn visit(&self, input: CheckoutInput) -> String {
        let (back, away) = ("https://portal.test/billing/checkouts", "https://portal.test/billing");
        let url =
            self.control.open_checkout(&self.member, self.organization, input, back, away).await.unwrap();
        url.rsplit('/').next().unwrap().to_owned()
    }

    /// Hears one message.
    pub async fn hear(&self, message: &StripeMessage) -> Received {
        self.control.receive_event(Some(&message.signature), &message.body, Utc::now()).await.unwrap()
    }

    /// Hears whatever Stripe has to say, and does what follows, until both are silent.
    pub async fn listen(&self) {
        loop {
            self.work().await;
            let messages = self.double.messages();
            if messages.is_empty() {
                return;
            }
            for message in messages {
                self.hear(&message).await;
            }
        }
    }

    /// Does everything that is due.
    pub async fn work(&self) {
        while self.control.work_once(&self.mailer).await.unwrap() > 0 {}
    }

    /// What failed is tried again now, not in seconds.
    pub async fn at_once(&self) {
        self.database.run("update jobs set run_at = now() where done_at is null and dead_at is null").await;
    }

    /// A month of the paid plan is over and billed.
    pub async fn bill(&self) -> InvoiceRow {
        for sql in [
            "delete from subscription_terms where ends is not null",
            "update subscription_terms set begins = date_trunc('month', now(), 'UTC') - interval '3 months'",
            "update billing_months set month = (date_trunc('month', now() at time zone 'UTC') - interval '3 months')::date",
        ] {
            self.database.run(sql).await;
        }
        let month = tollgate_domain::CalendarMonth::of(Utc::now()).previous().previous();
        let after = month.end() + chrono::TimeDelta::hours(3);
        assert_eq!(self.control.close_months(after).await.unwrap(), 1);
        self.database.run("update invoices set issued_at = now(), due_at = now() + interval '14 days'").await;
        self.invoice().await
    }

    pub async fn invoice(&self) -> InvoiceRow {
        let rows = self.control.store().list_invoices(Scope::Operator, None, Page::FIRST_500).await.unwrap();
        let [row] = &rows[..] else { panic!("one invoice: {rows:?}") };
        row.clone()
    }

    pub async fn state(&self) -> InvoiceState {
        self.invoice().await.state
    }

    pub async fn payments(&self) -> Vec<PaymentRow> {
        let id = self.invoice().await.id;
        self.control.store().list_payments(Scope::Operator, id).await.unwrap()
    }

    /// Kinds and states of what happened about the bill, in order.
    pub async fn story(&self) -> Vec<String> {
        self.payments()
            .await
            .iter()
            .map(|one| format!("{} {} {}", one.kind, one.state, one.amount()))
            .collect()
    }

    pub async fn subscription(&self) -> SubscriptionRow {
        self.control.store().get_subscription(Scope::Operator, self.subscription).await.unwrap()
    }

    /// Whether gateways refuse its calls for want of payment, and on which plan's limits the others are.
    pub async fn at_gateways(&self) -> (bool, PlanId) {
        let application = self.subscription().await.application_id;
        let fed = self.control.store().feed_consumers(&[application]).await.unwrap();
        let subscription = &fed[0].subscriptions[0];
        (subscription.unpaid, subscription.plan_id)
    }

    pub async fn late_payers(&self, landing: UnpaidLanding, days: Option<i16>) {
        let system = Actor::system();
        self.control.agree_on_late_payers(&system, self.pro, None, landing, days).await.unwrap();
    }

    pub async fn pass(&self, now: DateTime<Utc>) {
        self.control.look_after_payments(now).await.unwrap();
        self.listen().await;
    }
}

async fn publish(control: &Control) -> (PlanId, PlanId) {
    let system = Actor::system();
    let target = Target { url: "http://127.0.0.1:9".to_owned(), weight: 100 };
    let slug = || "things".parse().unwrap();
    let service = control
        .create_service(&system, ServiceInput::new(slug(), "Things".to_owned(), vec![target]))
        .await
        .unwrap();
    let api = ApiInput {
        slug: slug(),
        name: "Things".to_owned(),
        summary: String::new(),
        service_id: service.id,
        hosts: Vec::new(),
        base_path: "/things".to_owned(),
        match_headers: Vec::new(),
        state: ApiState::Published,
        metering: tollgate_domain::Metering::default(),
        sunset_at: None,
        successor_id: None,
        policies: tollgate_domain::ApiPolicies::default(),
    };
    let api = control.create_api(&system, api, Some(DOCUMENT)).await.unwrap();
    let product = ProductInput {
        slug: slug(),
        name: "Things".to_owned(),
        summary: String::new(),
        description: String::new(),
        state: ProductState::Published,
        visibility: Visibility::Public,
        apis: vec![api.id],
    };
    let product = control.create_product(&system, product).await.unwrap();
    let plan = |slug: &str, minor| PlanInput {
        product_id: product.id,
        slug: slug.parse().unwrap(),
        name: slug.to_owned(),
        summary: String::new(),
        state: PlanState::Open,
        approval: false,
        price: Price { minor, currency: "EUR".parse().unwrap(), per: Period::Month },
        limits: Vec::new(),
    };
    let free = control.create_plan(&system, plan("free", 0)).await.unwrap().id;
    let pro = control.create_plan(&system, plan("pro", 2_900)).await.unwrap().id;
    (free, pro)
}

/// Puts a subscription back on the free plan by hand.
pub async fn move_to(shop: &Shop, plan: PlanId) {
    let patch = SubscriptionPatch { plan_id: Some(plan), ..SubscriptionPatch::default() };
    shop.control.update_subscription(&Actor::system(), shop.subscription, None, patch).await.unwrap();
}
