//! All certificates that gateways present, and who issues those that nobody brings.

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use tollgate_store::browse::{CertificateFilter, CertificateHealth, Cut};
use tollgate_store::{AcmeAccountRow, CertificateRow};

use super::desk::{Desk, sheet};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::parts::sheet::fact;
use crate::parts::{Action, Asked, Cell, List, Notice, Section};
use crate::session::Visit;
use crate::show::{Label, Moment};

/// What ends sooner than this is told.
const SOON: TimeDelta = TimeDelta::days(14);

/// How a certificate is.
pub fn label(row: &CertificateRow, now: DateTime<Utc>) -> Label {
    let failing = row.order.0.as_ref().is_some_and(|order| order.error.is_some());
    match &row.issued.0 {
        None if failing => Label::new("bad", "Not issued"),
        None => Label::new("info", "Being issued"),
        Some(issued) if issued.valid_until <= now => Label::new("bad", "Expired"),
        Some(_) if failing => Label::new("warn", "Renewal fails"),
        Some(issued) if issued.valid_until - now < SOON => Label::new("warn", "Ends soon"),
        Some(_) => Label::new("ok", "Valid"),
    }
}

/// Who issued it, or is to.
pub fn issuer(row: &CertificateRow) -> Cell {
    match &row.issued.0 {
        Some(issued) => Cell::Text(issued.issuer.clone()),
        None => Cell::Nothing("–"),
    }
}

/// When it ends.
pub fn end(row: &CertificateRow, now: DateTime<Utc>) -> Cell {
    match &row.issued.0 {
        Some(issued) => Cell::When(Moment::of(issued.valid_until, now)),
        None => Cell::Nothing("–"),
    }
}

/// The worst of all certificates, whatever the list shows.
async fn notice(state: &PortalState) -> Result<Option<Notice>, Fault> {
    let worst = async |health| {
        let filter = CertificateFilter { health: Some(health), ..CertificateFilter::default() };
        let found = state.store.browse_certificates(filter, &Cut::first(1)).await?;
        Ok::<_, Fault>(found.rows.into_iter().next())
    };
    if let Some(row) = worst(CertificateHealth::Expired).await? {
        let title = format!("{} has expired", row.slug);
        let text = format!("Callers of {} cannot connect by TLS.", row.names.join(", "));
        return Ok(Some(Notice::new("bad", title, text).with(address(&row), "Look at it")));
    }
    let Some(row) = worst(CertificateHealth::Failing).await? else { return Ok(None) };
    let title = format!("{} was not issued when its authority was asked last", row.slug);
    let error = row.order.0.as_ref().and_then(|order| order.error.clone()).unwrap_or_default();
    Ok(Some(Notice::new("warn", title, error).with(address(&row), "Look at it")))
}

fn address(row: &CertificateRow) -> String {
    format!("/admin/certificates/{}", row.slug)
}

fn authority(account: Option<&AcmeAccountRow>, now: DateTime<Utc>) -> Section {
    let title = "Certificate authority".to_owned();
    let Some(account) = account else {
        return Section::Facts(
            title,
            vec![fact("State", Cell::Nothing("none is chosen; certificates are brought by hand"))],
        );
    };
    Section::Facts(
        title,
        vec![
            fact("Directory", Cell::Code(account.directory.clone())),
            fact("Writes to", Cell::text_or(account.contacts.join(", "), "nobody")),
            fact("Terms agreed to", Cell::When(Moment::of(account.terms_agreed_at, now))),
            fact(
                "Account",
                match account.credentials_sealed {
                    Some(_) => Cell::Label(Label::new("ok", "Registered")),
                    None => Cell::Nothing("made with the first order"),
                },
            ),
        ],
    )
}

/// `GET /admin/certificates`
pub async fn get(State(state): State<PortalState>, visit: Visit, asked: Asked) -> Answer {
    let desk = Desk::of_publisher(&visit)?;
    let cut = asked.cut(&["slug", "ends", "-created"]);
    let health = match asked.get("state") {
        "valid" => Some(CertificateHealth::Valid),
        "soon" => Some(CertificateHealth::EndsSoon),
        "expired" => Some(CertificateHealth::Expired),
        "failing" => Some(CertificateHealth::Failing),
        "pending" => Some(CertificateHealth::Pending),
        _ => None,
    };
    let filter =
        CertificateFilter { words: asked.get("q"), health, source: asked.get("source").parse().ok() };
    let found = state.store.browse_certificates(filter, &cut).await?;
    let account = state.store.find_acme_account().await?;
    let notice = notice(&state).await?;
    let list = List::new("certificates", "All certificates")
        .searched(&asked, "host or slug")
        .filtered(
            &asked,
            "state",
            "State",
            "Any",
            [
                ("valid", "Valid"),
                ("soon", "Ends soon"),
                ("expired", "Expired"),
                ("failing", "Not issued when asked last"),
                ("pending", "Being issued"),
            ],
        )
        .filtered(
            &asked,
            "source",
            "Comes from",
            "Anywhere",
            [("acme", "Authority"), ("upload", "Upload")],
        )
        .sortable("Certificate", &asked, "slug", &cut)
        .column("State")
        .column("Issued by")
        .column("Comes from")
        .sortable("Ends", &asked, "ends", &cut)
        .or_empty(
            "shield",
            "No certificate yet",
            "Gateways present one to callers who speak TLS. Bring your own, or let an authority issue it and renew it.",
        )
        .or_do(desk.may_write, "/admin/new/certificate", "Add certificate")
        .found(&asked, found, |row| {
            vec![
                Cell::Link { href: address(&row), text: row.slug.to_string(), second: row.names.join(", ") },
                Cell::Label(label(&row, visit.now)),
                issuer(&row),
                Cell::Text(if row.order.0.is_some() { "Authority" } else { "Upload" }.to_owned()),
                end(&row, visit.now),
            ]
        });
    let choose = if account.is_some() { "Change authority" } else { "Choose authority" };
    sheet(&visit, "Certificates")
        .await?
        .intro("What gateways present to callers who speak TLS.")
        .action(
            Desk::writing(&visit).is_ok(),
            Action::link("/admin/certificate-authority", "settings", choose),
        )
        .action(
            desk.may_write && account.is_some(),
            Action::link("/admin/new/certificate-order", "refresh-cw", "Order certificate"),
        )
        .action(desk.may_write, Action::main("/admin/new/certificate", "plus", "Add certificate"))
        .maybe(notice)
        .part(list)
        .part(authority(account.as_ref(), visit.now))
        .answer(&visit, &asked)
}
