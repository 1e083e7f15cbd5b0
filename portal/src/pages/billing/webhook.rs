//! Where the payment provider tells us what happened. No session, no form: its signature says who it is.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use chrono::Utc;
use tollgate_control::Received;
use tollgate_web::Problem;

use crate::PortalState;
use crate::error::Answer;

/// The largest message.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// `POST /payments/events`: taken once it is kept; the work follows. What is not the provider's is a 400, and what cannot
/// be kept a 503, after which the provider sends it again.
pub async fn post(State(state): State<PortalState>, headers: HeaderMap, body: Bytes) -> Answer {
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    let said = match state.control.receive_event(signature, &body, Utc::now()).await? {
        Received::Taken => "taken",
        Received::Again => "taken before",
        Received::Ignored => "ignored",
        Received::Foreign => "not of this account",
        Received::Refused(why) => {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "message_refused", "This message was refused")
                .detail(format!("Nothing was kept: {why}."))
                .into());
        }
    };
    Ok((StatusCode::OK, said).into_response())
}
