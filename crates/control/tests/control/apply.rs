//! Declared states: applied together or not at all.

use tollgate_control::{Actor, ApplyOptions, ChangeSet, Error, SubscriptionInput, Verb, Who};
use tollgate_domain::declared::{Api, Plan, Product, Service, State};
use tollgate_domain::{
    ApiState, Limit, LimitKind, LimitPer, OperatorRole, Page, Period, PlanState, Portal, Price, ProductState,
    Scope, SiteLink, Slug, StartingTheme, SubscriptionState, Target, UserId, Visibility,
};
use uuid::Uuid;

use crate::fixture::{DOCUMENT, Fixture};

const DRY: ApplyOptions = ApplyOptions { dry_run: true, prune: false };
const PRUNE: ApplyOptions = ApplyOptions { dry_run: false, prune: true };

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

fn service(name: &str) -> Service {
    Service {
        slug: slug(name),
        name: "Things".to_owned(),
        connect_timeout_ms: 2_000,
        read_timeout_ms: 30_000,
        protocol: tollgate_domain::ServiceProtocol::H1,
        targets: vec![Target { url: "http://127.0.0.1:9".to_owned(), weight: 100 }],
    }
}

fn api(name: &str, service: &str) -> Api {
    Api {
        slug: slug(name),
        name: "Things".to_owned(),
        summary: String::new(),
        service: slug(service),
        hosts: vec!["API.example.com".to_owned()],
        base_path: format!("/{name}"),
        match_headers: Vec::new(),
        metering: tollgate_domain::Metering::default(),
        sunset_at: None,
        successor: None,
        policies: tollgate_domain::ApiPolicies::default(),
        state: ApiState::Published,
        document: Some(DOCUMENT.to_owned()),
    }
}

fn product(name: &str, apis: &[&str]) -> Product {
    Product {
        slug: slug(name),
        name: "Things".to_owned(),
        summary: String::new(),
        description: String::new(),
        state: ProductState::Published,
        visibility: Visibility::Public,
        apis: apis.iter().map(|name| slug(name)).collect(),
    }
}

fn plan(product: &str, name: &str, amount: u64) -> Plan {
    Plan {
        product: slug(product),
        slug: slug(name),
        name: "Free".to_owned(),
        summary: String::new(),
        state: PlanState::Open,
        approval: false,
        price: Price { minor: 0, currency: "EUR".parse().unwrap(), per: Period::Month },
        meters: Vec::new(),
        minimum_minor: 0,
        setup_minor: 0,
        trial: None,
        currencies: Vec::new(),
        unpaid_landing: tollgate_domain::UnpaidLanding::Block,
        grace_days: None,
        prepaid: false,
        limits: vec![Limit {
            name: "burst".to_owned(),
            kind: LimitKind::Rate,
            amount,
            period: Period::Second,
            burst: None,
            per: LimitPer::Subscription,
            visible: true,
            budget: tollgate_domain::Budget::default(),
        }],
    }
}

/// A service, an API, a product and a plan, all of one name.
fn state(name: &str) -> State {
    State {
        services: vec![service(name)],
        apis: vec![api(name, name)],
        products: vec![product(name, &[name])],
        plans: vec![plan(name, "free", 10)],
        ..State::default()
    }
}

async fn apply(fixture: &Fixture, state: &State) -> Result<ChangeSet, Error> {
    fixture.control.apply(&Actor::system(), state.clone(), ApplyOptions::default()).await
}

fn steps(changes: &ChangeSet) -> Vec<String> {
    let verb = |verb| match verb {
        Verb::Create => '+',
        Verb::Update => '~',
        Verb::Delete => '-',
    };
    changes.steps.iter().map(|step| format!("{} {} {}", verb(step.verb), step.kind, step.name)).collect()
}

fn faults(result: Result<ChangeSet, Error>) -> Vec<String> {
    match result {
        Err(Error::Invalid(faults)) => {
            faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.message)).collect()
        }
        other => panic!("expected faults, got {other:?}"),
    }
}

async fn audit(fixture: &Fixture) -> Vec<String> {
    let entries = fixture.control.store().list_audit(Scope::Operator, 100).await.unwrap();
    entries.into_iter().map(|entry| entry.action).rev().collect()
}

#[tokio::test]
async fn an_api_may_be_succeeded_by_one_that_is_declared_after_it() {
    let fixture = Fixture::new().await;
    let mut state = state("things");
    let mut next = api("next", "things");
    next.base_path = "/next".to_owned();
    state.apis.push(next);
    state.apis[0].state = ApiState::Deprecated;
    state.apis[0].sunset_at = Some("2127-06-30T12:00:00Z".parse().unwrap());
    state.apis[0].successor = Some(slug("next"));
    apply(&fixture, &state).await.unwrap();
    assert!(apply(&fixture, &state).await.unwrap().steps.is_empty(), "what was applied holds");
    let declared = fixture.control.declared(&Actor::system()).await.unwrap();
    let of = |declared: &State| {
        let one = declared.apis.iter().find(|api| api.slug.as_str() == "things").cloned().unwrap();
        (one.state, one.sunset_at, one.successor)
    };
    assert_eq!(of(&declared), of(&state));

    state.apis[0].successor = Some(slug("nowhere"));
    assert_eq!(faults(apply(&fixture, &state).await), ["/apis/0/successor: there is no api `nowhere`"]);
    state.apis[0].successor = None;
    state.apis[0].state = ApiState::Published;
    let fault = "/apis/0/sunset_at: only an API that is deprecated or retired has one";
    assert_eq!(faults(apply(&fixture, &state).await), [fault]);
}

#[tokio::test]
async fn a_state_is_applied_in_one_revision_with_an_audit_entry_each_and_then_holds() {
    let fixture = Fixture::new().await;
    let before = fixture.revision().await;
    let dry = fixture.control.apply(&Actor::system(), state("things"), DRY).await.unwrap();
    let all = ["+ service things", "+ api things", "+ product things", "+ plan things/free"];
    assert_eq!((steps(&dry), dry.revision), (all.map(str::to_owned).to_vec(), None));
    assert_eq!(
        (fixture.revision().await, audit(&fixture).await.len()),
        (before, 0),
        "a dry run leaves nothing"
    );

    let done = apply(&fixture, &state("things")).await.unwrap();
    assert_eq!(steps(&done), all);
    assert_eq!(done.revision, Some(before + 1));
    assert_eq!(fixture.revision().await, before + 1);
    assert_eq!(audit(&fixture).await, ["service.create", "api.create", "product.create", "plan.create"]);
    let blueprint = fixture.control.store().feed_blueprint().await.unwrap();
    assert_eq!(blueprint.apis[0].routes.len(), 2);
    assert_eq!(blueprint.apis[0].hosts, ["api.example.com"]);

    let again = apply(&fixture, &state("things")).await.unwrap();
    assert_eq!((steps(&again), again.unchanged, again.revision), (Vec::new(), 4, None));
    assert_eq!(fixture.revision().await, before + 1);

    let declared = fixture.control.declared(&Actor::system()).await.unwrap();
    let document = declared.apis[0].document.as_deref().unwrap();
    assert!(document.starts_with(r#"{"openapi":"3.1.0","info":"#), "the author's order is kept: {document}");
    let exported = fixture.control.apply(&Actor::system(), declared, ApplyOptions::default()).await.unwrap();
    assert!(exported.steps.is_empty(), "what was exported holds: {exported:?}");
}

#[tokio::test]
async fn changes_are_told_by_field() {
    let fixture = Fixture::new().await;
    apply(&fixture, &state("things")).await.unwrap();
    let mut other = state("things");
    other.plans[0] = plan("things", "free", 20);
    other.apis[0].document = Some(DOCUMENT.replace("/things/{id}", "/thing/{id}"));
    let changes = apply(&fixture, &other).await.unwrap();
    assert_eq!(steps(&changes), ["~ api things", "~ plan things/free"]);
    let operations = changes.steps[0].operations.as_ref().unwrap();
    assert_eq!(operations.added, ["GET /thing/{id}"]);
    assert_eq!(operations.removed, ["GET /things/{id}"]);
    let field = &changes.steps[1].fields[0];
    assert_eq!((field.field.as_str(), &field.after), ("limits[burst].amount", &Some(20.into())));
    assert_eq!(audit(&fixture).await[4..], ["api.update", "plan.update"]);
}

#[tokio::test]
async fn one_fault_and_nothing_is_written_and_all_faults_are_told() {
    let fixture = Fixture::new().await;
    apply(&fixture, &state("things")).await.unwrap();
    let before = fixture.revision().await;
    let mut bad = state("others");
    bad.services[0].connect_timeout_ms = 0;
    bad.plans[0].limits[0].amount = 0;
    bad.apis[0].document = Some(DOCUMENT.replace("  /things:", "  things:"));
    bad.plans.push(plan("others", "free", 1));
    bad.products[0].apis.push(slug("nothing"));
    let told = faults(apply(&fixture, &bad).await);
    assert_eq!(told.len(), 5, "{told:#?}");
    assert!(told[0].starts_with("/plans/1/slug: "), "{told:#?}");
    assert!(told[1].starts_with("/services/0/connect_timeout_ms: "), "{told:#?}");
    assert!(told[2].starts_with("/apis/0/document/paths/things: line 4: "), "{told:#?}");
    assert!(told[3].starts_with("/plans/0/limits/0/amount: "), "{told:#?}");
    assert_eq!(told[4], "/products/0/apis/1: there is no api `nothing`");

    let mut lost = state("others");
    lost.apis[0].service = slug("nowhere");
    lost.products[0].apis.push(slug("nothing"));
    assert_eq!(
        faults(apply(&fixture, &lost).await),
        ["/apis/0/service: there is no service `nowhere`", "/products/0/apis/1: there is no api `nothing`",]
    );
    assert_eq!(fixture.revision().await, before);
    assert!(fixture.control.store().find_service_by_slug("others").await.unwrap().is_none());
}

#[tokio::test]
async fn what_gateways_would_refuse_is_told_where_it_is_declared() {
    let fixture = Fixture::new().await;
    apply(&fixture, &state("things")).await.unwrap();
    let before = fixture.revision().await;
    let mut twin = state("twin");
    twin.apis[0].base_path = "/things".to_owned();
    let told = faults(apply(&fixture, &twin).await);
    assert!(told[0].starts_with("/apis/0/document/paths/~1things/get: "), "{told:?}");
    assert_eq!(fixture.revision().await, before);
    assert_eq!(audit(&fixture).await.len(), 4);
}

#[tokio::test]
async fn a_renamed_slug_is_made_anew_and_the_old_one_goes_only_when_pruned() {
    let fixture = Fixture::new().await;
    apply(&fixture, &state("things")).await.unwrap();
    let mut renamed = state("goods");
    renamed.apis[0].base_path = "/things".to_owned();
    let kept = faults(apply(&fixture, &renamed).await);
    assert!(kept[0].starts_with("/apis/0/document/paths/"), "both would answer on one path: {kept:?}");

    let before = fixture.revision().await;
    let changes = fixture.control.apply(&Actor::system(), renamed, PRUNE).await.unwrap();
    assert_eq!(
        steps(&changes),
        [
            "+ service goods",
            "+ api goods",
            "+ product goods",
            "+ plan goods/free",
            "- plan things/free",
            "- product things",
            "- api things",
            "- service things",
        ]
    );
    assert_eq!(changes.revision, Some(before + 1));
    assert!(fixture.control.store().find_api_by_slug("things").await.unwrap().is_none());
    assert_eq!(audit(&fixture).await[8..], ["plan.delete", "product.delete", "api.delete", "service.delete"]);
}

#[tokio::test]
async fn what_is_not_declared_stays_and_is_named() {
    let fixture = Fixture::new().await;
    apply(&fixture, &state("things")).await.unwrap();
    let part = State { plans: vec![plan("things", "more", 99)], ..State::default() };
    let changes = apply(&fixture, &part).await.unwrap();
    assert_eq!(steps(&changes), ["+ plan things/more"]);
    assert_eq!(changes.undeclared, ["service things", "api things", "product things", "plan things/free"]);
    let told = faults(fixture.control.apply(&Actor::system(), part, PRUNE).await);
    assert_eq!(
        told,
        ["/plans/0/product: the product `things` is not declared, and what is not declared is to be deleted"]
    );
}

#[tokio::test]
async fn a_plan_with_subscriptions_is_not_pruned() {
    let fixture = Fixture::new().await;
    apply(&fixture, &state("things")).await.unwrap();
    let store = fixture.control.store();
    let (actor, made) = fixture.sign_up("dev@example.com").await;
    let application = fixture.control.create_application(&actor, made.organization_id, "App").await.unwrap();
    let product = store.find_product_by_slug("things").await.unwrap().unwrap();
    let plans = store.list_plans(Some(product.id), tollgate_store::Page::FIRST_500).await.unwrap();
    let input = SubscriptionInput { application_id: application.id, plan_id: plans[0].id };
    let subscription = fixture.control.subscribe(&actor, input).await.unwrap();
    assert_eq!(subscription.state, SubscriptionState::Active);
    let mut without = state("things");
    without.plans = vec![plan("things", "other", 1)];
    let told = faults(fixture.control.apply(&Actor::system(), without, PRUNE).await);
    assert!(told[0].starts_with(": plan things/free cannot be deleted: it has "), "{told:?}");
    assert_eq!(store.list_plans(Some(product.id), tollgate_store::Page::FIRST_500).await.unwrap().len(), 1);
}

#[tokio::test]
async fn two_who_apply_at_once_take_turns() {
    let fixture = Fixture::new().await;
    let (one, other) = (state("one"), state("other"));
    let (a, b) = tokio::join!(apply(&fixture, &one), apply(&fixture, &other));
    let mut revisions = [a.unwrap().revision, b.unwrap().revision];
    revisions.sort_unstable();
    assert_eq!(revisions[0].map(|first| first + 1), revisions[1]);
}

#[tokio::test]
async fn auditors_read_and_do_not_apply() {
    let fixture = Fixture::new().await;
    let who = Who::Operator { user_id: UserId::from(Uuid::now_v7()), role: OperatorRole::Auditor };
    let auditor = Actor::new(who, None);
    assert!(fixture.control.declared(&auditor).await.is_ok());
    let refused = fixture.control.apply(&auditor, State::default(), ApplyOptions::default()).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
}

#[tokio::test]
async fn prices_are_applied_and_come_out_as_they_went_in() {
    use tollgate_domain::declared::{MeterPrice, UsagePrice};

    let fixture = Fixture::new().await;
    let priced = |unit: &str| {
        let mut state = state("things");
        state.plans[0].minimum_minor = 500;
        state.plans[0].meters = vec![MeterPrice {
            meter: "calls".into(),
            included: 1_000,
            price: UsagePrice {
                scheme: "per_unit".into(),
                unit_minor: Some(unit.into()),
                tiers: None,
                size: None,
                minor: None,
            },
        }];
        state
    };
    apply(&fixture, &priced("0.20")).await.unwrap();
    let held = fixture.control.declared(&Actor::system()).await.unwrap();
    assert_eq!(held.plans[0].meters, priced("0.2").plans[0].meters, "in the shortest way");
    assert_eq!(held.plans[0].minimum_minor, 500);
    assert!(apply(&fixture, &held).await.unwrap().steps.is_empty(), "what came out changes nothing");
    let changes = apply(&fixture, &priced("0.3")).await.unwrap();
    assert_eq!(steps(&changes), ["~ plan things/free"]);
    let mut dollars = priced("0.3");
    dollars.plans[0].price.currency = "USD".parse().unwrap();
    apply(&fixture, &dollars).await.unwrap();
    let held = fixture.control.declared(&Actor::system()).await.unwrap();
    assert_eq!(held.plans[0].price.currency.as_str(), "USD");
    assert_eq!(held.plans[0].meters.len(), 1, "with its prices");

    let mut wrong = priced("0.3");
    wrong.plans[0].meters[0].meter = "no such meter".into();
    assert!(faults(apply(&fixture, &wrong).await)[0].starts_with("/plans/0/meters/0"));
    wrong = priced("0.3");
    wrong.plans[0].meters[0].price.scheme = "package".into();
    assert!(faults(apply(&fixture, &wrong).await)[0].starts_with("/plans/0/meters/0"));
}

#[tokio::test]
async fn the_portals_look_and_pages_are_applied_told_and_pruned_like_everything_else() {
    let fixture = Fixture::new().await;
    let page = |slug_text: &str, text: &str| Page {
        slug: slug(slug_text),
        title: "Imprint".to_owned(),
        text: text.to_owned(),
        in_navigation: true,
        position: 3,
    };
    let look = Portal {
        name: "Atlas".to_owned(),
        accent: Some("#0F766E".to_owned()),
        footer: vec![SiteLink { text: "Imprint".to_owned(), href: "/pages/imprint".to_owned() }],
        ..Portal::default()
    };
    let wanted =
        State { portals: vec![look], pages: vec![page("imprint", "Who we are.")], ..State::default() };
    assert_eq!(steps(&apply(&fixture, &wanted).await.unwrap()), ["+ portal look", "+ page imprint"]);
    let declared = fixture.control.declared(&Actor::system()).await.unwrap();
    assert_eq!(declared.portals[0].accent.as_deref(), Some("#0f766e"), "written in one way");
    assert_eq!(declared.pages, wanted.pages);
    assert!(apply(&fixture, &declared).await.unwrap().steps.is_empty(), "what is exported holds");
    let mut other = declared.clone();
    other.pages[0].text = "Who we are now.".to_owned();
    other.portals[0].theme = StartingTheme::Dark;
    assert_eq!(steps(&apply(&fixture, &other).await.unwrap()), ["~ portal look", "~ page imprint"]);
    let mut faint = other.clone();
    faint.portals[0].accent = Some("#facc15".to_owned());
    faint.pages[0].title = String::new();
    let found = faults(apply(&fixture, &faint).await);
    assert!(found[0].starts_with("/portals/0/accent: #facc15 has a contrast of 1.5"), "{found:?}");
    assert!(found[1].starts_with("/pages/0/title: "), "{found:?}");
    let gone = fixture.control.apply(&Actor::system(), State::default(), PRUNE).await.unwrap();
    assert_eq!(steps(&gone), ["- page imprint", "- portal look"]);
    assert_eq!(fixture.control.store().get_portal().await.unwrap().portal, Portal::default());
    let noted = audit(&fixture).await;
    let expected =
        ["portal.create", "page.create", "portal.update", "page.update", "page.delete", "portal.delete"];
    assert!(noted.ends_with(&expected.map(str::to_owned)), "{noted:?}");
}
