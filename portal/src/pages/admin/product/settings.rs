//! A product made or changed: what it is called, who sees it, which APIs it opens.

use std::borrow::Cow;

use axum::extract::{Path, State};
use tollgate_control::{ProductInput, ProductPatch};
use tollgate_domain::{ApiId, ProductState, Visibility};
use tollgate_store::browse::{ApiFilter, Cut};
use tollgate_store::{ProductRow, Store};

use super::{LIST, find, frame};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::admin::desk::{Desk, SAVED, not_taken, sheet};
use crate::pages::admin::products::seen_by;
use crate::pages::admin::rename::Rename;
use crate::parts::sheet::fact;
use crate::parts::{Action, Asked, Cell, Fieldset, FormPart, Input, Reader, Section, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;

/// More APIs than these are not offered for ticking; files and the admin API have no such bound.
const APIS_OFFERED: i64 = 500;

/// APIs to tick: what is sent and what is read.
type Apis = Vec<(String, String)>;

async fn apis(store: &Store, chosen: &[ApiId]) -> Result<Apis, Fault> {
    let cut = Cut { sort: "name", ..Cut::first(APIS_OFFERED) };
    let rows = store.browse_apis(ApiFilter::default(), &cut).await?.rows;
    let mut apis: Apis = rows
        .into_iter()
        .map(|row| (ApiId::from(row.id).to_string(), format!("{} ({})", row.name, row.slug)))
        .collect();
    for id in chosen {
        if !apis.iter().any(|(known, _)| *known == id.to_string()) {
            let row = store.get_api(*id).await?;
            apis.push((id.to_string(), format!("{} ({})", row.name, row.slug)));
        }
    }
    // Those that are in it first, so that they are seen without scrolling.
    apis.sort_by_key(|(id, _)| !chosen.iter().any(|one| one.to_string() == *id));
    Ok(apis)
}

fn fieldsets(form: &Form, apis: &Apis) -> Vec<Fieldset> {
    let states = [
        (ProductState::Draft, "Draft: only operators see it"),
        (ProductState::Published, "Published: on offer"),
        (ProductState::Retired, "Retired: no new subscriptions"),
    ];
    let visibilities = [
        (Visibility::Public, "Everybody"),
        (Visibility::SignedIn, "People who signed in"),
        (Visibility::Chosen, "Chosen organizations: see Audience"),
    ];
    vec![
        Fieldset::new(
            "",
            vec![
                Input::line(form, "name", "Name").required(),
                Input::line(form, "slug", "Slug")
                    .hint("Its name in files and URLs. Left empty, it is made from the name."),
                Input::long(form, "summary", "Summary", 2)
                    .hint("One sentence, up to 500 characters, on the product's card."),
                Input::long(form, "description", "Description", 6)
                    .hint("What can be built with it. Markdown, up to 20,000 characters."),
            ],
        ),
        Fieldset::new(
            "Offer",
            vec![
                Input::one(form, "state", "State", states.map(|(state, text)| (state.as_str(), text))),
                Input::one(
                    form,
                    "visibility",
                    "Seen by",
                    visibilities.map(|(one, text)| (one.as_str(), text)),
                ),
            ],
        ),
        Fieldset::new(
            "APIs",
            vec![Input::any(form, "apis", "What a subscription opens", apis.iter().cloned())],
        ),
    ]
}

fn typed(sent: &Sent, before: &[ApiId]) -> Result<ProductInput, Form> {
    let mut reader = Reader::new(sent);
    let slug = reader.slug();
    let state = reader.value("state", "choose a state");
    let visibility = reader.value("visibility", "choose who sees it");
    let ticked: Vec<ApiId> = sent.all("apis").filter_map(|id| id.parse().ok()).collect();
    // In the order that they were in; new ones behind.
    let kept = before.iter().copied().filter(|id| ticked.contains(id));
    let added = ticked.iter().copied().filter(|id| !before.contains(id));
    match (slug, state, visibility) {
        (Some(slug), Some(state), Some(visibility)) => Ok(ProductInput {
            slug,
            name: sent.get("name"),
            summary: sent.get("summary"),
            description: sent.get("description"),
            state,
            visibility,
            apis: kept.chain(added).collect(),
        }),
        _ => Err(reader.refused().unwrap_or_default()),
    }
}

fn filled(row: &ProductRow) -> Form {
    let mut values: Vec<(Cow<'static, str>, String)> = vec![
        ("name".into(), row.name.clone()),
        ("slug".into(), row.slug.to_string()),
        ("summary".into(), row.summary.clone()),
        ("description".into(), row.description.clone()),
        ("state".into(), row.state.to_string()),
        ("visibility".into(), row.visibility.to_string()),
    ];
    values.extend(row.apis().iter().map(|id| ("apis".into(), id.to_string())));
    Form::with(values)
}

async fn new_sheet(visit: &Visit, form: &Form, apis: &Apis) -> Result<Sheet, Fault> {
    let part = FormPart::new("product-form", form, fieldsets(form, apis), "Create product").or_back(LIST);
    let sheet = sheet(visit, "Create a product").await?.below(LIST, "Products").narrow();
    Ok(sheet.intro("APIs offered together; developers subscribe to a plan of it.").part(part))
}

/// `GET /admin/new/product`
pub async fn create(State(state): State<PortalState>, visit: Visit) -> Answer {
    Desk::publishing(&visit)?;
    let form = Form::with([("state", "draft".to_owned()), ("visibility", "public".to_owned())]);
    visit.page(&new_sheet(&visit, &form, &apis(&state.store, &[]).await?).await?)
}

/// `POST /admin/new/product`
pub async fn post_new(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let apis = apis(&state.store, &[]).await?;
    let input = match typed(&sent, &[]) {
        Ok(input) => input,
        Err(form) => return visit.refused(&new_sheet(&visit, &form, &apis).await?),
    };
    match state.control.create_product(&desk.actor, input).await {
        Ok(row) => {
            let flash = Flash::done(format!(
                "{} is there. Give it a plan, so that developers can subscribe.",
                row.name
            ));
            visit.go(&format!("{LIST}/{}", row.slug), Some(flash)).await
        }
        Err(error) => visit.refused(&new_sheet(&visit, &sent.form().refused(error)?, &apis).await?),
    }
}

fn part(form: &Form, row: &ProductRow, apis: &Apis) -> FormPart {
    FormPart::new("product-form", form, fieldsets(form, apis), "Save settings")
        .with("version", row.version.to_string())
}

/// `GET /admin/products/{slug}/settings`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(slug): Path<String>,
) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let row = find(&state, &slug).await?;
    let delete = Action::link(format!("{LIST}/{slug}/delete"), "x", "Delete");
    let sheet = frame(&visit, &desk, &row).await?.narrow().action(desk.may_write, delete);
    if !desk.may_write {
        let facts = vec![
            fact("Summary", Cell::text_or(row.summary.clone(), "none")),
            fact("Seen by", Cell::Text(seen_by(row.visibility).into())),
        ];
        return sheet.part(Section::Facts("Settings".into(), facts)).answer(&visit, &asked);
    }
    let apis = apis(&state.store, &row.apis()).await?;
    sheet.part(part(&filled(&row), &row, &apis)).answer(&visit, &asked)
}

/// `POST /admin/products/{slug}/settings`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::publishing(&visit)?;
    let row = find(&state, &slug).await?;
    let apis = apis(&state.store, &row.apis()).await?;
    let sheet = frame(&visit, &desk, &row).await?.narrow();
    let input = match typed(&sent, &row.apis()) {
        Ok(input) => input,
        Err(form) => return visit.refused(&sheet.part(part(&form, &row, &apis))),
    };
    let (version, path) = (row.version, format!("{LIST}/{}/settings", row.slug));
    let consequence = format!(
        "Its pages move: links to /products/{} lead nowhere. Subscriptions and keys stay as they are.",
        row.slug
    );
    let rename = Rename { what: "product", old: &row.slug, new: &input.slug, version, consequence };
    if rename.is_open(&sent) {
        return visit.page(&rename.ask(sheet, &sent, &path));
    }
    let patch = ProductPatch {
        slug: Some(input.slug),
        name: Some(input.name),
        summary: Some(input.summary),
        description: Some(input.description),
        state: Some(input.state),
        visibility: Some(input.visibility),
        apis: Some(input.apis),
    };
    match state.control.update_product(&desk.actor, row.id, sent.read("version"), patch).await {
        Ok(row) => visit.go(&format!("{LIST}/{}/settings", row.slug), Some(Flash::done(SAVED))).await,
        Err(error) => {
            let stored = async { Ok((filled(&row), row.version)) };
            not_taken(&visit, sheet, &sent, error, stored, |form| part(form, &row, &apis)).await
        }
    }
}
