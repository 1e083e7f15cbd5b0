//! One call: what was asked, how it ended, why, and what to do.

use askama::Template;
use axum::extract::{Path, State};
use tollgate_domain::{ApplicationId, CredentialId};
use tollgate_store::RequestRow;

use super::why::{Why, explain};
use crate::error::{Answer, Fault};
use crate::say::{language, say, t};
use crate::session::{Member, Visit};
use crate::shell::{Area, Shell};
use crate::show::{self, Label, Moment};
use crate::{PortalState, filters};

#[derive(Template)]
#[template(path = "requests/show.html")]
pub struct View {
    pub shell: Shell,
    pub request_id: String,
    pub method: String,
    pub path: String,
    pub status: Label,
    pub at: Moment,
    pub exactly: String,
    pub why: Option<Why>,
    pub problem_href: Option<String>,
    pub code: String,
    /// Names and what they are, as far as they are known.
    pub facts: Vec<(&'static str, String)>,
    /// Its key: where it is, and how it is called.
    pub key: Option<(String, String)>,
    /// Where it can be made again.
    pub again_href: Option<String>,
}

/// `GET /requests/{request_id}`
pub async fn get(State(state): State<PortalState>, visit: Visit, Path(request_id): Path<String>) -> Answer {
    let member = visit.member()?;
    let row = state.store.find_requests(member.scope, &request_id).await?.into_iter().next();
    let row = row.ok_or_else(Fault::not_found)?;
    let key = key(&state, &member, &row).await?;
    let mut view = View::of(&row, visit.shell(Area::Developer, t("requests-request")).await?, visit.now);
    view.key = key;
    view.again_href = super::again::href(&state, &visit, &row).await?;
    visit.page(&view)
}

async fn key(
    state: &PortalState,
    member: &Member,
    row: &RequestRow,
) -> Result<Option<(String, String)>, Fault> {
    let (Some(application), Some(credential)) = (row.application_id, row.credential_id) else {
        return Ok(None);
    };
    let (application, credential) = (ApplicationId::from(application), CredentialId::from(credential));
    let row = state.store.get_credential(member.scope, credential).await?;
    Ok(Some((format!("/applications/{application}/keys/{credential}"), row.name)))
}

impl View {
    fn of(row: &RequestRow, shell: Shell, now: chrono::DateTime<chrono::Utc>) -> Self {
        let bytes = |count| say("requests-bytes").with("bytes", show::number(count)).to_string();
        let optional = [
            (t("requests-host"), row.host.clone()),
            (t("requests-from"), row.client.clone()),
            (t("requests-client"), row.user_agent.clone()),
            (t("requests-took"), Some(show::duration(row.duration_us))),
            (t("requests-service-took"), row.upstream_us.map(show::duration)),
            (t("requests-sent"), Some(bytes(row.bytes_in))),
            (t("requests-received"), Some(bytes(row.bytes_out))),
        ];
        Self {
            shell,
            request_id: row.request_id.clone(),
            method: row.method.clone().unwrap_or_else(|| "–".into()),
            path: row.path.clone().unwrap_or_else(|| t("requests-unreadable").into()),
            status: Label::status(u16::try_from(row.status).unwrap_or(0)),
            at: Moment::of(row.at, now),
            exactly: format!(
                "{}, {}",
                tollgate_language::day(language(), &row.at),
                row.at.format("%H:%M:%S%.3f UTC")
            ),
            why: explain(row),
            problem_href: row.code.as_deref().map(|code| format!("/problems/{code}")),
            code: row.code.clone().unwrap_or_default(),
            facts: optional
                .into_iter()
                .filter_map(|(name, value)| value.map(|value| (name, value)))
                .collect(),
            key: None,
            again_href: None,
        }
    }
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let now = crate::pages::SAMPLE_NOW.parse().expect("an instant");
        let shell =
            || Shell::sample(Area::Developer, "Request", "/requests/01936f0e-7a1c-7b52-9f0e-2c1d3b4a5e6f");
        let detail =
            serde_json::json!({ "limit": "burst", "amount": 10, "per": "second", "retry_after_s": 1 });
        let mut refused =
            Self::of(&super::why::sample(429, Some("rate_limited"), Some(detail)), shell(), now);
        refused.key = Some((
            "/applications/app_01h455vb4pex5vsknk084sn02q/keys/key_01h455vb4pex5vsknk084sn02q".into(),
            "Nightly import".into(),
        ));
        refused.again_href =
            Some("/products/countries/apis/countries/operations/op1/try?in.path.code=se".into());
        vec![refused, Self::of(&super::why::sample(200, None, None), shell(), now)]
    }
}
