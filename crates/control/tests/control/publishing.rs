//! Services, APIs, products and plans.

use chrono::Utc;
use tollgate_control::{Actor, ApiPatch, Error, PlanPatch, ServicePatch};
use tollgate_domain::{ApiState, Target};

use crate::fixture::{DOCUMENT, Fixture, api_input, plan_input, service_input};

fn pointers(error: &Error) -> Vec<&str> {
    match error {
        Error::Invalid(faults) => faults.iter().map(|fault| fault.pointer.as_str()).collect(),
        other => panic!("expected faults, got {other:?}"),
    }
}

#[tokio::test]
async fn publishing_a_document_makes_its_operations_the_routes() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let store = fixture.control.store();
    let routes = store.list_routes(published.api.id).await.unwrap();
    let ids: Vec<&str> = routes.iter().map(|route| route.operation_id.as_str()).collect();
    assert_eq!(ids, ["listThings", "getThing"]);
    assert_eq!(store.find_document(published.api.id).await.unwrap().expect("stored")["openapi"], "3.1.0");

    let more = DOCUMENT.replace("/things/{id}", "/thing/{id}");
    let system = Actor::system();
    fixture.control.publish_document(&system, published.api.id, None, &more).await.unwrap();
    let after = store.list_routes(published.api.id).await.unwrap();
    assert_eq!(
        after.iter().find(|route| route.operation_id == "listThings").map(|route| route.id),
        Some(routes[0].id)
    );
    assert!(after.iter().any(|route| route.path == "/thing/{id}"));
}

#[tokio::test]
async fn a_bad_document_is_refused_whole_with_its_place() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let before = fixture.revision().await;
    let bad = DOCUMENT.replace("  /things:", "  things:");
    let error =
        fixture.control.publish_document(&Actor::system(), published.api.id, None, &bad).await.unwrap_err();
    assert!(pointers(&error)[0].starts_with("/paths/things"), "{error:?}");
    assert!(matches!(&error, Error::Invalid(faults) if faults[0].message.contains("line 4")), "{error:?}");
    assert_eq!(fixture.revision().await, before);
}

#[tokio::test]
async fn what_gateways_would_refuse_is_refused_before_it_is_written() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let before = fixture.revision().await;
    let mut twin = api_input("twin", &published.service);
    twin.base_path = "/things".to_owned();
    let error = fixture.control.create_api(&Actor::system(), twin, Some(DOCUMENT)).await.unwrap_err();
    let Error::Conflict(text) = error else { panic!("{error:?}") };
    assert_eq!(text.matches("rte_").count(), 2, "both routes are named: {text}");
    assert!(text.contains("of API twin") && text.contains("of API things"), "{text}");
    assert!(fixture.control.store().find_api_by_slug("twin").await.unwrap().is_none());
    assert_eq!(fixture.revision().await, before);
}

#[tokio::test]
async fn every_bad_field_is_named() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let system = Actor::system();
    let mut service = service_input("other");
    service.name = " ".to_owned();
    service.connect_timeout_ms = 0;
    service.targets = vec![
        Target { url: "ftp://host".to_owned(), weight: 1 },
        Target { url: "http://user:pass@host".to_owned(), weight: 2000 },
        Target { url: "http://[::ffff:169.254.169.254]/latest".to_owned(), weight: 1 },
    ];
    let error = fixture.control.create_service(&system, service).await.unwrap_err();
    assert_eq!(
        pointers(&error),
        [
            "/name",
            "/connect_timeout_ms",
            "/targets/0/url",
            "/targets/1/url",
            "/targets/1/weight",
            "/targets/2/url"
        ]
    );
    let mut plan = plan_input(&published.product);
    plan.slug = "other".parse().unwrap();
    plan.limits[0].amount = 0;
    let error = fixture.control.create_plan(&system, plan).await.unwrap_err();
    assert_eq!(pointers(&error), ["/limits/0/amount"]);
    let error = fixture.control.create_plan(&system, plan_input(&published.product)).await.unwrap_err();
    assert_eq!(pointers(&error), ["/slug"], "a taken slug is a fault of the slug");
}

#[tokio::test]
async fn an_update_is_bound_to_its_version_and_a_no_op_makes_no_revision() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let system = Actor::system();
    let before = fixture.revision().await;
    let same = PlanPatch { name: Some("Free".to_owned()), ..PlanPatch::default() };
    let plan = fixture.control.update_plan(&system, published.plan.id, Some(1), same).await.unwrap();
    assert_eq!((plan.version, fixture.revision().await), (1, before));
    let rename = PlanPatch { name: Some("Starter".to_owned()), ..PlanPatch::default() };
    let plan =
        fixture.control.update_plan(&system, published.plan.id, Some(1), rename.clone()).await.unwrap();
    assert_eq!((plan.version, fixture.revision().await), (2, before + 1));
    let stale = fixture.control.update_plan(&system, published.plan.id, Some(1), rename).await;
    assert!(matches!(stale, Err(Error::VersionMismatch(2))), "{stale:?}");
    let audit = fixture.control.store().list_audit(tollgate_domain::Scope::Operator, 1).await.unwrap();
    assert_eq!(audit[0].action, "plan.update");
    assert_eq!(audit[0].details["before"]["name"], "Free");
    assert_eq!(audit[0].details["after"]["name"], "Starter");
}

#[tokio::test]
async fn what_is_in_use_cannot_be_deleted() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let system = Actor::system();
    let control = &fixture.control;
    assert!(matches!(
        control.delete_service(&system, published.service.id, None).await,
        Err(Error::Conflict(_))
    ));
    assert!(matches!(control.delete_api(&system, published.api.id, None).await, Err(Error::Conflict(_))));
    assert!(matches!(
        control.delete_product(&system, published.product.id, None).await,
        Err(Error::Conflict(_))
    ));
    control.delete_plan(&system, published.plan.id, None).await.unwrap();
    control.delete_product(&system, published.product.id, None).await.unwrap();
    control.delete_api(&system, published.api.id, None).await.unwrap();
    control.delete_service(&system, published.service.id, None).await.unwrap();
    let gone = control.delete_service(&system, published.service.id, None).await;
    assert!(matches!(gone, Err(Error::NotFound("service"))), "{gone:?}");
}

#[tokio::test]
async fn targets_and_states_change() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let system = Actor::system();
    let targets = vec![Target { url: "https://api.example.com/v2".to_owned(), weight: 5 }];
    let patch = ServicePatch { targets: Some(targets), ..ServicePatch::default() };
    let service = fixture.control.update_service(&system, published.service.id, None, patch).await.unwrap();
    assert_eq!(service.targets[0].url, "https://api.example.com/v2");
    let patch = ApiPatch { state: Some(ApiState::Retired), ..ApiPatch::default() };
    fixture.control.update_api(&system, published.api.id, None, patch).await.unwrap();
    assert!(fixture.control.store().feed_blueprint().await.unwrap().apis.is_empty());
}

#[tokio::test]
async fn an_api_goes_in_steps_that_gateways_and_webhooks_hear_of() {
    let fixture = Fixture::new().await;
    let (old, new) = (fixture.publish("things").await, fixture.publish("others").await);
    let (control, system) = (&fixture.control, Actor::system());
    let change = async |patch: ApiPatch| control.update_api(&system, old.api.id, None, patch).await;
    let early = ApiPatch { sunset_at: Some(Some(Utc::now())), ..ApiPatch::default() };
    assert_eq!(pointers(&change(early).await.unwrap_err()), ["/sunset_at"], "a published API stays");

    let sunset = "2127-06-30T12:00:00.5Z".parse().unwrap();
    let deprecate = ApiPatch {
        state: Some(ApiState::Deprecated),
        sunset_at: Some(Some(sunset)),
        successor_id: Some(Some(new.api.id)),
        ..ApiPatch::default()
    };
    let row = change(deprecate.clone()).await.unwrap();
    assert_eq!(row.sunset_at.map(|at| at.timestamp_subsec_millis()), Some(0), "to the second");
    assert!(row.deprecated_at.is_some() && row.successor() == Some(new.api.id));
    let blueprint = control.store().feed_blueprint().await.unwrap();
    let told = blueprint.apis.iter().find(|api| api.id == old.api.id).unwrap().deprecation.clone().unwrap();
    assert_eq!((told.sunset_s, told.successor.as_deref()), (Some(4_970_030_400), Some("others")));
    let own = ApiPatch { successor_id: Some(Some(old.api.id)), ..ApiPatch::default() };
    assert_eq!(pointers(&change(own).await.unwrap_err()), ["/successor_id"]);

    assert_eq!(control.retire_apis().await.unwrap(), 0, "its day is far");
    let past = ApiPatch { sunset_at: Some(Some(Utc::now())), ..ApiPatch::default() };
    let row = change(past).await.unwrap();
    assert!(row.deprecated_at <= row.sunset_at, "RFC 8594 wants them in this order");
    assert_eq!(control.retire_apis().await.unwrap(), 1);
    let blueprint = control.store().feed_blueprint().await.unwrap();
    assert!(blueprint.apis.iter().all(|api| api.id != old.api.id));
    let gone = &blueprint.retired[0];
    assert_eq!((gone.successor.as_deref(), gone.paths.len()), (Some("others"), 2));
    let events = "select count(*) from events where type = $1";
    for (kind, times) in [("api.deprecated", 2), ("api.retired", 1)] {
        assert_eq!(fixture.database.count(events, kind).await, times, "{kind}");
    }

    let back = ApiPatch { state: Some(ApiState::Published), ..ApiPatch::default() };
    let row = change(back).await.unwrap();
    assert_eq!((row.deprecated_at, row.sunset_at, row.successor_id), (None, None, None));
}

/// Of several that cannot stand together, one is taken whatever the order; what is in force always compiles.
#[tokio::test]
async fn changes_at_once_cannot_conflict_behind_each_others_back() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let system = Actor::system();
    let mut ids = Vec::new();
    for name in ["one", "two", "three", "four", "five"] {
        let mut input = api_input(name, &published.service);
        input.base_path = "/same".to_owned();
        ids.push(fixture.control.create_api(&system, input, None).await.unwrap().id);
    }
    let publishing = ids.iter().map(|id| {
        let (control, id) = (fixture.control.clone(), *id);
        tokio::spawn(async move { control.publish_document(&Actor::system(), id, None, DOCUMENT).await })
    });
    let mut taken = 0;
    for publishing in publishing.collect::<Vec<_>>() {
        match publishing.await.unwrap() {
            Ok(_) => taken += 1,
            Err(error) => assert!(matches!(error, Error::Conflict(_)), "{error:?}"),
        }
    }
    assert_eq!(taken, 1);
    let blueprint = fixture.control.store().feed_blueprint().await.unwrap();
    assert!(tollgate_engine::compile(&blueprint).is_ok());
}

#[tokio::test]
async fn what_was_broken_by_hand_can_be_mended() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let system = Actor::system();
    let mut twin = api_input("twin", &published.service);
    twin.base_path = "/twin".to_owned();
    let twin = fixture.control.create_api(&system, twin, Some(DOCUMENT)).await.unwrap();
    let broken = fixture.database.count(
        "with broken as (update apis set base_path = '/things' where slug = $1 returning 1) select count(*) from broken",
        "twin",
    );
    assert_eq!(broken.await, 1);
    let rename = PlanPatch { name: Some("Other".to_owned()), ..PlanPatch::default() };
    fixture.control.update_plan(&system, published.plan.id, None, rename).await.unwrap();
    let draft = ApiPatch { state: Some(ApiState::Draft), ..ApiPatch::default() };
    fixture.control.update_api(&system, twin.id, None, draft).await.unwrap();
    let blueprint = fixture.control.store().feed_blueprint().await.unwrap();
    assert!(tollgate_engine::compile(&blueprint).is_ok());
}

#[tokio::test]
async fn what_was_broken_by_hand_holds_up_no_other_change_and_hides_no_other_fault() {
    let fixture = Fixture::new().await;
    let published = fixture.publish("things").await;
    let broken = "with broken as (update targets set url = 'not a url' where $1 = '' returning 1) select count(*) from broken";
    assert_eq!(fixture.database.count(broken, "").await, 1);
    fixture.publish("others").await;
    let mut twin = api_input("twin", &published.service);
    twin.base_path = "/others".to_owned();
    let twin = fixture.control.create_api(&Actor::system(), twin, Some(DOCUMENT)).await;
    assert!(matches!(twin, Err(Error::Conflict(_))), "{twin:?}");
    let told = fixture.control.check_configuration(&Actor::system()).await;
    assert!(matches!(&told, Err(Error::Conflict(text)) if text.contains("targets/0/url")), "{told:?}");
}
