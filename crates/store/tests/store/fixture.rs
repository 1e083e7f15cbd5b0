//! A small published world.

use tollgate_domain::{
    ApiId, ApiState, ApplicationId, CredentialId, Environment, Limit, LimitKind, LimitPer, OrganizationId,
    Period, PlanId, PlanState, Price, ProductId, ProductState, ServiceId, SubscriptionId, SubscriptionState,
    Target, Visibility,
};
use tollgate_store::{NewApi, NewCredential, NewPlan, NewProduct, NewService, NewSubscription, Store};
use uuid::Uuid;

pub struct World {
    pub service: ServiceId,
    pub api: ApiId,
    pub product: ProductId,
    pub plan: PlanId,
}

pub struct Consumer {
    pub organization: OrganizationId,
    pub application: ApplicationId,
    pub subscription: SubscriptionId,
    pub credential: CredentialId,
}

pub fn month_quota(amount: u64) -> Limit {
    Limit {
        name: "month".to_owned(),
        kind: LimitKind::Quota,
        amount,
        period: Period::Month,
        burst: None,
        per: LimitPer::Subscription,
        visible: true,
        budget: tollgate_domain::Budget::default(),
    }
}

pub async fn world(store: &Store) -> World {
    let world = World {
        service: ServiceId::from(Uuid::now_v7()),
        api: ApiId::from(Uuid::now_v7()),
        product: ProductId::from(Uuid::now_v7()),
        plan: PlanId::from(Uuid::now_v7()),
    };
    let slug = "thing".parse().unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.insert_service(&NewService {
        id: world.service,
        slug: &slug,
        name: "Thing",
        connect_timeout_ms: 1000,
        read_timeout_ms: 1000,
        protocol: tollgate_domain::ServiceProtocol::H1,
        targets: &[Target { url: "http://127.0.0.1:1".to_owned(), weight: 1 }],
    })
    .await
    .unwrap();
    tx.insert_api(&NewApi {
        id: world.api,
        slug: &slug,
        name: "Thing",
        summary: "",
        service_id: world.service,
        hosts: &[],
        base_path: "/thing",
        match_headers: &[],
        metering: &tollgate_domain::Metering::default(),
        sunset_at: None,
        successor: None,
        policies: &tollgate_domain::ApiPolicies::default(),
        state: ApiState::Published,
    })
    .await
    .unwrap();
    tx.replace_routes(world.api, &[route("read", "GET", "/a"), route("write", "POST", "/a")]).await.unwrap();
    tx.insert_product(&NewProduct {
        id: world.product,
        slug: &slug,
        name: "Thing",
        summary: "",
        description: "",
        state: ProductState::Published,
        visibility: Visibility::Public,
        apis: &[world.api],
    })
    .await
    .unwrap();
    tx.insert_plan(&NewPlan {
        id: world.plan,
        product_id: world.product,
        slug: &slug,
        name: "Free",
        summary: "",
        state: PlanState::Open,
        approval: false,
        price: Price { minor: 0, currency: "EUR".parse().unwrap(), per: Period::Month },
        limits: &[month_quota(10)],
    })
    .await
    .unwrap();
    tx.commit().await.unwrap();
    world
}

pub fn route(operation: &str, method: &str, path: &str) -> (String, String, String) {
    (operation.to_owned(), method.to_owned(), path.to_owned())
}

pub async fn consumer(store: &Store, world: &World, name: &str) -> Consumer {
    let consumer = Consumer {
        organization: OrganizationId::from(Uuid::now_v7()),
        application: ApplicationId::from(Uuid::now_v7()),
        subscription: SubscriptionId::from(Uuid::now_v7()),
        credential: CredentialId::from(Uuid::now_v7()),
    };
    let mut digest = [0; 32];
    digest[..16].copy_from_slice(consumer.credential.uuid().as_bytes());
    let mut tx = store.begin().await.unwrap();
    tx.insert_organization(consumer.organization, name, &name.parse().unwrap()).await.unwrap();
    tx.insert_application(consumer.application, consumer.organization, name).await.unwrap();
    tx.insert_subscription(NewSubscription {
        id: consumer.subscription,
        organization_id: consumer.organization,
        application_id: consumer.application,
        product_id: world.product,
        plan_id: world.plan,
        state: SubscriptionState::Active,
    })
    .await
    .unwrap();
    tx.insert_credential(&NewCredential {
        id: consumer.credential,
        organization_id: consumer.organization,
        application_id: consumer.application,
        name,
        environment: Environment::Live,
        display_prefix: "tg_live_abcd",
        display_last4: "wxyz",
        digest: &digest,
        pepper_version: 1,
        expires_at: None,
        sealed: None,
        imported: false,
        restrictions: &tollgate_domain::Restrictions::default(),
    })
    .await
    .unwrap();
    tx.commit().await.unwrap();
    consumer
}
