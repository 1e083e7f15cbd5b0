//! Back from the payment provider's page: what happened there is known when the provider says so.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use chrono::TimeDelta;
use tollgate_domain::CheckoutState;

use crate::error::{Answer, Fault};
use crate::say::{say, t};
use crate::session::Visit;
use crate::shell::{Area, Flash, Shell};
use crate::{PortalState, filters};

/// After this the page says that it takes longer than usual.
const USUAL: TimeDelta = TimeDelta::minutes(2);

#[derive(Template)]
#[template(path = "billing/checkout.html")]
pub struct View {
    pub shell: Shell,
    pub pays: bool,
    /// Where it was begun.
    pub back: &'static str,
    pub slow: bool,
}

/// `GET /billing/checkouts/{id}`: asks itself again every two seconds, scripts or not.
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    let member = visit.member()?;
    let id = id.parse().map_err(|_| Fault::not_found())?;
    let row = state.control.checkout(&member.actor, member.organization_id, id).await?;
    let credits = row.credits();
    let (to, flash) = match (row.state, row.invoice()) {
        (CheckoutState::Open, invoice) => {
            let view = View {
                shell: visit.shell(Area::Developer, t("checkout-title")).await?,
                pays: invoice.is_some() || credits.is_some(),
                back: if credits.is_some() { "/billing/credits" } else { "/billing" },
                slow: visit.now - row.created_at > USUAL,
            };
            let mut page = visit.page(&view)?;
            page.headers_mut().insert(header::REFRESH, HeaderValue::from_static("2"));
            return Ok(page);
        }
        (CheckoutState::Completed, Some(invoice)) => {
            (format!("/billing/invoices/{invoice}"), Flash::done(t("checkout-paid")))
        }
        (CheckoutState::Completed, None) if let Some(credits) = credits => {
            ("/billing/credits".to_owned(), Flash::done(say("checkout-bought").sum("sum", credits)))
        }
        (CheckoutState::Completed, None) if row.wish().is_some() => {
            ("/applications".to_owned(), Flash::done(t("checkout-plan")))
        }
        (CheckoutState::Completed, None) => ("/billing".to_owned(), Flash::done(t("checkout-kept"))),
        (CheckoutState::Expired, _) => {
            let text = t("checkout-expired").to_owned();
            ("/billing".to_owned(), Flash { tone: "warn".into(), text })
        }
    };
    visit.go(&to, Some(flash)).await
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let view = |pays, slow| Self {
            shell: Shell::sample(Area::Developer, "Confirming", "/billing"),
            pays,
            slow,
            back: "/billing",
        };
        vec![view(true, false), view(false, true)]
    }
}
