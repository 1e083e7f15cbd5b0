//! Publishes the Atlas as an operator would, once: what is there already is the operator's to change.

use tollgate_control::{
    Actor, ApiInput, Control, CredentialInput, PlanInput, ProductInput, Result, ServiceInput, ServicePatch,
    SubscriptionInput,
};
use tollgate_domain::{
    ApiState, ApplicationId, Environment, Limit, LimitKind, LimitPer, OrganizationId, Period, PlanId,
    PlanState, Price, ProductId, ProductState, Scope, ServiceId, Slug, SubscriptionState, Target, Visibility,
};
use tollgate_store::{ApiRow, Page};

use crate::OPENAPI;

/// Name in URLs of the demo's service, API and product.
const SLUG: &str = "atlas";
/// Name in URLs of the organization that the demo's key belongs to.
const ORGANIZATION: &str = "demo";

const PRODUCT_SUMMARY: &str = "Countries, continents and time zones of the world, in one small API.";
const PRODUCT_DESCRIPTION: &str = "\
The Atlas knows 249 countries and territories, 7 continents and 418 time zones.

Use it to

- fill the country field of a form, in English or in each country's own language,
- show the right currency, calling code and local time for a customer,
- find every country that shares a language, a currency or a continent.

Lists can be filtered and come in pages, every answer has an ETag, and errors name the parameter that was wrong. \
The records are public: countries-list (MIT) and the IANA time zone database (public domain).";

/// What the demo is reached by.
#[derive(Clone, PartialEq, Eq)]
pub struct Seeded {
    /// Path at the gateway that answers with the key, like `/atlas/v1/countries/NZ`.
    pub demo_path: String,
    /// A key of the demo's own application, on the free plan. Not for logs.
    pub key: String,
    /// Whether the key is new, so that the caller has to keep it.
    pub key_is_new: bool,
    /// The product's name in URLs.
    pub product_slug: String,
}

impl std::fmt::Debug for Seeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seeded").field("demo_path", &self.demo_path).finish_non_exhaustive()
    }
}

/// Creates what is missing, points the service at `upstream_url`, and sees to a key: the existing one where it is
/// still good, else a new one. A second start changes nothing.
///
/// # Errors
/// The database is away, or an operator gave the demo's names or paths to something else.
pub async fn seed(control: &Control, upstream_url: &str, existing_key: Option<&str>) -> Result<Seeded> {
    let actor = Actor::system();
    let service = service(control, &actor, upstream_url).await?;
    let api = api(control, &actor, service).await?;
    let product = product(control, &actor, &api).await?;
    let free = plans(control, &actor, product).await?;
    let (application, kept) = match existing_key {
        Some(text) => match application_of(control, text).await? {
            Some(application) => (application, Some(text)),
            None => (application(control, &actor).await?, None),
        },
        None => (application(control, &actor).await?, None),
    };
    subscription(control, &actor, application, product, free).await?;
    control.open_to_guests(&actor, product, free).await?;
    let key = match kept {
        Some(text) => text.to_owned(),
        None => {
            let input = CredentialInput {
                name: "Demo".to_owned(),
                environment: Environment::Test,
                expires_at: None,
                restrictions: tollgate_domain::Restrictions::default(),
            };
            let minted = control.create_credential(&actor, application, input).await?;
            tracing::info!(key_id = %minted.id, "made a key for the demo");
            minted.secret.reveal().to_owned()
        }
    };
    Ok(Seeded {
        demo_path: format!("{}/v1/countries/NZ", api.base_path),
        key,
        key_is_new: kept.is_none(),
        product_slug: SLUG.to_owned(),
    })
}

fn slug(text: &str) -> Slug {
    text.parse().expect("the demo's names are slugs")
}

/// Only the address is kept current: it changes with the port of each start.
async fn service(control: &Control, actor: &Actor, upstream_url: &str) -> Result<ServiceId> {
    let Some(row) = control.store().find_service_by_slug(SLUG).await? else {
        let target = Target { url: upstream_url.to_owned(), weight: 1 };
        let input = ServiceInput::new(slug(SLUG), "Atlas".to_owned(), vec![target]);
        return Ok(control.create_service(actor, input).await?.id);
    };
    if !row.targets.iter().any(|target| target.url == upstream_url) {
        let mut targets = row.targets;
        match targets.first_mut() {
            Some(first) => upstream_url.clone_into(&mut first.url),
            None => targets.push(Target { url: upstream_url.to_owned(), weight: 1 }),
        }
        let patch = ServicePatch { targets: Some(targets), ..ServicePatch::default() };
        control.update_service(actor, row.id, None, patch).await?;
    }
    Ok(row.id)
}

async fn api(control: &Control, actor: &Actor, service_id: ServiceId) -> Result<ApiRow> {
    if let Some(row) = control.store().find_api_by_slug(SLUG).await? {
        return Ok(row);
    }
    let input = ApiInput {
        slug: slug(SLUG),
        name: "Atlas".to_owned(),
        summary: PRODUCT_SUMMARY.to_owned(),
        service_id,
        hosts: Vec::new(),
        base_path: format!("/{SLUG}"),
        match_headers: Vec::new(),
        metering: tollgate_domain::Metering::default(),
        sunset_at: None,
        successor_id: None,
        policies: tollgate_domain::ApiPolicies::default(),
        state: ApiState::Published,
    };
    control.create_api(actor, input, Some(OPENAPI)).await
}

async fn product(control: &Control, actor: &Actor, api: &ApiRow) -> Result<ProductId> {
    if let Some(row) = control.store().find_product_by_slug(SLUG).await? {
        return Ok(row.id);
    }
    let input = ProductInput {
        slug: slug(SLUG),
        name: "Atlas".to_owned(),
        summary: PRODUCT_SUMMARY.to_owned(),
        description: PRODUCT_DESCRIPTION.to_owned(),
        state: ProductState::Published,
        visibility: Visibility::Public,
        apis: vec![api.id],
    };
    Ok(control.create_product(actor, input).await?.id)
}

/// Sees to both plans and returns the free one.
async fn plans(control: &Control, actor: &Actor, product_id: ProductId) -> Result<PlanId> {
    let existing = control.store().list_plans(Some(product_id), Page::FIRST_500).await?;
    let find = |name: &str| existing.iter().find(|plan| plan.slug.as_str() == name).map(|plan| plan.id);
    let euros = |minor| Price { minor, currency: "EUR".parse().expect("a currency"), per: Period::Month };
    let plan = |name: &str, title: &str, summary: &str, state, price, limits| PlanInput {
        product_id,
        slug: slug(name),
        name: title.to_owned(),
        summary: summary.to_owned(),
        state,
        approval: false,
        price,
        limits,
    };
    let free = match find("free") {
        Some(id) => id,
        None => {
            let summary = "For trying things out and for small programs. No card, no approval.";
            let input = plan("free", "Free", summary, PlanState::Open, euros(0), limits(10, 1_000));
            control.create_plan(actor, input).await?.id
        }
    };
    if find("growth").is_none() {
        let summary = "For programs that people rely on.";
        let input =
            plan("growth", "Growth", summary, PlanState::Announced, euros(29_00), limits(100, 100_000));
        control.create_plan(actor, input).await?;
    }
    Ok(free)
}

/// So many calls a second, and so many a month.
fn limits(per_second: u64, per_month: u64) -> Vec<Limit> {
    let limit = |name: &str, kind, amount, period| Limit {
        name: name.to_owned(),
        kind,
        amount,
        period,
        burst: None,
        per: LimitPer::Subscription,
        visible: true,
        budget: tollgate_domain::Budget::default(),
    };
    vec![
        limit("burst", LimitKind::Rate, per_second, Period::Second),
        limit("month", LimitKind::Quota, per_month, Period::Month),
    ]
}

/// The application that an active key of the demo's own organization belongs to.
async fn application_of(control: &Control, key: &str) -> Result<Option<ApplicationId>> {
    let Some(row) = control.find_active_key(key).await? else { return Ok(None) };
    let organization = control.store().get_organization(Scope::Operator, row.organization_id).await?;
    Ok((organization.slug.as_str() == ORGANIZATION).then_some(row.application_id))
}

async fn application(control: &Control, actor: &Actor) -> Result<ApplicationId> {
    let organization = match find_organization(control).await? {
        Some(id) => id,
        None => control.create_organization(actor, "Demo", Some(slug(ORGANIZATION))).await?.id,
    };
    let scope = Scope::Organization(organization);
    let existing = control.store().list_applications(scope, Page::FIRST_500).await?;
    match existing.first() {
        Some(row) => Ok(row.id),
        None => Ok(control.create_application(actor, organization, "Demo").await?.id),
    }
}

/// The demo's organization; page by page, though it is among the oldest as a rule.
async fn find_organization(control: &Control) -> Result<Option<OrganizationId>> {
    let mut page = Page::FIRST_500;
    loop {
        let rows = control.store().list_organizations(Scope::Operator, page).await?;
        if let Some(row) = rows.iter().find(|row| row.slug.as_str() == ORGANIZATION) {
            return Ok(Some(row.id));
        }
        match rows.last() {
            Some(last) => page.after = Some(last.id.uuid()),
            None => return Ok(None),
        }
    }
}

/// Puts the application on the free plan, unless it has a subscription to the product.
async fn subscription(
    control: &Control,
    actor: &Actor,
    application_id: ApplicationId,
    product: ProductId,
    plan_id: PlanId,
) -> Result<()> {
    let existing =
        control.store().list_subscriptions(Scope::Operator, Some(application_id), Page::FIRST_500).await?;
    let held = existing.iter().any(|row| row.product_id == product && row.state != SubscriptionState::Ended);
    if !held {
        control.subscribe(actor, SubscriptionInput { application_id, plan_id }).await?;
    }
    Ok(())
}
