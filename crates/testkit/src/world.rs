//! A published API with a consumer, straight into the database.

use tollgate_domain::{
    ApiId, ApiState, ApplicationId, CalendarMonth, CredentialId, Environment, Limit, LimitKind, LimitPer,
    OrganizationId, Period, PlanId, PlanState, Price, ProductId, ProductState, ServiceId, SubscriptionId,
    SubscriptionState, Target, Visibility,
};
use tollgate_engine::key::{self, Peppers};
use tollgate_store::{NewApi, NewCredential, NewPlan, NewProduct, NewService, NewSubscription, Store};
use uuid::Uuid;

/// The pepper that the keys of a [`World`] are hashed under, as `TOLLGATE_PEPPERS` takes it.
#[must_use]
pub fn peppers_variable() -> String {
    let hex: String = PEPPER.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("1:{hex}")
}

/// Of no secret, but not a sample either: those are refused.
const PEPPER: [u8; 32] = [
    0x0e, 0x06, 0x29, 0x57, 0x66, 0xdc, 0xfd, 0x10, 0x1d, 0xdc, 0x7d, 0x88, 0xbb, 0x93, 0x32, 0x39, 0xde,
    0x41, 0xab, 0xba, 0xcf, 0x13, 0xbf, 0xd4, 0xaa, 0xad, 0x13, 0x08, 0xa7, 0x17, 0xc5, 0xb6,
];

/// What was published: `GET` and `POST /v1/items`, and who may call it.
#[derive(Debug, Clone)]
pub struct World {
    /// Where calls go.
    pub service: ServiceId,
    /// What is called.
    pub api: ApiId,
    /// What it is offered in.
    pub product: ProductId,
    /// On which terms.
    pub plan: PlanId,
    /// Who calls.
    pub organization: OrganizationId,
    /// With which program.
    pub application: ApplicationId,
    /// Under which subscription.
    pub subscription: SubscriptionId,
    /// With which key, by id.
    pub credential: CredentialId,
    /// And by text.
    pub key: String,
}

fn new<T: From<Uuid>>() -> T {
    Uuid::now_v7().into()
}

/// A quota per month.
#[must_use]
pub fn month_quota(amount: u64) -> Limit {
    Limit {
        name: "month".into(),
        kind: LimitKind::Quota,
        amount,
        period: Period::Month,
        burst: None,
        per: LimitPer::Subscription,
        visible: true,
        budget: tollgate_domain::Budget::default(),
    }
}

/// A key that was never handed out, but is one by its form.
#[must_use]
pub fn mint() -> String {
    let mut random = [0; 32];
    random[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    random[16..].copy_from_slice(Uuid::new_v4().as_bytes());
    key::mint("tg", Environment::Live, &random)
}

impl World {
    /// Publishes, under names made from `name`, an API at `base_path` in front of `upstream`.
    ///
    /// # Panics
    /// When the database refuses something.
    pub async fn publish(
        store: &Store,
        name: &str,
        base_path: &str,
        upstream: &str,
        limits: &[Limit],
    ) -> Self {
        let world = Self {
            service: new(),
            api: new(),
            product: new(),
            plan: new(),
            organization: new(),
            application: new(),
            subscription: new(),
            credential: new(),
            key: mint(),
        };
        world.insert(store, name, base_path, upstream, limits).await.expect("the world is in order");
        world
    }

    async fn insert(
        &self,
        store: &Store,
        name: &str,
        base_path: &str,
        upstream: &str,
        limits: &[Limit],
    ) -> anyhow::Result<()> {
        let slug = name.parse()?;
        let target = Target { url: upstream.to_owned(), weight: 1 };
        let mut tx = store.begin().await?;
        tx.insert_service(&NewService {
            id: self.service,
            slug: &slug,
            name,
            connect_timeout_ms: 1_000,
            read_timeout_ms: 2_000,
            protocol: tollgate_domain::ServiceProtocol::H1,
            targets: &[target],
        })
        .await?;
        tx.insert_api(&NewApi {
            id: self.api,
            slug: &slug,
            name,
            summary: "",
            service_id: self.service,
            hosts: &[],
            base_path,
            match_headers: &[],
            state: ApiState::Published,
            metering: &tollgate_domain::Metering::default(),
            sunset_at: None,
            successor: None,
            policies: &tollgate_domain::ApiPolicies::default(),
        })
        .await?;
        let route = |method: &str| (method.to_lowercase(), method.to_owned(), "/items".to_owned());
        tx.replace_routes(self.api, &[route("GET"), route("POST")]).await?;
        tx.insert_product(&NewProduct {
            id: self.product,
            slug: &slug,
            name,
            summary: "",
            description: "",
            state: ProductState::Published,
            visibility: Visibility::Public,
            apis: &[self.api],
        })
        .await?;
        tx.insert_plan(&NewPlan {
            id: self.plan,
            product_id: self.product,
            slug: &slug,
            name,
            summary: "",
            state: PlanState::Open,
            approval: false,
            price: Price { minor: 0, currency: "EUR".parse()?, per: Period::Month },
            limits,
        })
        .await?;
        tx.insert_organization(self.organization, name, &slug).await?;
        tx.insert_application(self.application, self.organization, name).await?;
        tx.insert_subscription(NewSubscription {
            id: self.subscription,
            organization_id: self.organization,
            application_id: self.application,
            product_id: self.product,
            plan_id: self.plan,
            state: SubscriptionState::Active,
        })
        .await?;
        tx.insert_credential(&NewCredential {
            id: self.credential,
            organization_id: self.organization,
            application_id: self.application,
            name,
            environment: Environment::Live,
            display_prefix: &self.key[..12],
            display_last4: &self.key[self.key.len() - 4..],
            digest: &peppers().digest(1, &self.key).expect("version 1 is known"),
            pepper_version: 1,
            expires_at: None,
            sealed: None,
            imported: false,
            restrictions: &tollgate_domain::Restrictions::default(),
        })
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Charged calls of this month.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn used(&self, store: &Store) -> u64 {
        let month = CalendarMonth::of(chrono::Utc::now());
        store.quota_used(self.subscription, month).await.expect("a sum can be read")
    }
}

fn peppers() -> Peppers {
    Peppers::new(vec![(1, PEPPER)]).expect("one pepper")
}
