//! One certificate: brought, looked at, replaced, ordered again, deleted.

use axum::extract::{Path, State};
use tollgate_control::{CertificateInput, CertificatePatch, SecretText};
use tollgate_store::CertificateRow;

use super::certificates::{end, issuer, label};
use super::desk::{Desk, Question, SAVED, not_taken, sheet};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::sheet::fact;
use crate::parts::{Action, Asked, Cell, Fieldset, FormPart, Input, Notice, Reader, Section, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::Moment;

const LIST: &str = "/admin/certificates";
/// Never given back, whatever else was wrong.
const KEY: &str = "private_key";
const KEY_HINT: &str =
    "PEM, without a passphrase. It is stored encrypted, and nobody is ever shown it again.";

fn name_inputs(form: &Form) -> Vec<Input> {
    vec![
        Input::line(form, "slug", "Slug").required().hint("Its name in URLs: a-z, 0-9 and hyphens."),
        Input::tick(
            form,
            "is_default",
            "Present it to callers who name no host, or one without a certificate",
        ),
    ]
}

fn pair_inputs(form: &Form) -> Vec<Input> {
    vec![
        Input::code(form, "chain", "Certificates", 8)
            .hint("PEM: the server's own certificate first, then those that signed it."),
        Input::code(form, KEY, "Private key", 5).hint(KEY_HINT),
    ]
}

fn new_part(form: &Form) -> FormPart {
    let sets =
        vec![Fieldset::new("", name_inputs(form)), Fieldset::new("Certificate and key", pair_inputs(form))];
    FormPart::new("certificate-form", form, sets, "Add certificate").or_back(LIST)
}

async fn new_sheet(visit: &Visit) -> Result<Sheet, Fault> {
    let sheet = sheet(visit, "Add a certificate").await?.below(LIST, "Certificates").narrow();
    Ok(sheet.intro("One that you have. Gateways present it within seconds; open connections stay."))
}

/// `GET /admin/new/certificate`
pub async fn create(visit: Visit) -> Answer {
    Desk::publishing(&visit)?;
    visit.page(&new_sheet(&visit).await?.part(new_part(&Form::default())))
}

/// `POST /admin/new/certificate`
pub async fn post_new(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let shown = sent.without(KEY);
    let mut reader = Reader::new(&shown);
    let Some(slug) = reader.slug() else {
        let form = reader.refused().unwrap_or_default();
        return visit.refused(&new_sheet(&visit).await?.part(new_part(&form)));
    };
    let input = CertificateInput {
        slug,
        chain: sent.get("chain"),
        private_key: SecretText::new(sent.get(KEY)),
        is_default: sent.has("is_default"),
    };
    match state.control.create_certificate(&desk.actor, input).await {
        Ok(row) => {
            let flash = Flash::done(format!("{} is there. Gateways present it within seconds.", row.slug));
            visit.go(&format!("{LIST}/{}", row.slug), Some(flash)).await
        }
        Err(error) => {
            let form = shown.form().refused(error)?;
            visit.refused(&new_sheet(&visit).await?.part(new_part(&form)))
        }
    }
}

async fn find(state: &PortalState, slug: &str) -> Result<CertificateRow, Fault> {
    state.store.find_certificate_by_slug(slug).await?.ok_or_else(Fault::not_found)
}

fn facts(row: &CertificateRow, visit: &Visit) -> Section {
    let mut facts = vec![
        fact("For", Cell::Code(row.names.join(", "))),
        fact("Issued by", issuer(row)),
        fact("Ends", end(row, visit.now)),
    ];
    if let Some(issued) = &row.issued.0 {
        facts.push(fact("Holds from", Cell::When(Moment::of(issued.valid_from, visit.now))));
        facts.push(fact("SHA-256", Cell::Code(issued.fingerprint.clone())));
    }
    if let Some(order) = &row.order.0 {
        facts.push(fact("Proven by", Cell::Code(order.challenge.to_string())));
        facts.push(fact("Ordered next", Cell::When(Moment::of(order.due_at, visit.now))));
    }
    Section::Facts(String::new(), facts)
}

fn notice(row: &CertificateRow) -> Option<Notice> {
    let order = row.order.0.as_ref()?;
    let Some(error) = &order.error else {
        return row.issued.0.is_none().then(|| {
            let text = "Its authority looks whether the hosts lead to the gateways. Look again in a moment.";
            Notice::new("info", "It is being issued", text)
        });
    };
    let times = if order.attempts == 1 { "once".to_owned() } else { format!("{} times", order.attempts) };
    Some(Notice::new("bad", format!("Its authority did not issue it ({times} in a row)"), error.clone()))
}

async fn frame(visit: &Visit, desk: &Desk, row: &CertificateRow) -> Result<Sheet, Fault> {
    let base = format!("{LIST}/{}", row.slug);
    let again = Action::post(format!("{base}/renew"), "refresh-cw", "Order again now", Vec::new());
    Ok(sheet(visit, row.slug.as_str())
        .await?
        .below(LIST, "Certificates")
        .labelled(label(row, visit.now))
        .identified(row.id)
        .action(desk.may_write && row.order.0.is_some(), again)
        .action(desk.may_write, Action::link(format!("{base}/delete"), "x", "Delete"))
        .maybe(notice(row))
        .part(facts(row, visit)))
}

fn filled(row: &CertificateRow) -> Form {
    let mut values = vec![("slug", row.slug.to_string())];
    if row.is_default {
        values.push(("is_default", "on".to_owned()));
    }
    Form::with(values)
}

fn edit_part(form: &Form, row: &CertificateRow) -> FormPart {
    let mut sets = vec![Fieldset::new("", name_inputs(form))];
    if row.order.0.is_none() {
        let about = "Left empty, both stay. Certificates alone are for a renewal on the same key.";
        sets.push(Fieldset::new("Replace", pair_inputs(form)).about(about));
    }
    FormPart::new("certificate-form", form, sets, "Save certificate")
        .to(format!("{LIST}/{}", row.slug))
        .titled("Settings", "")
        .with("version", row.version.to_string())
        .or_back(LIST)
}

/// `GET /admin/certificates/{slug}`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(slug): Path<String>,
) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = find(&state, &slug).await?;
    let mut sheet = frame(&visit, &desk, &row).await?;
    if desk.may_write {
        sheet = sheet.part(edit_part(&filled(&row), &row));
    }
    sheet.answer(&visit, &asked)
}

/// `POST /admin/certificates/{slug}`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let shown = sent.without(KEY);
    let mut reader = Reader::new(&shown);
    let Some(slug) = reader.slug() else {
        let form = reader.refused().unwrap_or_default();
        return visit.refused(&frame(&visit, &desk, &row).await?.part(edit_part(&form, &row)));
    };
    let typed = |name: &str| Some(sent.get(name)).filter(|text| !text.trim().is_empty());
    let patch = CertificatePatch {
        slug: Some(slug),
        chain: typed("chain"),
        private_key: typed(KEY).map(SecretText::new),
        is_default: Some(sent.has("is_default")),
    };
    match state.control.update_certificate(&desk.actor, row.id, sent.read("version"), patch).await {
        Ok(row) => visit.go(&format!("{LIST}/{}", row.slug), Some(Flash::done(SAVED))).await,
        Err(error) => {
            let sheet = frame(&visit, &desk, &row).await?;
            let stored = async { Ok((filled(&row), row.version)) };
            not_taken(&visit, sheet, &shown, error, stored, |form| edit_part(form, &row)).await
        }
    }
}

/// `POST /admin/certificates/{slug}/renew`
pub async fn renew(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    state.control.renew_certificate(&desk.actor, row.id).await?;
    let flash = Flash::done("Ordered again. That takes some seconds.".to_owned());
    visit.go(&format!("{LIST}/{slug}"), Some(flash)).await
}

fn question<'q>(row: &'q CertificateRow, back: &'q str) -> Question<'q> {
    Question {
        button: "Delete certificate",
        consequence: "The certificate and its key are gone. Callers of its hosts get the default certificate from then on, or none.",
        name: row.slug.as_str(),
        version: row.version,
        back,
    }
}

/// `GET /admin/certificates/{slug}/delete`
pub async fn ask_delete(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let back = format!("{LIST}/{slug}");
    let sheet = sheet(&visit, format!("Delete {}?", row.slug)).await?;
    visit.page(&question(&row, &back).ask(sheet, &Form::default(), Vec::new()))
}

/// `POST /admin/certificates/{slug}/delete`
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
    let sheet = sheet(&visit, format!("Delete {}?", row.slug)).await?;
    if let Some(form) = question.wrong(&sent) {
        return question.again(&visit, sheet, &form);
    }
    match state.control.delete_certificate(&desk.actor, row.id, sent.read("version")).await {
        Ok(()) => visit.go(LIST, Some(Flash::done(format!("{} is deleted.", row.slug)))).await,
        Err(error) => question.refused(&visit, sheet, &sent, error),
    }
}
