//! Signing out.

use crate::error::Answer;
use crate::session::Visit;

/// `POST /signout`
pub async fn post(visit: Visit) -> Answer {
    visit.sign_out().await?;
    visit.go("/", None).await
}
