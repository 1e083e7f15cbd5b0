//! The mails that are sent, with made-up content: what they say, in every language, under the portal's name.

use axum::extract::State;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse};
use tollgate_control::mail::{Letter, MailFault, Site, samples};

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::parts::sheet::fact;
use crate::parts::{Action, Asked, Cell, List, Section, Sent};
use crate::session::Visit;
use crate::shell::Flash;

const LIST: &str = "/admin/mails";
/// A mail brings its own styles, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

async fn site(state: &PortalState) -> Result<Site, Fault> {
    let name = state.store.get_look().await?.name.unwrap_or_else(|| "Tollgate".to_owned());
    Ok(Site { name, portal_url: state.settings.portal_url.clone() })
}

fn find(name: &str) -> Result<Letter, Fault> {
    samples()
        .into_iter()
        .find(|(known, _)| known == name)
        .map(|(_, letter)| letter)
        .ok_or_else(Fault::not_found)
}

fn unwritable(fault: MailFault) -> Fault {
    tollgate_control::Error::Internal(Box::new(fault)).into()
}

/// `GET /admin/mails`
pub async fn list(visit: Visit, asked: Asked) -> Answer {
    Desk::of(&visit)?;
    let rows = samples().into_iter().map(|(name, letter)| {
        let about = name.trim_end_matches(letter.language.tag()).trim_end_matches('-').replace('-', " ");
        vec![
            Cell::Link {
                href: format!("{LIST}/letter?name={name}"),
                text: letter.subject.clone(),
                second: about,
            },
            Cell::Text(letter.language.tag().to_owned()),
            Cell::Text(if letter.topic.is_some() { "Can be switched off" } else { "Always" }.to_owned()),
        ]
    });
    let list = List::new("mails", "Mails")
        .column("Subject")
        .column("Language")
        .column("Sent")
        .rows(rows)
        .whole(&asked, "subject");
    sheet(&visit, "Mails")
        .await?
        .below("/admin/portal", "Portal")
        .intro("What is written to people, with made-up content. Each reader gets it in their language.")
        .part(list)
        .answer(&visit, &asked)
}

/// `GET /admin/mails/letter?name=`
pub async fn show(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    Desk::of(&visit)?;
    let name = asked.get("name");
    let letter = find(name)?;
    let text = letter.text(&site(&state).await?).map_err(unwritable)?;
    let facts = vec![
        fact("Language", Cell::Text(letter.language.tag().to_owned())),
        fact("Why they get it", Cell::Text(letter.reason.clone())),
        fact("Its button leads to", Cell::text_or(letter.link().to_owned(), "it has none")),
    ];
    let page = sheet(&visit, &letter.subject)
        .await?
        .below("/admin/portal", "Portal")
        .below(LIST, "Mails")
        .action(
            true,
            Action::post(format!("{LIST}/letter"), "eye", "See it as HTML", vec![("name", name.to_owned())]),
        )
        .action(
            true,
            Action::post(format!("{LIST}/test"), "mail", "Send it to me", vec![("name", name.to_owned())]),
        )
        .part(Section::Facts(String::new(), facts))
        .part(Section::Code { title: "As plain text".to_owned(), text });
    visit.page(&page)
}

/// `POST /admin/mails/test`: one of them, to whoever asks.
pub async fn test(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let desk = Desk::of(&visit)?;
    let name = sent.get("name");
    state.control.send_sample_letter(&desk.actor, &name).await?;
    let text = "It is on its way. Where it does not come, the log of the process that works on jobs says why, and \
                tollgate_mails_total counts it as failed.";
    visit.go(&format!("{LIST}/letter?name={name}"), Some(Flash::done(text))).await
}

/// `POST /admin/mails/letter`: the part that most programs show. Nothing is changed; it is posted because a mail is
/// no page of this site.
pub async fn html(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    Desk::of(&visit)?;
    let html = find(&sent.get("name"))?.html(&site(&state).await?).map_err(unwritable)?;
    Ok(([(CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response())
}
