//! What is written is read as the same, and written again byte by byte.

use proptest::prelude::*;
use serde_json::{Map, Value};
use tollgate_domain::declared::{
    Api, MeterPrice, Plan, PriceTier, Prices, Product, Service, State, Trial, TrialUnits, UsagePrice,
};
use tollgate_domain::{
    ApiPolicies, ApiState, HeaderMatch, Limit, LimitKind, LimitPer, OperationPolicies, Page, Period,
    PlanState, Policies, Portal, Price, ProductState, RatePer, RatePolicy, SiteLink, Slug, Target,
    UnpaidLanding, Visibility,
};
use tollgate_manifest::{File, Manifest, files, stream};

fn slug(text: String) -> Slug {
    text.parse().expect("the pattern makes slugs")
}

fn slugs() -> impl Strategy<Value = Slug> {
    "[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?".prop_map(slug)
}

/// Texts that YAML could take for something else.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("no".to_owned()),
        Just("1e3".to_owned()),
        Just("- a: b #c".to_owned()),
        Just("~".to_owned()),
        Just("a\n\n  b \n".to_owned()),
        Just("one\ntwo\n\nthree\n".to_owned()),
        "[ -~]{0,12}",
        "([a-z #:\\-]{0,6}\n){0,4}",
        // NUL is in no text that PostgreSQL holds.
        any::<String>().prop_map(|text| text.replace('\0', "")),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // The platform keeps documents as JSON text, whose reader rounds numbers of more than 15 digits.
        (-99_999..99_999i32).prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((texts(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn services() -> impl Strategy<Value = Service> {
    let target = ("http://[a-z]{1,9}", 0..=1_000u16).prop_map(|(url, weight)| Target { url, weight });
    (slugs(), texts(), 1..60_000i32, 1..3_600_000i32, prop::collection::vec(target, 1..4)).prop_map(
        |(slug, name, connect_timeout_ms, read_timeout_ms, targets)| Service {
            slug,
            name,
            connect_timeout_ms,
            read_timeout_ms,
            protocol: tollgate_domain::ServiceProtocol::H2c,
            targets,
        },
    )
}

fn rates() -> Vec<RatePolicy> {
    let rate = |name: &str, per, burst| RatePolicy {
        name: name.into(),
        amount: 5,
        period: Period::Minute,
        burst,
        per,
    };
    vec![rate("each", RatePer::Subscription, None), rate("shield", RatePer::All, Some(2))]
}

fn apis() -> impl Strategy<Value = Api> {
    let document = prop::option::of(prop::collection::vec((texts(), json()), 0..5));
    (slugs(), texts(), texts(), slugs(), prop::collection::vec("[a-z.]{1,9}", 0..3), document).prop_map(
        |(slug, name, summary, service, hosts, document)| Api {
            slug,
            summary,
            service,
            hosts,
            base_path: String::new(),
            match_headers: vec![
                HeaderMatch { name: "x-version".into(), value: "2".into() };
                usize::from(document.is_some())
            ],
            metering: tollgate_domain::Metering::default(),
            state: ApiState::Deprecated,
            sunset_at: document.as_ref().map(|_| "2127-06-30T12:00:00Z".parse().expect("an instant")),
            successor: document.as_ref().map(|_| self::slug("next".to_owned())),
            policies: ApiPolicies {
                body_bytes_max: (name.len() % 2 == 0).then_some(65_536),
                operations: vec![
                    OperationPolicies {
                        method: "POST".into(),
                        path: "/a".into(),
                        rates: rates(),
                        networks: vec!["10.0.0.0/8".into()],
                        body_bytes_max: Some(9),
                    };
                    name.len() % 3
                ],
                rates: if name.len() % 2 == 0 { rates() } else { vec![] },
                networks: vec![],
            },
            name,
            document: document.map(|members| {
                let mut root = Map::new();
                root.insert("openapi".to_owned(), "3.1.0".into());
                root.extend(members);
                Value::Object(root).to_string()
            }),
        },
    )
}

fn dollars(meters: &[MeterPrice]) -> Prices {
    Prices {
        currency: "USD".parse().expect("a code"),
        base_minor: 100,
        meters: meters.to_vec(),
        minimum_minor: 0,
        setup_minor: 7,
    }
}

fn plans() -> impl Strategy<Value = Plan> {
    let limit = (1..=Limit::AMOUNT_MAX, prop::option::of(1..9u64), any::<bool>(), any::<bool>()).prop_map(
        |(amount, burst, credential, visible)| Limit {
            name: "burst".to_owned(),
            kind: LimitKind::Rate,
            amount,
            period: Period::Minute,
            burst,
            per: if credential { LimitPer::Credential } else { LimitPer::Subscription },
            visible,
            budget: tollgate_domain::Budget::default(),
        },
    );
    let tier =
        |up_to, minor: u32| PriceTier { up_to, unit_minor: format!("0.{minor}"), flat_minor: minor.into() };
    let price = (0..4u8, 1..99u32).prop_map(move |(kind, minor)| {
        let scheme = ["per_unit", "graduated", "volume", "package"][usize::from(kind)].to_owned();
        UsagePrice {
            unit_minor: (kind == 0).then(|| format!("{minor}.25")),
            tiers: [1, 2].contains(&kind).then(|| vec![tier(Some(10), minor), tier(None, 1)]),
            size: (kind == 3).then_some(1_000),
            minor: (kind == 3).then_some(minor.into()),
            scheme,
        }
    });
    let meter = (price, 0..9_999u64).prop_map(|(price, included)| MeterPrice {
        meter: "calls".to_owned(),
        included,
        price,
    });
    let prices = (0..9_999u64, prop::collection::vec(meter, 0..2), 0..9u64);
    let trial = (1..=365u16, any::<bool>(), 0..9u64).prop_map(|(days, base_due, units)| Trial {
        days,
        base_due,
        included: (units > 0).then(|| TrialUnits { meter: "calls".to_owned(), units }).into_iter().collect(),
    });
    let late = (0..3usize, prop::option::of(0..=365i16), any::<bool>());
    let more = (0..9u64, prop::option::of(trial), any::<bool>(), late);
    let limits = prop::collection::vec(limit, 0..4);
    (slugs(), texts(), texts(), any::<bool>(), prices, limits, more).prop_map(
        |(slug, name, summary, approval, (minor, meters, minimum_minor), limits, more)| Plan {
            setup_minor: more.0,
            trial: more.1,
            currencies: more.2.then(|| dollars(&meters)).into_iter().collect(),
            unpaid_landing: UnpaidLanding::ALL[more.3.0],
            grace_days: more.3.1,
            prepaid: more.3.2,
            meters,
            minimum_minor,
            product: self::slug("p".to_owned()),
            slug,
            name,
            summary,
            state: PlanState::Open,
            approval,
            price: Price { minor, currency: "EUR".parse().expect("a code"), per: Period::Month },
            limits,
        },
    )
}

fn states() -> impl Strategy<Value = State> {
    (services(), apis(), texts(), texts(), plans()).prop_map(|(service, api, name, description, plan)| {
        State {
            products: vec![Product {
                slug: slug("p".to_owned()),
                name: name.clone(),
                summary: String::new(),
                description: description.clone(),
                state: ProductState::Draft,
                visibility: Visibility::SignedIn,
                apis: vec![api.slug.clone()],
            }],
            services: vec![service],
            apis: vec![api],
            policies: vec![Policies {
                rates: rates(),
                networks: vec!["2001:db8::/32".into()],
                body_bytes_max: None,
            }],
            portals: vec![Portal {
                name: name.clone(),
                accent: (name.len() % 2 == 0).then(|| "#0f766e".to_owned()),
                navigation: vec![SiteLink { text: description.clone(), href: "/status".to_owned() }],
                logo: (name.len() % 3 == 0).then(|| "data:image/png;base64,iVBORw0=".to_owned()),
                ..Portal::default()
            }],
            pages: vec![Page {
                slug: slug("imprint".to_owned()),
                title: name.clone(),
                text: description.clone(),
                in_navigation: name.len() % 2 == 0,
                position: 7,
            }],
            plans: vec![plan],
        }
    })
}

/// The document as the platform would keep it: as JSON.
fn fetched(files: &[File], path: &str) -> Result<File, String> {
    let name = format!("apis/{}", path.trim_start_matches("./"));
    let file = files.iter().find(|file| file.name == name).ok_or("no such file")?;
    let wrapped = File {
        name: "wrap.yaml".to_owned(),
        text: format!("kind: api\nslug: x\nname: x\nservice: x\ndocument:\n{}", indented(&file.text)),
    };
    let manifest = Manifest::read(&[wrapped], &mut |_, _| Err("none".to_owned()));
    let text = manifest.state.apis.into_iter().next().and_then(|api| api.document);
    Ok(File { name, text: text.ok_or_else(|| format!("{:?}", manifest.faults))? })
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_stream_reads_back_as_written(state in states()) {
        let text = stream(&state);
        let file = File { name: "all.yaml".to_owned(), text: text.clone() };
        let manifest = Manifest::read(&[file], &mut |_, _| Err("no files here".to_owned()));
        prop_assert_eq!(&manifest.faults, &[], "{}", text);
        prop_assert_eq!(&manifest.state, &state, "{}", text);
        prop_assert_eq!(stream(&manifest.state), text);
    }

    #[test]
    fn a_directory_reads_back_as_written(state in states()) {
        let written = files(&state);
        let manifest = Manifest::read(&written, &mut |_, path| fetched(&written, path));
        prop_assert_eq!(&manifest.faults, &[], "{:?}", written);
        prop_assert_eq!(&manifest.state, &state, "{:?}", written);
        prop_assert_eq!(&manifest.unused_documents, &[] as &[String]);
        prop_assert_eq!(files(&manifest.state), written);
    }

    #[test]
    fn no_text_makes_reading_fail_or_hang(text in any::<String>()) {
        Manifest::read(&[File { name: "a.yaml".to_owned(), text }], &mut |_, _| Err("none".to_owned()));
    }
}

#[test]
fn an_empty_state_is_an_empty_text() {
    assert_eq!(stream(&State::default()), "");
    assert_eq!(files(&State::default()), []);
}
