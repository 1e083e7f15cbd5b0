//! A control plane over a fresh database, with one published product.

use std::sync::Arc;

use tollgate_control::mail::{Mailer, Transport};
use tollgate_control::{
    Actor, ApiInput, Control, PlanInput, ProductInput, ServiceInput, Settings, SignUp, SignedUp, Who,
};
use tollgate_domain::{
    ApiState, Limit, LimitKind, LimitPer, MemberRole, Period, PlanState, Price, ProductState, Target,
    Visibility,
};
use tollgate_engine::key::Peppers;
use tollgate_store::{ApiRow, PlanRow, ProductRow, ServiceRow};
use tollgate_testkit::TestDatabase;

pub const PASSWORD: &str = "plain lamp seven boats";

pub const DOCUMENT: &str = "openapi: 3.1.0
info: {title: Things, version: '1'}
paths:
  /things:
    get: {operationId: listThings, responses: {'200': {description: ok}}}
  /things/{id}:
    get:
      operationId: getThing
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: ok}}
";

pub struct Fixture {
    pub control: Control,
    pub mailer: Arc<Mailer>,
    pub mails: Transport,
    pub database: TestDatabase,
}

pub struct Published {
    pub service: ServiceRow,
    pub api: ApiRow,
    pub product: ProductRow,
    pub plan: PlanRow,
}

impl Fixture {
    pub async fn new() -> Self {
        let database = TestDatabase::create().await;
        let peppers = Arc::new(Peppers::new(vec![(1, *b"0123456789abcdef0123456789ABCDEF")]).unwrap());
        let settings = Settings { hashing_slots: 2, ..Settings::default() };
        let mails = Transport::kept();
        let mailer = mailer(mails.clone());
        Self { control: Control::new(database.store(), peppers, settings), mailer, mails, database }
    }

    /// Does everything that is due.
    pub async fn work(&self) {
        while self.control.work_once(&self.mailer).await.unwrap() > 0 {}
    }

    /// The token of the link in the last mail to somebody.
    pub fn link_to(&self, email: &str) -> String {
        let mail = self.mails.last_to(email).expect("a mail");
        mail.text.trim().rsplit('/').next().unwrap_or_default().to_owned()
    }

    pub async fn revision(&self) -> i64 {
        self.control.store().feed_head().await.unwrap().revision
    }

    pub async fn publish(&self, slug: &str) -> Published {
        let system = Actor::system();
        let service = self.control.create_service(&system, service_input(slug)).await.unwrap();
        let input = api_input(slug, &service);
        let api = self.control.create_api(&system, input, Some(DOCUMENT)).await.unwrap();
        let product = ProductInput {
            slug: slug.parse().unwrap(),
            name: "Things".to_owned(),
            summary: String::new(),
            description: String::new(),
            state: ProductState::Published,
            visibility: Visibility::Public,
            apis: vec![api.id],
        };
        let product = self.control.create_product(&system, product).await.unwrap();
        let plan = self.control.create_plan(&system, plan_input(&product)).await.unwrap();
        Published { service, api, product, plan }
    }

    pub async fn sign_up(&self, email: &str) -> (Actor, SignedUp) {
        let input = SignUp {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            product: None,
            address: Some([127, 0, 0, 1].into()),
            language: None,
        };
        let made = self.control.sign_up(&Actor::new(Who::Visitor, None), input).await.unwrap();
        let who = Who::Member {
            user_id: made.user_id,
            organization_id: made.organization_id,
            role: MemberRole::Owner,
        };
        (Actor::new(who, Some("test-request".to_owned())), made)
    }
}

pub fn mailer(transport: Transport) -> Arc<Mailer> {
    Arc::new(Mailer::new(transport, "Tollgate <no-reply@tollgate.test>", "https://portal.test").unwrap())
}

pub fn service_input(slug: &str) -> ServiceInput {
    let target = Target { url: "http://127.0.0.1:9".to_owned(), weight: 100 };
    ServiceInput::new(slug.parse().unwrap(), "Things".to_owned(), vec![target])
}

pub fn api_input(slug: &str, service: &ServiceRow) -> ApiInput {
    ApiInput {
        slug: slug.parse().unwrap(),
        name: "Things".to_owned(),
        summary: String::new(),
        service_id: service.id,
        hosts: Vec::new(),
        base_path: format!("/{slug}"),
        match_headers: Vec::new(),
        state: ApiState::Published,
        metering: tollgate_domain::Metering::default(),
        sunset_at: None,
        successor_id: None,
        policies: tollgate_domain::ApiPolicies::default(),
    }
}

pub fn plan_input(product: &ProductRow) -> PlanInput {
    PlanInput {
        product_id: product.id,
        slug: "free".parse().unwrap(),
        name: "Free".to_owned(),
        summary: String::new(),
        state: PlanState::Open,
        approval: false,
        price: Price { minor: 0, currency: "EUR".parse().unwrap(), per: Period::Month },
        limits: vec![Limit {
            name: "burst".to_owned(),
            kind: LimitKind::Rate,
            amount: 10,
            period: Period::Second,
            burst: None,
            per: LimitPer::Subscription,
            visible: true,
            budget: tollgate_domain::Budget::default(),
        }],
    }
}
