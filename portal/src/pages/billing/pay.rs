//! Ways to the payment provider's pages: to pay an invoice, to leave a card, to look after cards; and the number for the tax
//! office.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use tollgate_control::{CheckoutInput, Error, SubscriptionInput};
use tollgate_domain::{ApplicationId, InvoiceId, PlanId, SubscriptionId, SubscriptionState};
use tollgate_store::{Page, PlanRow};

use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::sentence;
use crate::parts::Sent;
use crate::say::{say, t, translated};
use crate::session::{Member, Visit};
use crate::shell::Flash;

/// Sends the browser to a page of the provider, from which it comes back to ours.
pub async fn to_page(state: &PortalState, member: &Member, input: CheckoutInput) -> Result<Response, Error> {
    let portal = &state.settings.portal_url;
    let from = if matches!(input, CheckoutInput::Credits(_)) { "/billing/credits" } else { "/billing" };
    let (back, away) = (format!("{portal}/billing/checkouts"), format!("{portal}{from}"));
    let control = &state.control;
    let url = control.open_checkout(&member.actor, member.organization_id, input, &back, &away).await?;
    Ok(Redirect::to(&url).into_response())
}

/// `POST /billing/invoices/{id}/pay`
pub async fn invoice(State(state): State<PortalState>, visit: Visit, Path(id): Path<String>) -> Answer {
    let member = visit.member()?;
    let id: InvoiceId = id.parse().map_err(|_| Fault::not_found())?;
    match to_page(&state, &member, CheckoutInput::Invoice(id)).await {
        // A second click finds it paid.
        Err(Error::Conflict(text)) => {
            let text = sentence(&translated(&text));
            visit.go(&format!("/billing/invoices/{id}"), Some(Flash { tone: "info".into(), text })).await
        }
        other => Ok(other?),
    }
}

/// `POST /billing/method`
pub async fn method(State(state): State<PortalState>, visit: Visit) -> Answer {
    Ok(to_page(&state, &visit.member()?, CheckoutInput::Method).await?)
}

/// `POST /billing/account`
pub async fn account(State(state): State<PortalState>, visit: Visit) -> Answer {
    let member = visit.member()?;
    let back = format!("{}/billing", state.settings.portal_url);
    let url = state.control.open_payment_account(&member.actor, member.organization_id, &back).await?;
    Ok(Redirect::to(&url).into_response())
}

/// `POST /billing/tax-id`
pub async fn tax_id(State(state): State<PortalState>, visit: Visit, sent: Sent) -> Answer {
    let member = visit.member()?;
    let (kind, value) = (sent.get("kind"), sent.get("value"));
    let kept = state.control.set_tax_id(&member.actor, member.organization_id, &kind, &value).await;
    let flash = match kept {
        Ok(()) => Flash::done(t("billing-tax-kept")),
        Err(Error::Invalid(faults)) => {
            let text = faults
                .into_iter()
                .map(|fault| translated(&fault.message).into_owned())
                .collect::<Vec<_>>()
                .join("; ");
            Flash { tone: "bad".into(), text: say("billing-tax-refused").with("why", text).into() }
        }
        Err(error) => return Err(error.into()),
    };
    visit.go("/billing", Some(flash)).await
}

/// Before an application is on a plan that costs something, a way to pay must be there: the way to the provider's page,
/// where that is so. The application begins on the product's free plan, and moves when the provider says that it was left.
pub async fn before_plan(
    state: &PortalState,
    member: &Member,
    application: ApplicationId,
    plan: &PlanRow,
) -> Result<Option<Response>, Fault> {
    if !state.control.needs_method(member.organization_id, plan.id).await? || plan.approval {
        return Ok(None);
    }
    let known = state.store.list_subscriptions(member.scope, Some(application), Page::FIRST_500).await?;
    let known = known
        .iter()
        .find(|row| row.product_id == plan.product_id && row.state == SubscriptionState::Active)
        .map(|row| row.id);
    let free = state.store.find_gratis_plan(plan.product_id).await?.map(|free| free.id);
    let subscription = match (known, free) {
        (Some(id), _) => Some(id),
        (None, Some(plan_id)) => {
            let input = SubscriptionInput { application_id: application, plan_id };
            Some(state.control.subscribe(&member.actor, input).await?.id)
        }
        (None, None) => None,
    };
    let input = subscription.map_or(CheckoutInput::Method, |id| CheckoutInput::Plan(id, plan.id));
    Ok(Some(to_page(state, member, input).await?))
}

/// As [`before_plan`], for a subscription that moves.
pub async fn before_move(
    state: &PortalState,
    member: &Member,
    subscription: SubscriptionId,
    plan: PlanId,
) -> Result<Option<Response>, Fault> {
    if !state.control.needs_method(member.organization_id, plan).await? {
        return Ok(None);
    }
    Ok(Some(to_page(state, member, CheckoutInput::Plan(subscription, plan)).await?))
}
