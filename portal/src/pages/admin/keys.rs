//! All keys, and finding one by what somebody has of it.

use axum::extract::{Path, State};
use tollgate_domain::{CredentialId, CredentialState};

use super::desk::{Desk, sheet};
use super::timeline;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::pages::applications::key_show::held_to;
use crate::pages::applications::{key_row, shown};
use crate::parts::sheet::fact;
use crate::parts::{Action, Asked, Cell, Fieldset, FormPart, Input, List, Notice, Section, Sent, Sheet};
use crate::session::Visit;
use crate::show::{Label, Moment};

const LIST: &str = "/admin/keys";

fn finder(form: &Form) -> FormPart {
    let hint = "The whole key or its first characters. A whole key is compared by its hash; it is never stored, logged or put into an address.";
    let input = Input::line(form, "key", "Key").hint(hint).required();
    FormPart::new("find-form", form, vec![Fieldset::new("", vec![input])], "Find key")
        .titled("Find a key", "")
        .to("/admin/keys/find")
        .toned("")
}

async fn page(state: &PortalState, visit: &Visit, asked: &Asked, form: &Form) -> Result<Sheet, Fault> {
    let desk = Desk::of(visit)?;
    let cut = asked.cut(&["-created", "name"]);
    let revoked = match asked.get("state") {
        "revoked" => Some(true),
        "active" => Some(false),
        _ => None,
    };
    let found = state.store.browse_credentials(desk.scope, asked.get("q"), revoked, &cut).await?;
    let list = List::new("keys", "All keys")
        .searched(asked, "name or first characters")
        .filtered(asked, "state", "State", "Any state", [("active", "Active"), ("revoked", "Revoked")])
        .sortable("Name", asked, "name", &cut)
        .column("Key")
        .column("State")
        .column("Application")
        .column("Organization")
        .numbers("Last used")
        .sortable("Created", asked, "created", &cut)
        .or_empty("key-round", "No key yet", "Developers make keys for their applications in the portal.")
        .found(asked, found, |row| {
            let expired = row.expires_at.is_some_and(|at| at <= visit.now);
            let label = match (row.revoked_at, expired) {
                (Some(_), _) => CredentialState::Revoked.into(),
                (None, true) => Label::new("warn", "Expired"),
                (None, false) => CredentialState::Active.into(),
            };
            vec![
                Cell::link(format!("{LIST}/{}", row.id), row.name),
                Cell::Code(format!("{}…{}", row.display_prefix, row.display_last4)),
                Cell::Label(label),
                Cell::Way {
                    href: format!("/admin/applications/{}", row.application_id),
                    text: row.application,
                },
                Cell::Text(row.organization),
                row.last_used_at.map_or(Cell::Nothing("never"), |at| Cell::When(Moment::of(at, visit.now))),
                Cell::When(Moment::of(row.created_at, visit.now)),
            ]
        });
    let sheet = sheet(visit, "Keys").await?.intro(
        "What applications prove themselves with. Only their first and last characters are kept in words.",
    );
    Ok(sheet.part(list).part(finder(form)))
}

/// Characters of a secret that are kept in words.
const SECRET_CHARS_SHOWN: usize = 4;

/// What goes into an address: never more of a key than what every page shows of it.
#[must_use]
pub fn shown_part(typed: &str) -> String {
    let head = typed.rfind('_').map_or(0, |at| at + 1);
    let (head, secret) = typed.split_at(head);
    let shown: String = secret.chars().take(SECRET_CHARS_SHOWN).collect();
    format!("{head}{shown}")
}

/// `GET /admin/keys`
pub async fn list(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    page(&state, &visit, &asked, &Form::default()).await?.answer(&visit, &asked)
}

/// `POST /admin/keys/find`: a whole key leads to its page, the beginning of one to the list.
pub async fn find(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::of(&visit)?;
    let typed = sent.get("key");
    if let Some(row) = state.control.find_key(&desk.actor, &typed).await? {
        let id = row.id;
        return visit.go(&format!("{LIST}/{id}"), None).await;
    }
    if typed.len() > WHOLE_KEY_AT_LEAST {
        let form = Form::default().wrong(
            "key",
            "no active or revoked key has this text; it may be of another installation, or mistyped",
        );
        return visit.refused(&page(&state, &visit, &Asked::plain(LIST), &form).await?);
    }
    visit.go(&format!("{LIST}?q={}", crate::error::query_value(&shown_part(&typed))), None).await
}

/// Longer than this it is no beginning.
const WHOLE_KEY_AT_LEAST: usize = 30;

/// `GET /admin/keys/{id}`
pub async fn show(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let id: CredentialId = id.parse().map_err(|_| Fault::not_found())?;
    let row = state.store.get_credential(desk.scope, id).await?;
    let application = state.store.get_application(desk.scope, row.application_id).await;
    let organization = state.store.get_organization(desk.scope, row.organization_id).await;
    let filter = tollgate_store::browse::AuditFilter { subject: Some(id.uuid()), ..Default::default() };
    let log = state.store.browse_audit(desk.scope, filter, &tollgate_store::browse::Cut::latest(20)).await?;
    let line = key_row(&row, &format!("/admin/applications/{}/keys", row.application_id), visit.now);
    let when =
        |at: Option<_>, none| at.map_or(Cell::Nothing(none), |at| Cell::When(Moment::of(at, visit.now)));
    let facts = vec![
        fact("Key", Cell::Code(shown(&row))),
        fact(
            "Application",
            match application {
                Ok(one) => Cell::Way { href: format!("/admin/applications/{}", one.id), text: one.name },
                Err(_) => Cell::Nothing("deleted"),
            },
        ),
        fact(
            "Organization",
            match organization {
                Ok(one) => Cell::Way { href: format!("/admin/organizations/{}", one.id), text: one.name },
                Err(_) => Cell::Nothing("deleted"),
            },
        ),
        fact("Environment", Cell::Text(row.environment.as_str().to_owned())),
        fact("Last used", when(row.last_used_at, "never")),
        fact("Expires", when(row.expires_at, "never")),
        fact("Created", Cell::When(line.created)),
        fact("Revoked", when(row.revoked_at, "no")),
    ];
    let held_to = held_to(&row).into_iter().map(|(name, entries)| fact(name, Cell::Code(entries)));
    let facts: Vec<_> = facts.into_iter().chain(held_to).collect();
    let leaked = line.revoke_href.as_ref().map(|_| {
        Notice::new(
            "info",
            "Has it leaked?",
            "Revoking stops its calls within a second. Its owner makes another key in the portal.",
        )
    });
    let revoke = line.revoke_href.map(|href| Action::link(href, "ban", "Revoke"));
    let may_revoke = desk.may_write && revoke.is_some();
    let revoke = revoke.unwrap_or_else(|| Action::link(LIST, "key-round", "Keys"));
    sheet(&visit, &row.name)
        .await?
        .below(LIST, "Keys")
        .labelled(line.state)
        .identified(id)
        .action(true, Action::link(format!("{LIST}/{id}/explain"), "info", "Explain a call"))
        .action(may_revoke, Action::link(format!("{LIST}/{id}/restrict"), "shield", "Restrict"))
        .action(may_revoke, revoke)
        .part(Section::Facts(String::new(), facts))
        .maybe(leaked.filter(|_| desk.may_write))
        .part(timeline::list(&log.rows, &visit))
        .answer(&visit, &asked)
}
