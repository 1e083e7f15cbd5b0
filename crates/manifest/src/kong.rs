//! Reads a declarative file of Kong (decK's YAML) as a state of ours, and says per entry what became of it.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value, json};
use tollgate_domain::declared::{Api, Plan, Product, Service, State};
use tollgate_domain::{
    ApiState, HeaderMatch, Limit, LimitKind, LimitPer, Period, PlanState, Price, ProductState,
    ServiceProtocol, Slug, Target, Visibility,
};

/// What became of one entry of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Like `service billing` or `plugin cors of route a`.
    pub entry: String,
    /// Whether all of it was taken over.
    pub whole: bool,
    /// What was made of it, or what was not and why.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.whole { "taken  " } else { "check  " };
        write!(f, "{mark} {}: {}", self.entry, self.text)
    }
}

/// Methods of a route that names none.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Makes services, APIs, one product and its plan of a decK file. Nothing is left out in silence: everything that is in the
/// file has a note.
///
/// # Errors
/// It is not YAML, or no such file; in plain words, with the line.
pub fn from_kong(text: &str) -> Result<(State, Vec<Note>), String> {
    let (documents, flaws) = crate::read::read(text);
    if let Some(flaw) = flaws.first() {
        return Err(format!("line {}: {}", flaw.place.line, flaw.message));
    }
    let root = documents.first().map(crate::node::Node::value).unwrap_or_default();
    let Value::Object(root) = root else { return Err("it is not a mapping".to_owned()) };
    if !root.contains_key("_format_version") && !root.contains_key("services") {
        return Err(
            "it has neither _format_version nor services, so it is no declarative file of Kong".to_owned()
        );
    }
    let mut import = Import::default();
    import.root(&root);
    Ok((import.state, import.notes))
}

/// What calls of a route are chosen by, beside its path.
struct Chosen {
    methods: Vec<String>,
    hosts: Vec<String>,
    match_headers: Vec<HeaderMatch>,
    /// Whether the path goes on to the service without what was matched.
    strip: bool,
}

#[derive(Default)]
struct Import {
    state: State,
    notes: Vec<Note>,
    slugs: HashSet<String>,
    limits: Vec<Limit>,
}

impl Import {
    fn note(&mut self, entry: impl Into<String>, whole: bool, text: impl Into<String>) {
        self.notes.push(Note { entry: entry.into(), whole, text: text.into() });
    }

    fn root(&mut self, root: &Map<String, Value>) {
        let upstreams = list(root.get("upstreams"));
        let routes = list(root.get("routes"));
        for service in list(root.get("services")) {
            let name = text(&service["name"]).unwrap_or("service").to_owned();
            let mut own = list(service.get("routes"));
            own.extend(routes.iter().copied().filter(|route| refers(&route["service"], &name)));
            self.service(&name, service, &own, &upstreams);
        }
        for route in routes.iter().filter(|route| route["service"].is_null()) {
            self.note(
                format!("route {}", named(route)),
                false,
                "it belongs to no service, so there is nowhere to forward to",
            );
        }
        for plugin in list(root.get("plugins")) {
            self.plugin(plugin, &owner(plugin));
        }
        for consumer in list(root.get("consumers")) {
            self.consumer(consumer);
        }
        for name in root.keys() {
            let known = ["services", "routes", "plugins", "consumers", "upstreams"];
            if !known.contains(&name.as_str()) && !name.starts_with('_') {
                self.note(name.clone(), false, "nothing here is like it");
            }
        }
        self.product();
    }

    fn slug(&mut self, name: &str) -> Slug {
        let base = Slug::from_text(&name.chars().take(50).collect::<String>());
        let base = base.map_or_else(|| "service".to_owned(), |slug| slug.to_string());
        let mut slug = base.clone();
        let mut count = 2;
        while !self.slugs.insert(slug.clone()) {
            slug = format!("{base}-{count}");
            count += 1;
        }
        slug.parse().expect("a slug with a number behind it is one")
    }

    fn service(&mut self, name: &str, service: &Value, routes: &[&Value], upstreams: &[&Value]) {
        let slug = self.slug(name);
        let targets = targets(service, upstreams);
        let timeout = |field: &str, most: i64, otherwise: i32| {
            let wanted = service[field].as_i64().unwrap_or(i64::from(otherwise));
            i32::try_from(wanted.clamp(1, most)).unwrap_or(otherwise)
        };
        self.state.services.push(Service {
            slug: slug.clone(),
            name: shown(name),
            connect_timeout_ms: timeout("connect_timeout", 60_000, 60_000),
            read_timeout_ms: timeout("read_timeout", 3_600_000, 60_000),
            protocol: ServiceProtocol::H1,
            targets,
        });
        let mut left: Vec<&str> = Vec::new();
        for field in ["client_certificate", "ca_certificates", "tls_verify", "tls_verify_depth"] {
            if !service[field].is_null() {
                left.push(field);
            }
        }
        if service["retries"].as_i64().is_some_and(|retries| retries > 0) {
            left.push("retries");
        }
        match left.is_empty() {
            true => self.note(format!("service {name}"), true, format!("service {slug}")),
            false => self.note(
                format!("service {name}"),
                false,
                format!("service {slug}, without {}", left.join(", ")),
            ),
        }
        for route in routes {
            self.route(&slug, name, route);
        }
        for plugin in list(service.get("plugins")) {
            self.plugin(plugin, &format!("service {name}"));
        }
    }

    fn route(&mut self, service: &Slug, service_name: &str, route: &Value) {
        let entry = format!("route {}", named(route));
        for plugin in list(route.get("plugins")) {
            self.plugin(plugin, &entry);
        }
        for field in ["snis", "sources", "destinations", "expression"] {
            if !route[field].is_null() {
                let text = format!(
                    "it is chosen by {field} too, which nothing here is; calls without it would be taken as well"
                );
                self.note(entry.clone(), false, text);
            }
        }
        let mut hosts = Vec::new();
        for host in list(route.get("hosts")).into_iter().filter_map(text) {
            match host.contains('*') {
                true => self.note(
                    entry.clone(),
                    false,
                    format!("hosts have no wildcards here: {host} was left out"),
                ),
                false => hosts.push(host.to_ascii_lowercase()),
            }
        }
        let methods: Vec<String> = match list(route.get("methods")) {
            given if given.is_empty() => METHODS.map(str::to_owned).to_vec(),
            given => given.into_iter().filter_map(text).map(str::to_ascii_uppercase).collect(),
        };
        let paths: Vec<&str> = match list(route.get("paths")) {
            given if given.is_empty() => vec!["/"],
            given => given.into_iter().filter_map(text).collect(),
        };
        let strip = route["strip_path"].as_bool().unwrap_or(true);
        let match_headers = self.headers(&entry, &route["headers"]);
        let chosen = Chosen { methods, hosts, match_headers, strip };
        for path in paths {
            self.path(service, service_name, &entry, path, &chosen);
        }
    }

    /// Conditions of a route, as far as they ask for one value each.
    fn headers(&mut self, entry: &str, headers: &Value) -> Vec<HeaderMatch> {
        let Some(headers) = headers.as_object() else { return Vec::new() };
        let one_value = |(name, values): (&String, &Value)| {
            let values = list(Some(values));
            let value =
                values.first().and_then(|value| text(value)).filter(|value| !value.starts_with("~*"))?;
            (values.len() == 1).then(|| HeaderMatch { name: name.clone(), value: value.to_owned() })
        };
        let read: Option<Vec<HeaderMatch>> = headers.iter().map(one_value).collect();
        match read.map(|mut read| HeaderMatch::normalise(&mut read).map(|()| read)) {
            Some(Ok(read)) => read,
            Some(Err(wrong)) => {
                self.note(
                    entry,
                    false,
                    format!(
                        "its headers were left out, so that calls without them are taken as well: {wrong}"
                    ),
                );
                Vec::new()
            }
            None => {
                let why = "a condition here is on one value of a header; they were left out, so that calls without them are taken as well";
                self.note(entry, false, why);
                Vec::new()
            }
        }
    }

    fn path(&mut self, service: &Slug, service_name: &str, entry: &str, path: &str, chosen: &Chosen) {
        let plain = path.trim_end_matches('/');
        let spelled = plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._~-".contains(&byte));
        if path.starts_with('~') || !spelled || !path.starts_with('/') {
            self.note(
                entry,
                false,
                format!(
                    "the regular expression {path} was left out; write its paths into an OpenAPI document"
                ),
            );
            return;
        }
        let slug = self.slug(&format!("{service_name}{plain}"));
        let (base_path, below) = if chosen.strip { (plain, "") } else { ("", plain) };
        self.state.apis.push(Api {
            slug: slug.clone(),
            name: shown(&format!("{service_name} {path}")),
            summary: String::new(),
            service: service.clone(),
            hosts: chosen.hosts.clone(),
            base_path: base_path.to_owned(),
            match_headers: chosen.match_headers.clone(),
            metering: tollgate_domain::Metering::default(),
            sunset_at: None,
            successor: None,
            policies: tollgate_domain::ApiPolicies::default(),
            state: ApiState::Published,
            document: Some(document(&shown(service_name), below, &chosen.methods).to_string()),
        });
        self.note(
            entry,
            true,
            format!("API {slug} for {path} and everything below it; import its OpenAPI document for more"),
        );
    }

    fn plugin(&mut self, plugin: &Value, of: &str) {
        let name = text(&plugin["name"]).unwrap_or("?").to_owned();
        let entry = format!("plugin {name} of {of}");
        if plugin["enabled"].as_bool() == Some(false) {
            self.note(entry, true, "it is switched off");
            return;
        }
        match name.as_str() {
            "key-auth" => {
                let query = plugin["config"]["key_in_query"].as_bool().unwrap_or(true);
                let names = list(plugin["config"].get("key_names"));
                let usual = names.is_empty()
                    || names
                        .iter()
                        .any(|name| text(name).is_some_and(|name| name.eq_ignore_ascii_case("x-api-key")));
                match (query, usual) {
                    (false, true) => self.note(entry, true, "every API here needs a key, as X-API-Key or Bearer"),
                    _ => self.note(entry, false, "every API here needs a key, as X-API-Key or Bearer; never in the query, and in no other header"),
                }
            }
            "rate-limiting" | "rate-limiting-advanced" => self.limits(&entry, &plugin["config"]),
            _ => self.note(entry, false, "nothing here was made of it"),
        }
    }

    fn limits(&mut self, entry: &str, config: &Value) {
        let mut taken = Vec::new();
        for (field, kind, period) in [
            ("second", LimitKind::Rate, Period::Second),
            ("minute", LimitKind::Rate, Period::Minute),
            ("hour", LimitKind::Rate, Period::Hour),
            ("day", LimitKind::Rate, Period::Day),
            ("month", LimitKind::Quota, Period::Month),
        ] {
            let Some(amount) = config[field].as_u64().filter(|amount| *amount > 0) else { continue };
            let limit = Limit {
                name: field.to_owned(),
                kind,
                amount,
                period,
                burst: None,
                per: LimitPer::Subscription,
                visible: true,
                budget: tollgate_domain::Budget::default(),
            };
            // Of several, the one that lets most through: nobody is refused who was not before.
            match self.limits.iter_mut().find(|known| known.name == limit.name) {
                Some(known) => known.amount = known.amount.max(limit.amount),
                None => self.limits.push(limit),
            }
            taken.push(format!("{amount} per {field}"));
        }
        let mut left = Vec::new();
        if !config["year"].is_null() {
            left.push("a limit per year is none here".to_owned());
        }
        if let Some(by) = text(&config["limit_by"]).filter(|by| !matches!(*by, "consumer" | "credential")) {
            left.push(format!("it counted by {by}, here it counts by subscription"));
        }
        if taken.is_empty() {
            left.push("no limit that can be taken over".to_owned());
        }
        let made = match taken.is_empty() {
            true => String::new(),
            false => format!("{} in plan kong/standard; ", taken.join(", ")),
        };
        self.note(
            entry,
            left.is_empty(),
            format!("{made}{}", left.join("; ")).trim_end_matches("; ").to_owned(),
        );
    }

    fn consumer(&mut self, consumer: &Value) {
        let name = text(&consumer["username"]).or_else(|| text(&consumer["custom_id"])).unwrap_or("?");
        let entry = format!("consumer {name}");
        let keys = list(consumer.get("keyauth_credentials")).len();
        let credentials = if keys == 1 { "key" } else { "keys" };
        let text = format!(
            "files hold no consumers: make an organization and an application with a subscription to kong/standard; \
             its {keys} {credentials} must be replaced, for keys here carry a checksum"
        );
        self.note(entry.clone(), false, text);
        for plugin in list(consumer.get("plugins")) {
            self.plugin(plugin, &entry);
        }
        for kind in [
            "basicauth_credentials",
            "jwt_secrets",
            "oauth2_credentials",
            "acls",
            "hmacauth_credentials",
            "groups",
        ] {
            if !list(consumer.get(kind)).is_empty() {
                self.note(entry.clone(), false, format!("its {kind} were left out"));
            }
        }
    }

    /// All APIs together, on the terms that were found.
    fn product(&mut self) {
        if self.state.apis.is_empty() {
            return;
        }
        let product: Slug = "kong".parse().expect("`kong` is a slug");
        self.state.products.push(Product {
            slug: product.clone(),
            name: "Imported from Kong".to_owned(),
            summary: String::new(),
            description: String::new(),
            state: ProductState::Draft,
            visibility: Visibility::SignedIn,
            apis: self.state.apis.iter().map(|api| api.slug.clone()).collect(),
        });
        self.state.plans.push(Plan {
            product,
            slug: "standard".parse().expect("`standard` is a slug"),
            name: "Standard".to_owned(),
            summary: String::new(),
            state: PlanState::Open,
            approval: true,
            price: Price {
                minor: 0,
                currency: "EUR".parse().expect("EUR is a currency"),
                per: Period::Month,
            },
            meters: Vec::new(),
            minimum_minor: 0,
            setup_minor: 0,
            trial: None,
            currencies: Vec::new(),
            unpaid_landing: tollgate_domain::UnpaidLanding::Block,
            grace_days: None,
            prepaid: false,
            limits: std::mem::take(&mut self.limits),
        });
    }
}

/// The document of a path and everything below it.
fn document(title: &str, below: &str, methods: &[String]) -> Value {
    let operation = |method: &str, what: &str| {
        let id = format!("{}{what}", method.to_lowercase());
        json!({ "operationId": id, "responses": { "default": { "description": "As the service answers." } } })
    };
    let item = |what: &str| -> Map<String, Value> {
        methods.iter().map(|method| (method.to_lowercase(), operation(method, what))).collect()
    };
    let mut rest = item("Below");
    let parameter =
        json!([{ "name": "*rest", "in": "path", "required": true, "schema": { "type": "string" } }]);
    rest.insert("parameters".to_owned(), parameter);
    let own = if below.is_empty() { "/" } else { below };
    let mut paths = Map::new();
    paths.insert(own.to_owned(), Value::Object(item("Itself")));
    paths.insert(format!("{below}/{{*rest}}"), Value::Object(rest));
    json!({ "openapi": "3.1.0", "info": { "title": title, "version": "1" }, "paths": paths })
}

/// Addresses of a service: its own, or those of the upstream that its host names.
fn targets(service: &Value, upstreams: &[&Value]) -> Vec<Target> {
    if let Some(url) = text(&service["url"]) {
        return vec![Target { url: url.trim_end_matches('/').to_owned(), weight: 100 }];
    }
    let protocol = text(&service["protocol"]).filter(|protocol| *protocol == "https").unwrap_or("http");
    let path = text(&service["path"]).unwrap_or("").trim_end_matches('/');
    let host = text(&service["host"]).unwrap_or("localhost");
    let address = |host_and_port: &str| format!("{protocol}://{host_and_port}{path}");
    let upstream = upstreams.iter().find(|upstream| text(&upstream["name"]) == Some(host));
    if let Some(upstream) = upstream {
        let targets = list(upstream.get("targets")).into_iter().filter_map(|target| {
            let weight = u16::try_from(target["weight"].as_u64().unwrap_or(100).min(1_000)).unwrap_or(100);
            Some(Target { url: address(text(&target["target"])?), weight })
        });
        let targets: Vec<Target> = targets.collect();
        if !targets.is_empty() {
            return targets;
        }
    }
    let port = service["port"].as_u64().map_or_else(String::new, |port| format!(":{port}"));
    vec![Target { url: address(&format!("{host}{port}")), weight: 100 }]
}

fn list(value: Option<&Value>) -> Vec<&Value> {
    value.and_then(Value::as_array).map(|items| items.iter().collect()).unwrap_or_default()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn named(entry: &Value) -> &str {
    text(&entry["name"]).unwrap_or("without a name")
}

fn refers(reference: &Value, name: &str) -> bool {
    text(reference) == Some(name) || text(&reference["name"]) == Some(name)
}

fn owner(plugin: &Value) -> String {
    for kind in ["route", "service", "consumer"] {
        if let Some(name) = text(&plugin[kind]).or_else(|| text(&plugin[kind]["name"])) {
            return format!("{kind} {name}");
        }
    }
    "everything".to_owned()
}

/// A name as it may stand here.
fn shown(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(120).collect();
    if name.trim().is_empty() { "Service".to_owned() } else { name }
}
