//! What a command line asks when it signs in (RFC 8628 §3.1 to §3.5): codes first, then a key.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use tollgate_control::{DEVICE_INTERVAL_SECONDS, DEVICE_SECONDS, DeviceAnswer, Error};

use crate::PortalState;
use crate::error::Answer;
use crate::session::{Visit, unkept};

/// The only client: `tollgate login`.
const CLIENT: &str = "tollgate-cli";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What a command line sends.
#[derive(Debug, Deserialize)]
pub struct Asked {
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    device_code: String,
}

/// `POST /device/authorize`
pub async fn authorize(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(asked): axum::Form<Asked>,
) -> Answer {
    if asked.client_id != CLIENT {
        return Ok(refused("invalid_client", "this portal knows the client tollgate-cli alone"));
    }
    let codes = match state.control.begin_device(visit.address).await {
        Err(Error::TooManyTries(_)) => {
            return Ok(refused("slow_down", "too many sign-ins were begun from this address; wait an hour"));
        }
        codes => codes?,
    };
    let page = format!("{}/device", state.settings.portal_url);
    let answer = Json(json!({
        "device_code": codes.device_code.reveal(),
        "user_code": codes.user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={}", codes.user_code),
        "expires_in": DEVICE_SECONDS,
        "interval": DEVICE_INTERVAL_SECONDS,
    }));
    Ok(unkept(answer.into_response()))
}

/// `POST /device/token`
pub async fn token(State(state): State<PortalState>, axum::Form(asked): axum::Form<Asked>) -> Answer {
    if asked.client_id != CLIENT {
        return Ok(refused("invalid_client", "this portal knows the client tollgate-cli alone"));
    }
    if asked.grant_type != GRANT {
        return Ok(refused("unsupported_grant_type", GRANT));
    }
    let (code, text) = match state.control.poll_device(&asked.device_code).await {
        Ok(DeviceAnswer::Allowed(key)) => {
            // The header that the key is sent in stands where others name a scheme.
            let answer = json!({
                "access_token": key.secret.reveal(),
                "token_type": "X-API-Key",
                "key_id": key.id,
                "environment": "test",
            });
            return Ok(unkept(Json(answer).into_response()));
        }
        Ok(DeviceAnswer::Waiting) => ("authorization_pending", "nobody has decided yet".to_owned()),
        Ok(DeviceAnswer::TooSoon) => {
            ("slow_down", format!("wait {DEVICE_INTERVAL_SECONDS} s between questions"))
        }
        Ok(DeviceAnswer::Denied) => ("access_denied", "it was turned away in the portal".to_owned()),
        Ok(DeviceAnswer::Over) => ("expired_token", "the code has ended or was used; begin again".to_owned()),
        Err(Error::Conflict(text)) => ("access_denied", text),
        Err(Error::Forbidden) => ("access_denied", "who let it in may not make keys any more".to_owned()),
        Err(error) => return Err(error.into()),
    };
    Ok(refused(code, &text))
}

/// RFC 6749 §5.2.
fn refused(error: &str, description: &str) -> Response {
    let body = Json(json!({ "error": error, "error_description": description }));
    unkept((StatusCode::BAD_REQUEST, body).into_response())
}
