//! Which organizations see a product, where they are chosen.

use axum::extract::{Path, State};
use tollgate_domain::{OrganizationId, Visibility};
use tollgate_store::ProductRow;

use super::{LIST, find, frame};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::admin::desk::{Desk, SAVED, not_taken};
use crate::pages::admin::products::seen_by;
use crate::parts::{Asked, Cell, Fieldset, FormPart, Input, List, Notice, Sent};
use crate::session::Visit;
use crate::shell::Flash;

async fn filled(state: &PortalState, row: &ProductRow) -> Result<Form, Fault> {
    let shown_to = state.store.product_audience(row.id).await?;
    let slugs: Vec<String> = shown_to.into_iter().map(|(_, slug)| slug).collect();
    Ok(Form::with([("organization_ids", slugs.join("\n"))]))
}

fn part(form: &Form, row: &ProductRow) -> FormPart {
    let input = Input::code(form, "organization_ids", "Organizations", 8)
        .hint("Slugs, one per line. Whoever subscribes already keeps the product and goes on to see it.");
    FormPart::new("audience-form", form, vec![Fieldset::new("", vec![input])], "Save audience")
        .with("version", row.version.to_string())
}

fn notice(row: &ProductRow) -> Option<Notice> {
    (row.visibility != Visibility::Chosen).then(|| {
        Notice::new(
            "info",
            format!("This product is seen by {}", seen_by(row.visibility)),
            "The list below holds once its settings say that only chosen organizations see it.",
        )
        .with(format!("{LIST}/{}/settings", row.slug), "Settings")
    })
}

/// `GET /admin/products/{slug}/audience`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(slug): Path<String>,
) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = find(&state, &slug).await?;
    let sheet = frame(&visit, &desk, &row).await?.narrow().maybe(notice(&row));
    if desk.may_write {
        return sheet.part(part(&filled(&state, &row).await?, &row)).answer(&visit, &asked);
    }
    let shown_to = state.store.product_audience(row.id).await?;
    let list = List::new("audience", "Organizations that see it")
        .column("Organization")
        .or_empty("users", "Nobody is chosen", "An admin or publisher chooses organizations here.")
        .rows(
            shown_to
                .into_iter()
                .map(|(id, slug)| vec![Cell::link(format!("/admin/organizations/{id}"), slug)]),
        )
        .whole(&asked, "organization");
    sheet.part(list).answer(&visit, &asked)
}

/// `POST /admin/products/{slug}/audience`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let mut chosen: Vec<OrganizationId> = Vec::new();
    let mut unknown: Vec<String> = Vec::new();
    for slug in sent.get("organization_ids").split_whitespace() {
        match state.store.find_organization_by_slug(slug).await? {
            Some(organization) => chosen.push(organization.id),
            None => unknown.push(slug.to_owned()),
        }
    }
    let sheet = frame(&visit, &desk, &row).await?.narrow().maybe(notice(&row));
    if !unknown.is_empty() {
        let message = format!("there is no organization {}", unknown.join(", "));
        let form = sent.form().wrong("organization_ids", &message);
        return visit.refused(&sheet.part(part(&form, &row)));
    }
    match state.control.set_product_audience(&desk.actor, row.id, sent.read("version"), chosen).await {
        Ok(()) => visit.go(&format!("{LIST}/{slug}/audience"), Some(Flash::done(SAVED))).await,
        Err(error) => {
            let stored = async { Ok((filled(&state, &row).await?, row.version)) };
            not_taken(&visit, sheet, &sent, error, stored, |form| part(form, &row)).await
        }
    }
}
