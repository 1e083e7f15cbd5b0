//! One service: made, changed, tried out, deleted.

use std::borrow::Cow;

use axum::extract::{Path, State};
use tollgate_control::{ServiceInput, ServicePatch, TargetProbe};
use tollgate_domain::{ServiceProtocol, Target};
use tollgate_store::ServiceRow;
use tollgate_store::browse::{ApiFilter, Cut};

use super::desk::{Desk, Question, SAVED, not_taken, sheet};
use super::rename::Rename;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::{
    Action, Asked, Cell, Fieldset, FormPart, Input, List, Notice, Reader, Section, Sent, Sheet,
};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::Label;

const LIST: &str = "/admin/services";
/// Lines of targets that a new form begins with.
const LINES_AT_FIRST: usize = 2;

fn part(form: &Form, button: &str, back: &str) -> FormPart {
    let lines = (0..).take_while(|n| form.has(&format!("targets/{n}/url"))).count().max(LINES_AT_FIRST);
    let line = |n: usize| {
        let ordinal = n + 1;
        vec![
            Input::typed(form, &format!("targets/{n}/url"), &format!("Address {ordinal}"), "url"),
            Input::number(form, &format!("targets/{n}/weight"), &format!("Weight {ordinal}"), 0, 1_000),
        ]
    };
    let names = Fieldset::new(
        "",
        vec![
            Input::line(form, "name", "Name").required(),
            Input::line(form, "slug", "Slug").hint(
                "Its name in files and URLs: a-z, 0-9 and hyphens. Left empty, it is made from the name.",
            ),
        ],
    );
    let targets = Fieldset {
        lines: (0..lines).map(line).collect(),
        more: Some(("target", "Add another address")),
        ..Fieldset::new("Targets", Vec::new())
    }
    .about("Calls are shared out by weight: of two with 100 and 50, the first gets two calls of three. Empty lines are left out.");
    let times = Fieldset::new(
        "Patience",
        vec![
            Input::number(form, "connect_timeout_ms", "Connect within, ms", 1, 60_000).required(),
            Input::number(form, "read_timeout_ms", "Answer within, ms", 1, 3_600_000).required(),
        ],
    )
    .about("A call that waits longer is answered with 504.");
    let spoken = Fieldset::new(
        "Protocol",
        vec![Input::one(
            form,
            "protocol",
            "Spoken to targets",
            [
                (ServiceProtocol::H1.as_str(), "HTTP/1.1"),
                (ServiceProtocol::H2.as_str(), "HTTP/2 over TLS: addresses begin with https://"),
                (ServiceProtocol::H2c.as_str(), "HTTP/2 without TLS: addresses begin with http://"),
            ],
        )],
    )
    .about("gRPC takes HTTP/2. Callers may speak either, whatever is spoken here.");
    FormPart::new("service-form", form, vec![names, targets, spoken, times], button).or_back(back)
}

fn typed(sent: &Sent) -> Result<ServiceInput, Form> {
    let mut reader = Reader::new(sent);
    let slug = reader.slug();
    let connect_timeout_ms = reader.number("connect_timeout_ms");
    let read_timeout_ms = reader.number("read_timeout_ms");
    // A form without it, as older scripts send, means what it always meant.
    let protocol = match sent.has("protocol") {
        true => reader.value("protocol", "one of h1, h2 and h2c"),
        false => Some(ServiceProtocol::default()),
    };
    let mut targets = Vec::new();
    for n in sent.lines("targets") {
        let weight_name = format!("targets/{n}/weight");
        let weight = if sent.get(&weight_name).is_empty() { Some(100) } else { reader.number(&weight_name) };
        targets.extend(weight.map(|weight| Target { url: sent.get(&format!("targets/{n}/url")), weight }));
    }
    match (slug, connect_timeout_ms, read_timeout_ms, protocol) {
        (Some(slug), Some(connect_timeout_ms), Some(read_timeout_ms), Some(protocol)) => {
            match reader.refused() {
                Some(form) => Err(form),
                None => Ok(ServiceInput {
                    slug,
                    name: sent.get("name"),
                    connect_timeout_ms,
                    read_timeout_ms,
                    protocol,
                    targets,
                }),
            }
        }
        _ => Err(reader.refused().unwrap_or_default()),
    }
}

fn filled(row: &ServiceRow) -> Form {
    let mut values: Vec<(Cow<'static, str>, String)> = vec![
        ("name".into(), row.name.clone()),
        ("slug".into(), row.slug.to_string()),
        ("protocol".into(), row.protocol.to_string()),
        ("connect_timeout_ms".into(), row.connect_timeout_ms.to_string()),
        ("read_timeout_ms".into(), row.read_timeout_ms.to_string()),
    ];
    for (n, target) in row.targets.iter().enumerate() {
        values.push((format!("targets/{n}/url").into(), target.url.clone()));
        values.push((format!("targets/{n}/weight").into(), target.weight.to_string()));
    }
    Form::with(values)
}

/// The form with one more line of targets, for browsers without scripts.
fn with_one_more(sent: &Sent) -> Form {
    let sent = sent.without_empty("targets", "url");
    let lines = sent.lines("targets").len();
    let mut pairs = sent.0;
    for n in lines..(lines + 2).max(LINES_AT_FIRST + 1) {
        pairs.push((format!("targets/{n}/url"), String::new()));
    }
    Form::with(pairs)
}

async fn new_sheet(visit: &Visit) -> Result<Sheet, Fault> {
    let sheet = sheet(visit, "Create a service").await?;
    Ok(sheet.below(LIST, "Services").intro("A system of yours that answers calls.").narrow())
}

/// `GET /admin/new/service`
pub async fn create(visit: Visit) -> Answer {
    Desk::publishing(&visit)?;
    let form = Form::with([
        ("protocol", ServiceProtocol::H1.to_string()),
        ("connect_timeout_ms", "2000".to_owned()),
        ("read_timeout_ms", "30000".to_owned()),
        ("targets/0/weight", "100".to_owned()),
    ]);
    visit.page(&new_sheet(&visit).await?.part(part(&form, "Create service", LIST)))
}

/// `POST /admin/new/service`
pub async fn post_new(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let page = async |form: Form| -> Result<Sheet, Fault> {
        Ok(new_sheet(&visit).await?.part(part(&form, "Create service", LIST)))
    };
    if sent.has("more") {
        return visit.page(&page(with_one_more(&sent)).await?);
    }
    let sent = sent.without_empty("targets", "url");
    let input = match typed(&sent) {
        Ok(input) => input,
        Err(form) => return visit.refused(&page(form).await?),
    };
    match state.control.create_service(&desk.actor, input).await {
        Ok(row) => {
            let flash = Flash::done(format!("{} is there. An API can forward to it now.", row.name));
            visit.go(&format!("{LIST}/{}", row.slug), Some(flash)).await
        }
        Err(error) => visit.refused(&page(sent.form().refused(error)?).await?),
    }
}

/// A service by the slug in its address.
///
/// # Errors
/// There is none, or the database is away.
pub async fn find(state: &PortalState, slug: &str) -> Result<ServiceRow, Fault> {
    state.store.find_service_by_slug(slug).await?.ok_or_else(Fault::not_found)
}

async fn frame(state: &PortalState, visit: &Visit, desk: &Desk, row: &ServiceRow) -> Result<Sheet, Fault> {
    let base = format!("{LIST}/{}", row.slug);
    let found = state
        .store
        .browse_apis(ApiFilter { service: Some(row.id), ..ApiFilter::default() }, &Cut::first(20))
        .await?;
    let apis = List::new("apis", "APIs that forward to it")
        .column("API")
        .column("State")
        .column("Base path")
        .or_empty(
            "route",
            "No API forwards to it",
            "Create an API with this service, or choose it in an API's settings.",
        )
        .or_do(desk.may_write, "/admin/new/api", "Create API")
        .rows(found.rows.into_iter().map(|api| {
            vec![
                Cell::Link { href: format!("/admin/apis/{}", api.slug), text: api.name, second: api.slug },
                Cell::Label(api.state.into()),
                Cell::Code(if api.base_path.is_empty() { "/".into() } else { api.base_path }),
            ]
        }));
    Ok(sheet(visit, &row.name)
        .await?
        .below(LIST, "Services")
        .identified(row.id)
        .action(
            desk.may_write,
            Action::post(format!("{base}/test"), "activity", "Test connection", Vec::new()),
        )
        .action(true, Action::link(format!("{base}/yaml"), "terminal", "YAML"))
        .action(desk.may_write, Action::link(format!("{base}/delete"), "x", "Delete"))
        .part(apis))
}

fn edit_part(form: &Form, row: &ServiceRow) -> FormPart {
    part(form, "Save service", LIST)
        .to(format!("{LIST}/{}", row.slug))
        .titled("Settings", "")
        .with("version", row.version.to_string())
}

fn facts(row: &ServiceRow) -> Section {
    List::new("targets", "Targets")
        .column("Address")
        .numbers("Weight")
        .rows(
            row.targets
                .iter()
                .map(|target| vec![Cell::Code(target.url.clone()), Cell::number(i64::from(target.weight))]),
        )
        .into()
}

/// `GET /admin/services/{slug}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(slug): Path<String>,
) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = find(&state, &slug).await?;
    let sheet = frame(&state, &visit, &desk, &row).await?;
    let sheet =
        if desk.may_write { sheet.part(edit_part(&filled(&row), &row)) } else { sheet.part(facts(&row)) };
    sheet.answer(&visit, &asked)
}

/// `POST /admin/services/{slug}`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    if sent.has("more") {
        let sheet = frame(&state, &visit, &desk, &row).await?;
        return visit.page(&sheet.part(edit_part(&with_one_more(&sent), &row)));
    }
    let sent = sent.without_empty("targets", "url");
    let input = match typed(&sent) {
        Ok(input) => input,
        Err(form) => {
            let sheet = frame(&state, &visit, &desk, &row).await?;
            return visit.refused(&sheet.part(edit_part(&form, &row)));
        }
    };
    let (version, path) = (row.version, format!("{LIST}/{}", row.slug));
    let consequence = "APIs that forward to it go on, and no call notices.".to_owned();
    let rename = Rename { what: "service", old: &row.slug, new: &input.slug, version, consequence };
    if rename.is_open(&sent) {
        let sheet = sheet(&visit, &row.name).await?.below(LIST, "Services").below(&path, &row.name);
        return visit.page(&rename.ask(sheet, &sent, &path));
    }
    let patch = ServicePatch {
        slug: Some(input.slug),
        name: Some(input.name),
        connect_timeout_ms: Some(input.connect_timeout_ms),
        read_timeout_ms: Some(input.read_timeout_ms),
        // A form without it leaves what was set.
        protocol: sent.has("protocol").then_some(input.protocol),
        targets: Some(input.targets),
    };
    match state.control.update_service(&desk.actor, row.id, sent.read("version"), patch).await {
        Ok(row) => visit.go(&format!("{LIST}/{}", row.slug), Some(Flash::done(SAVED))).await,
        Err(error) => {
            let sheet = frame(&state, &visit, &desk, &row).await?;
            let stored = async { Ok((filled(&row), row.version)) };
            not_taken(&visit, sheet, &sent, error, stored, |form| edit_part(form, &row)).await
        }
    }
}

/// `POST /admin/services/{slug}/test`
pub async fn test(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let probes = state.control.probe_service(&desk.actor, row.id).await?;
    let bad = probes.iter().filter(|probe| probe.found.is_err()).count();
    let notice = if bad == 0 {
        Notice::new(
            "ok",
            "Every target takes connections",
            "A connection was opened and closed again; no request was sent.",
        )
    } else {
        let title = format!("{bad} of {} targets cannot be reached from here", probes.len());
        Notice::new(
            "bad",
            title,
            "This is the view of the portal's machine; gateways may see another network.",
        )
    };
    let list = List::new("probes", "Connections")
        .column("Address")
        .column("Result")
        .column("Found")
        .rows(probes.into_iter().map(probed));
    let sheet = sheet(&visit, format!("Test of {}", row.name)).await?.below(LIST, "Services");
    let base = format!("{LIST}/{}", row.slug);
    visit.page(
        &sheet
            .below(&base, &row.name)
            .action(true, Action::post(format!("{base}/test"), "refresh-cw", "Test again", Vec::new()))
            .part(notice)
            .part(list),
    )
}

fn probed(probe: TargetProbe) -> Vec<Cell> {
    let (label, text) = match probe.found {
        Ok((address, took)) => {
            let micros = i64::try_from(took.as_micros()).unwrap_or(i64::MAX);
            (Label::new("ok", "Connected"), format!("{address} in {}", crate::show::duration(micros)))
        }
        Err(why) => (Label::new("bad", "Not reached"), why),
    };
    vec![Cell::Code(probe.url), Cell::Label(label), Cell::Text(text)]
}

fn question<'q>(row: &'q ServiceRow, back: &'q str) -> Question<'q> {
    Question {
        button: "Delete service",
        consequence: "The service and its targets are gone. It can only be deleted while no API forwards to it.",
        name: row.slug.as_str(),
        version: row.version,
        back,
    }
}

/// `GET /admin/services/{slug}/delete`
pub async fn ask_delete(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let back = format!("{LIST}/{slug}");
    let sheet = sheet(&visit, format!("Delete {}?", row.name)).await?;
    visit.page(&question(&row, &back).ask(sheet, &Form::default(), Vec::new()))
}

/// `POST /admin/services/{slug}/delete`
pub async fn delete(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let back = format!("{LIST}/{slug}");
    let question = question(&row, &back);
    let sheet = sheet(&visit, format!("Delete {}?", row.name)).await?;
    if let Some(form) = question.wrong(&sent) {
        return question.again(&visit, sheet, &form);
    }
    match state.control.delete_service(&desk.actor, row.id, sent.read("version")).await {
        Ok(()) => visit.go(LIST, Some(Flash::done(format!("{} is deleted.", row.name)))).await,
        Err(error) => question.refused(&visit, sheet, &sent, error),
    }
}
