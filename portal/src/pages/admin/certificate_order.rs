//! Certificates that an authority issues: who it is, and what is ordered there.

use axum::extract::State;
use tollgate_control::{AcmeAccountInput, Error, LETS_ENCRYPT, OrderInput};
use tollgate_domain::{ChallengeKind, Slug};

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::{Fieldset, FormPart, Input, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;

const LIST: &str = "/admin/certificates";
const NAMES: &str = "acme/names";
const TERMS: &str = "https://letsencrypt.org/repository";

fn order_part(form: &Form) -> FormPart {
    let inputs = vec![
        Input::code(form, NAMES, "Hosts", 3).required().hint(
            "One per line, without wildcards. Each must lead to the gateways, or to a balancer before them.",
        ),
        Input::one(
            form,
            "challenge",
            "How the authority sees that they are yours",
            [
                ("http-01", "By an answer on port 80, which leads to the gateways' plain port"),
                ("tls-alpn-01", "By a handshake on port 443, which leads to the gateways' TLS port"),
            ],
        ),
        Input::line(form, "slug", "Slug")
            .hint("Its name in URLs: a-z, 0-9 and hyphens. Left empty, it is made from the first host."),
        Input::tick(
            form,
            "is_default",
            "Present it to callers who name no host, or one without a certificate",
        ),
    ];
    FormPart::new("order-form", form, vec![Fieldset::new("", inputs)], "Order certificate").or_back(LIST)
}

async fn order_sheet(visit: &Visit) -> Result<Sheet, Fault> {
    let sheet = sheet(visit, "Order a certificate").await?.below(LIST, "Certificates").narrow();
    Ok(sheet.intro("It is issued within a minute, and renewed a third of its lifetime before it ends."))
}

/// `GET /admin/new/certificate-order`
pub async fn create(State(state): State<PortalState>, visit: Visit) -> Answer {
    Desk::writing(&visit)?;
    if state.store.find_acme_account().await?.is_none() {
        return visit.go("/admin/certificate-authority", None).await;
    }
    let form = Form::with([("challenge", "http-01".to_owned())]);
    visit.page(&order_sheet(&visit).await?.part(order_part(&form)))
}

/// `POST /admin/new/certificate-order`
pub async fn post_new(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::writing(&visit)?;
    let names = lines(&sent.get(NAMES));
    let slug = match sent.get("slug") {
        typed if typed.is_empty() => names.first().and_then(|host| Slug::from_text(&host.replace('.', "-"))),
        typed => typed.parse().ok(),
    };
    let Some(slug) = slug else {
        let why = "1 to 64 of a-z, 0-9 and -, with a letter or digit at both ends";
        let form = if names.is_empty() {
            sent.form().wrong(NAMES, "Type at least one host")
        } else {
            sent.form().wrong("slug", why)
        };
        return visit.refused(&order_sheet(&visit).await?.part(order_part(&form)));
    };
    let challenge = sent.read("challenge").unwrap_or(ChallengeKind::Http01);
    let input = OrderInput { slug, names: names.clone(), challenge, is_default: sent.has("is_default") };
    match state.control.order_certificate(&desk.actor, input).await {
        Ok(row) => {
            let flash = Flash::done(format!("{} is ordered. That takes some seconds.", row.slug));
            visit.go(&format!("{LIST}/{}", row.slug), Some(flash)).await
        }
        Err(error) => {
            let form = sent.form().refused(on_one_field(error, &names))?;
            visit.refused(&order_sheet(&visit).await?.part(order_part(&form)))
        }
    }
}

/// Hosts are typed into one field: what is wrong with one is said there, with its name.
fn on_one_field(error: Error, names: &[String]) -> Error {
    let Error::Invalid(mut faults) = error else { return error };
    for fault in &mut faults {
        let at = fault.pointer.strip_prefix("/acme/names/").and_then(|at| at.parse::<usize>().ok());
        if let Some(name) = at.and_then(|at| names.get(at)) {
            fault.message = format!("{name} {}", fault.message);
            fault.pointer = format!("/{NAMES}");
        }
    }
    Error::Invalid(faults)
}

fn lines(text: &str) -> Vec<String> {
    let words = text.split(|char: char| char.is_whitespace() || char == ',');
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn authority_part(form: &Form) -> FormPart {
    let inputs = vec![
        Input::typed(form, "directory", "Directory", "url")
            .required()
            .hint("Where the authority says what it can do. The one filled in at first is Let's Encrypt's."),
        Input::line(form, "contacts/0", "Mail addresses")
            .hint("Where it may write to, separated by commas; may be left empty."),
        Input::tick(form, "terms_agreed", "I agree to this authority's terms of service")
            .hint(format!("Let's Encrypt's are at {TERMS}.")),
    ];
    FormPart::new("authority-form", form, vec![Fieldset::new("", inputs)], "Save authority").or_back(LIST)
}

async fn authority_sheet(visit: &Visit) -> Result<Sheet, Fault> {
    let sheet = sheet(visit, "Certificate authority").await?.below(LIST, "Certificates").narrow();
    Ok(sheet.intro(
        "Who issues certificates when asked (ACME). What is ordered or renewed from now on is ordered there.",
    ))
}

/// `GET /admin/certificate-authority`
pub async fn authority(State(state): State<PortalState>, visit: Visit) -> Answer {
    Desk::writing(&visit)?;
    let account = state.store.find_acme_account().await?;
    let form = match account {
        Some(account) => Form::with([
            ("directory", account.directory),
            ("contacts/0", account.contacts.join(", ")),
            ("version", account.version.to_string()),
        ]),
        None => Form::with([("directory", LETS_ENCRYPT.to_owned())]),
    };
    visit.page(&authority_sheet(&visit).await?.part(authority_part(&form)))
}

/// `POST /admin/certificate-authority`
pub async fn post_authority(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::writing(&visit)?;
    let input = AcmeAccountInput {
        directory: sent.get("directory"),
        contacts: lines(&sent.get("contacts/0")),
        terms_agreed: sent.has("terms_agreed"),
    };
    match state.control.put_acme_account(&desk.actor, None, input).await {
        Ok(_) => {
            let flash = Flash::done("Saved. Certificates can be ordered now.".to_owned());
            visit.go(LIST, Some(flash)).await
        }
        Err(error) => {
            let form = sent.form().refused(error)?;
            visit.refused(&authority_sheet(&visit).await?.part(authority_part(&form)))
        }
    }
}
