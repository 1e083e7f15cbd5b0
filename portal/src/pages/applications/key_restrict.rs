//! What a key is held to beside its plan: its operations, its networks, its sites.

use axum::extract::{Path, State};
use tollgate_control::{Actor, CredentialPatch, Error};
use tollgate_domain::{Restrictions, Scope, SubscriptionState};
use tollgate_store::{CredentialRow, Page};

use super::key_revoke::key_of;
use super::shown;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::admin::desk::Desk;
use crate::parts::{Fieldset, FormPart, Input, Sent, Sheet};
use crate::say::{say, t};
use crate::session::Visit;
use crate::shell::{Area, Flash};

/// Operations that are offered one by one; of more, only tags and whole APIs are.
const OPERATIONS_MAX: usize = 60;

/// Whose page it is, and where it leads back to.
struct Place {
    area: Area,
    above: (String, String),
    back: String,
}

/// What is sent and what is read, of every API that the key's application subscribes to.
async fn choices(
    state: &PortalState,
    scope: Scope,
    row: &CredentialRow,
) -> Result<Vec<(String, String)>, Fault> {
    let mut choices: Vec<(String, String)> = Vec::new();
    let subscriptions =
        state.store.list_subscriptions(scope, Some(row.application_id), Page::FIRST_500).await?;
    for subscription in subscriptions.iter().filter(|one| one.state != SubscriptionState::Ended) {
        for api in state.store.list_served_apis(subscription.product_id).await? {
            let (slug, name) = (&api.slug, &api.name);
            if choices.iter().any(|(value, _)| value == slug.as_str()) {
                continue;
            }
            choices.push((slug.to_string(), say("restrict-all-of").with("name", name).into()));
            let routes = state.store.list_routes(api.id).await?;
            let mut tags: Vec<&String> = routes.iter().flat_map(|route| &route.tags).collect();
            tags.sort_unstable();
            tags.dedup();
            choices.extend(tags.iter().map(|tag| {
                (format!("{slug}/tag:{tag}"), say("restrict-tag").with("name", name).with("tag", tag).into())
            }));
            if routes.len() <= OPERATIONS_MAX {
                let one = |route: &tollgate_store::RouteRow| {
                    let place = format!("{name}: {} {}{}", route.method, api.base_path, route.path);
                    (format!("{slug}/{}", route.operation_id), place)
                };
                choices.extend(routes.iter().map(one));
            }
        }
    }
    // What was chosen before stays choosable, though it may be offered no more.
    for scope in row.restrictions().scopes {
        if !choices.iter().any(|(value, _)| *value == scope) {
            choices.push((scope.clone(), scope));
        }
    }
    Ok(choices)
}

fn filled(row: &CredentialRow) -> Form {
    let Restrictions { scopes, networks, origins } = row.restrictions();
    let lists = [("networks", networks.join("\n")), ("origins", origins.join("\n"))];
    Form::with(scopes.into_iter().map(|scope| ("scopes", scope)).chain(lists))
}

fn part(form: &Form, row: &CredentialRow, choices: Vec<(String, String)>, back: &str) -> FormPart {
    let sets = vec![
        Fieldset::new(
            t("restrict-what"),
            vec![Input::any(form, "scopes", t("restrict-operations"), choices)],
        )
        .about(t("restrict-operations-hint")),
        Fieldset::new(
            t("restrict-where"),
            vec![
                Input::code(form, "networks", t("restrict-networks"), 3).hint(t("restrict-networks-hint")),
                Input::code(form, "origins", t("restrict-sites"), 3).hint(t("restrict-sites-hint")),
            ],
        ),
    ];
    FormPart::new("restrict-form", form, sets, t("restrict-save"))
        .with("version", row.version.to_string())
        .or_back(back)
}

async fn page(
    state: &PortalState,
    visit: &Visit,
    (scope, place): (Scope, &Place),
    row: &CredentialRow,
    form: &Form,
) -> Result<Sheet, Fault> {
    let shell = visit.shell(place.area, say("restrict-title").with("name", &row.name)).await?;
    let text = say("restrict-intro").with("shown", shown(row));
    let (above, name) = place.above.clone();
    let part = part(form, row, choices(state, scope, row).await?, &place.back);
    Ok(Sheet::new(shell).below(above, name).narrow().intro(text).part(part))
}

async fn save(
    state: &PortalState,
    visit: &Visit,
    (actor, scope): (&Actor, Scope),
    place: &Place,
    row: &CredentialRow,
    sent: &Sent,
) -> Answer {
    let lines = |name: &str| Some(sent.get(name).split_whitespace().map(str::to_owned).collect());
    let patch = CredentialPatch {
        scopes: Some(sent.all("scopes").map(str::to_owned).collect()),
        networks: lines("networks"),
        origins: lines("origins"),
        ..CredentialPatch::default()
    };
    match state.control.update_credential(actor, row.id, sent.read("version"), patch).await {
        Ok(_) => visit.go(&place.back, Some(Flash::done(t("restrict-saved")))).await,
        Err(error) => {
            let form = sent.form().refused(of_lists(error))?;
            visit.refused(&page(state, visit, (scope, place), row, &form).await?)
        }
    }
}

/// A fault of an entry is one of the field that all of them are typed into.
fn of_lists(error: Error) -> Error {
    let Error::Invalid(mut faults) = error else { return error };
    for fault in &mut faults {
        let list = ["scopes", "networks", "origins"].into_iter().find(|list| {
            fault
                .pointer
                .strip_prefix('/')
                .and_then(|rest| rest.strip_prefix(list))
                .is_some_and(|at| at.starts_with('/'))
        });
        if let Some(list) = list {
            fault.pointer = format!("/{list}");
        }
    }
    Error::Invalid(faults)
}

fn own(id: &str, row: &CredentialRow) -> Place {
    Place {
        area: Area::Developer,
        above: (format!("/applications/{id}"), t("applications-one").to_owned()),
        back: format!("/applications/{id}/keys/{}", row.id),
    }
}

/// `GET /applications/{id}/keys/{key}/restrict`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((id, key)): Path<(String, String)>,
) -> Answer {
    let member = visit.member()?;
    let row = key_of(&state, member.scope, &id, &key).await?;
    visit.page(&page(&state, &visit, (member.scope, &own(&id, &row)), &row, &filled(&row)).await?)
}

/// `POST /applications/{id}/keys/{key}/restrict`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path((id, key)): Path<(String, String)>,
    sent: Sent,
) -> Answer {
    let member = visit.member()?;
    let row = key_of(&state, member.scope, &id, &key).await?;
    save(&state, &visit, (&member.actor, member.scope), &own(&id, &row), &row, &sent).await
}

fn of_desk(row: &CredentialRow) -> Place {
    let back = format!("/admin/keys/{}", row.id);
    Place { area: Area::Admin, above: ("/admin/keys".to_owned(), "Keys".to_owned()), back }
}

async fn any_key(state: &PortalState, scope: Scope, id: &str) -> Result<CredentialRow, Fault> {
    let id: tollgate_domain::CredentialId = id.parse().map_err(|_| Fault::not_found())?;
    Ok(state.store.get_credential(scope, id).await?)
}

/// `GET /admin/keys/{id}/restrict`
pub async fn get_any(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    let desk = Desk::writing(&visit)?;
    let row = any_key(&state, desk.scope, &id).await?;
    visit.page(&page(&state, &visit, (desk.scope, &of_desk(&row)), &row, &filled(&row)).await?)
}

/// `POST /admin/keys/{id}/restrict`
pub async fn post_any(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::writing(&visit)?;
    let row = any_key(&state, desk.scope, &id).await?;
    save(&state, &visit, (&desk.actor, desk.scope), &of_desk(&row), &row, &sent).await
}
