//! Who runs the platform: roles given, changed and taken, and others asked in.

use axum::extract::{Path, State};
use tollgate_control::Error;
use tollgate_control::oidc::SignsIn;
use tollgate_domain::{OperatorRole, UserId};
use tollgate_store::OperatorLine;
use uuid::Uuid;

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::list::Press;
use crate::parts::sheet::fact;
use crate::parts::{Asked, Cell, Fieldset, FormPart, Input, List, Section, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::{Label, Moment};

const LIST: &str = "/admin/operators";

/// Roles, and what each is for.
const ROLES: [(OperatorRole, &str); 5] = [
    (OperatorRole::Admin, "Admin: everything"),
    (OperatorRole::Publisher, "Publisher: services, APIs, products, plans; approves subscriptions; reads"),
    (OperatorRole::Finance, "Finance: settles, refunds and credits bills; reads"),
    (OperatorRole::Support, "Support: reads, and sees what developers see"),
    (OperatorRole::Auditor, "Auditor: reads, the audit log too"),
];

fn role_input(form: &Form) -> Input {
    let choices = ROLES.map(|(role, text)| (role.as_str(), text));
    Input::one(form, "role", "Role", choices)
}

fn safety(line: &OperatorLine) -> Label {
    match (line.disabled_at, line.second_factor, line.passkeys) {
        (Some(_), ..) => Label::new("bad", "Disabled"),
        (None, true, 0) => Label::new("ok", "Second factor"),
        (None, true, _) => Label::new("ok", "Second factor, passkey"),
        (None, false, 0) => Label::new("warn", "Password alone"),
        (None, false, _) => Label::new("warn", "Passkey, or password alone"),
    }
}

fn origin(state: &PortalState, line: &OperatorLine) -> Cell {
    match &line.granted_by {
        Some(issuer) => Cell::Text(state.control.provider_name(issuer).unwrap_or(issuer).to_owned()),
        None => Cell::Nothing("by hand"),
    }
}

/// Through whom people sign in, as the file says; only whoever starts the portal can change it.
fn providers(state: &PortalState, asked: &Asked) -> List {
    let rows = state.control.provider_settings().map(|one| {
        let signs_in = one.signs_in.iter().map(|whom| match whom {
            SignsIn::Developers => "developers",
            SignsIn::Operators => "operators",
        });
        let roles = one.roles.iter().map(|(value, role)| format!("{value}: {role}"));
        let roles = roles.collect::<Vec<_>>().join(", ");
        let claim = one.role_claim.as_deref().map_or_else(String::new, |claim| format!("by {claim}: "));
        vec![
            Cell::Strong { text: one.name.clone(), second: one.issuer.to_string() },
            Cell::Text(signs_in.collect::<Vec<_>>().join(", ")),
            Cell::text_or(if roles.is_empty() { String::new() } else { format!("{claim}{roles}") }, "none"),
        ]
    });
    let mut list = List::new("providers", "Sign-in providers")
        .column("Provider")
        .column("Signs in")
        .column("Roles")
        .or_empty(
            "log-in",
            "Nobody signs in through a provider",
            "Providers and their roles stand in the file that TOLLGATE_IDENTITY_PROVIDERS names; the guide «Sign in with a provider» tells how.",
        )
        .rows(rows)
        .whole(asked, "provider");
    list.note = "from the file of TOLLGATE_IDENTITY_PROVIDERS, read at the start".to_owned();
    list
}

async fn page(
    state: &PortalState,
    visit: &Visit,
    desk: &Desk,
    asked: &Asked,
    form: &Form,
) -> Result<Sheet, Fault> {
    let operators = state.store.list_operators().await?;
    let list = List::new("operators", "Operators")
        .column("Person")
        .column("Role")
        .column("Given by")
        .column("Signs in with")
        .numbers("Seen")
        .rows(operators.iter().map(|line| {
            vec![
                Cell::link(format!("{LIST}/{}", line.id), line.email.clone()),
                Cell::Label(Label::new("accent", line.role.to_string())),
                origin(state, line),
                Cell::Label(safety(line)),
                line.seen_at.map_or(Cell::Nothing("–"), |at| Cell::When(Moment::of(at, visit.now))),
            ]
        }))
        .whole(asked, "person or role");
    let invited = state.store.list_setup_links().await?;
    let waiting = List::new("invitations", "Invitations")
        .column("Address")
        .column("Role")
        .numbers("Until")
        .acts()
        .or_empty("mail", "Nobody is invited", "Invitations wait here until their link is opened.")
        .rows(invited.into_iter().map(|link| {
            let email = link.email.unwrap_or_default();
            let revoke = Press {
                action: format!("{LIST}/invitations/{}/revoke", link.id),
                fields: Vec::new(),
                text: "Revoke",
                of: format!("the invitation of {email}"),
                key: "",
            };
            vec![
                Cell::Text(email),
                Cell::Label(Label::new("", link.role.to_string())),
                Cell::When(Moment::of(link.expires_at, visit.now)),
                if desk.may_write { Cell::Press(vec![revoke]) } else { Cell::Nothing("") },
            ]
        }))
        .whole(asked, "address");
    let sheet = sheet(visit, "Users and roles")
        .await?
        .intro("Who runs the platform, and what each of them may do.")
        .part(list)
        .part(waiting)
        .part(providers(state, asked));
    if !desk.may_write {
        return Ok(sheet);
    }
    let inputs = vec![Input::typed(form, "email", "E-mail", "email").required(), role_input(form)];
    let invite = FormPart::new("invite-form", form, vec![Fieldset::new("", inputs)], "Invite")
        .titled("Invite somebody", "They get a link that works once, for three days.");
    Ok(sheet.part(invite))
}

/// `GET /admin/operators`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of(&visit)?;
    let form = Form::with([("role", OperatorRole::Support.as_str().to_owned())]);
    page(&state, &visit, &desk, &asked, &form).await?.answer(&visit, &asked)
}

/// `POST /admin/operators`: an invitation.
pub async fn invite(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::writing(&visit)?;
    let Some(role) = sent.read::<OperatorRole>("role") else { return Err(Fault::not_found()) };
    match state.control.invite_operator(&desk.actor, &sent.get("email"), role).await {
        Ok(()) => visit.go(LIST, Some(Flash::done("Invited. The link is on its way."))).await,
        Err(error) => {
            let form = sent.form().refused(error)?;
            visit.refused(&page(&state, &visit, &desk, &Asked::plain(LIST), &form).await?)
        }
    }
}

/// `POST /admin/operators/invitations/{id}/revoke`
pub async fn revoke(State(state): State<PortalState>, visit: Visit, Path(id): Path<Uuid>) -> Answer {
    let desk = Desk::writing(&visit)?;
    state.control.revoke_operator_invitation(&desk.actor, id).await?;
    visit.go(LIST, Some(Flash::done("Taken back. Its link opens nothing any more."))).await
}

async fn find(state: &PortalState, id: &str) -> Result<OperatorLine, Fault> {
    let id: UserId = id.parse().map_err(|_| Fault::not_found())?;
    let all = state.store.list_operators().await?;
    all.into_iter().find(|line| line.id == id).ok_or_else(Fault::not_found)
}

async fn one(
    state: &PortalState,
    visit: &Visit,
    desk: &Desk,
    line: &OperatorLine,
    form: &Form,
) -> Result<Sheet, Fault> {
    let facts = vec![
        fact("Person", Cell::link(format!("/admin/developers/{}", line.id), line.email.clone())),
        fact("Given by", origin(state, line)),
        fact("Signs in with", Cell::Label(safety(line))),
    ];
    let sheet = sheet(visit, &line.email)
        .await?
        .below(LIST, "Users and roles")
        .labelled(Label::new("accent", line.role.to_string()))
        .part(Section::Facts(String::new(), facts));
    if !desk.may_write {
        return Ok(sheet);
    }
    let change = FormPart::new(
        "role-form",
        form,
        vec![Fieldset::new("", vec![role_input(form)])],
        "Change role",
    )
    .titled(
        "Role",
        "It holds in all of their sessions at once. From then on it is by hand, whatever a provider says.",
    );
    let remove = FormPart::new("remove-form", &Form::default(), Vec::new(), "Remove")
        .titled("Remove from the platform", "Their account stays; they do not run the platform any more.")
        .to(format!("{LIST}/{}/remove", line.id))
        .toned("danger");
    Ok(sheet.part(change).part(remove))
}

/// `GET /admin/operators/{id}`
pub async fn show(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let desk = Desk::of(&visit)?;
    let line = find(&state, &id).await?;
    let form = Form::with([("role", line.role.as_str().to_owned())]);
    one(&state, &visit, &desk, &line, &form).await?.answer(&visit, &asked)
}

/// `POST /admin/operators/{id}`: another role.
pub async fn change(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::writing(&visit)?;
    let line = find(&state, &id).await?;
    let Some(role) = sent.read::<OperatorRole>("role") else { return Err(Fault::not_found()) };
    let done = state.control.put_operator(&desk.actor, line.id, role).await.map(drop);
    decided(&state, &visit, &desk, &line, &sent, done).await
}

/// `POST /admin/operators/{id}/remove`
pub async fn remove(
    State(state): State<PortalState>,
    visit: Visit,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let desk = Desk::writing(&visit)?;
    let line = find(&state, &id).await?;
    let done = state.control.delete_operator(&desk.actor, line.id).await;
    decided(&state, &visit, &desk, &line, &sent, done).await
}

async fn decided(
    state: &PortalState,
    visit: &Visit,
    desk: &Desk,
    line: &OperatorLine,
    sent: &Sent,
    done: Result<(), Error>,
) -> Answer {
    match done {
        Ok(()) => visit.go(LIST, Some(Flash::done("Changed. It holds at once."))).await,
        Err(error) => {
            let form = sent.form().refused(error)?;
            visit.refused(&one(state, visit, desk, line, &form).await?)
        }
    }
}
