//! Starts a directory from an OpenAPI document: prints the resources that would publish it.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use tollgate_domain::declared::{Api, Plan, Product, Service, State};
use tollgate_domain::{
    ApiState, Limit, LimitKind, LimitPer, Period, PlanState, Price, ProductState, Slug, Target, Visibility,
};
use tollgate_openapi::Document;

use crate::cli::ImportFlags;

/// Prints YAML for a service, an API and, where one is asked for, a product with a free plan.
pub fn openapi(flags: ImportFlags) -> anyhow::Result<()> {
    let (name, text) = read(&flags.file)?;
    let document = match Document::parse(&text) {
        Ok(document) => document,
        Err(faults) => {
            for fault in &faults {
                eprintln!("{name}: {fault}");
            }
            bail!("{name} cannot be published");
        }
    };
    for warning in tollgate_openapi::lint(&document, Some(&text)) {
        let line = warning.line.map_or_else(String::new, |line| format!("line {line}, "));
        eprintln!("{name}: warning: {line}{}: {}", warning.pointer, warning.message);
    }
    let slug = match flags.slug {
        Some(slug) => slug,
        None => Slug::from_text(document.title())
            .context("the document's title makes no name for URLs: give one with --slug")?,
    };
    // A path that stands beside what is printed can be named; else the document goes inside.
    let beside = (name != "-" && flags.file.is_relative()).then(|| named(&flags.file));
    let state = state(&document, slug, flags.service_url, flags.product);
    super::say(&tollgate_manifest::stream_beside(&state, &|_| beside.clone()))
}

/// Prints YAML for what a declarative file of Kong publishes.
pub fn kong(file: &Path) -> anyhow::Result<ExitCode> {
    let (name, text) = read(file)?;
    let (state, notes) = tollgate_manifest::from_kong(&text).map_err(|reason| anyhow!("{name}: {reason}"))?;
    for note in &notes {
        eprintln!("{note}");
    }
    super::say(&tollgate_manifest::stream(&state))?;
    Ok(if notes.iter().all(|note| note.whole) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A file with its name for messages; `-` is standard input.
fn read(file: &Path) -> anyhow::Result<(String, String)> {
    let name = file.display().to_string();
    let text = match name.as_str() {
        "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text
        }
        name => std::fs::read_to_string(name).with_context(|| format!("{name} cannot be read"))?,
    };
    Ok((name, text))
}

fn named(path: &Path) -> String {
    let path = path.display().to_string();
    if path.starts_with('.') { path } else { format!("./{path}") }
}

fn state(document: &Document, slug: Slug, service_url: String, product: Option<Slug>) -> State {
    let title: String = document.title().chars().filter(|c| !c.is_control()).take(120).collect();
    let name = if title.trim().is_empty() { slug.to_string() } else { title };
    let service = Service {
        slug: slug.clone(),
        name: name.clone(),
        connect_timeout_ms: 2_000,
        read_timeout_ms: 30_000,
        protocol: tollgate_domain::ServiceProtocol::H1,
        targets: vec![Target { url: service_url, weight: 100 }],
    };
    let api = Api {
        slug: slug.clone(),
        name: name.clone(),
        summary: String::new(),
        service: slug.clone(),
        hosts: Vec::new(),
        base_path: format!("/{slug}"),
        match_headers: Vec::new(),
        metering: tollgate_domain::Metering::default(),
        sunset_at: None,
        successor: None,
        policies: tollgate_domain::ApiPolicies::default(),
        state: ApiState::Published,
        document: Some(document.value().to_string()),
    };
    let mut state = State { services: vec![service], apis: vec![api], ..State::default() };
    if let Some(product) = product {
        state.plans.push(free(product.clone()));
        state.products.push(Product {
            slug: product,
            name,
            summary: String::new(),
            description: String::new(),
            state: ProductState::Draft,
            visibility: Visibility::Public,
            apis: vec![slug],
        });
    }
    state
}

/// Ten calls a second and a thousand a month, for nothing.
fn free(product: Slug) -> Plan {
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
    Plan {
        product,
        slug: "free".parse().expect("`free` is a slug"),
        name: "Free".to_owned(),
        summary: String::new(),
        state: PlanState::Open,
        approval: false,
        price: Price { minor: 0, currency: "EUR".parse().expect("EUR is a currency"), per: Period::Month },
        limits: vec![
            limit("burst", LimitKind::Rate, 10, Period::Second),
            limit("month", LimitKind::Quota, 1_000, Period::Month),
        ],
        meters: vec![],
        minimum_minor: 0,
        setup_minor: 0,
        trial: None,
        currencies: vec![],
        unpaid_landing: tollgate_domain::UnpaidLanding::Block,
        grace_days: None,
        prepaid: false,
    }
}
