//! A new key that takes over from an old one, which goes on for a while.

use askama::Template;
use axum::extract::{Path, State};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tollgate_control::{Error, FieldFault, OldKeyEnds};

use super::key_create::{kept, made_before};
use super::key_revoke::key_of;
use super::shown;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::say::say;
use crate::session::{Member, Visit};
use crate::shell::{Area, Shell};
use crate::show::{self, Moment};
use crate::{PortalState, filters};

/// When the old key stops, as the form sends it, and the key of how it reads; the first is meant for nearly everybody.
const ENDS: &[(&str, &str)] = &[
    ("first-24", "rotate-first-24"),
    ("first-168", "rotate-first-168"),
    ("at-24", "rotate-at-24"),
    ("at-168", "rotate-at-168"),
    ("now", "rotate-now"),
];

#[derive(Template)]
#[template(path = "applications/key_rotate.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    pub key_name: String,
    pub shown: String,
    pub application_href: String,
    pub calls_a_day: String,
    pub last_used: Option<Moment>,
    pub ends: &'static [(&'static str, &'static str)],
    pub once: uuid::Uuid,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Typed {
    ends: String,
    once: uuid::Uuid,
}

fn old_ends(text: &str, now: DateTime<Utc>) -> Result<OldKeyEnds, Error> {
    let hours = |text: &str| text.parse::<i32>().ok().filter(|hours| [24, 168].contains(hours));
    match text.split_once('-').map(|(what, number)| (what, hours(number))) {
        Some(("first", Some(hours))) => Ok(OldKeyEnds::AfterFirstUse { hours }),
        Some(("at", Some(hours))) => Ok(OldKeyEnds::At(now + TimeDelta::hours(hours.into()))),
        None if text == "now" => Ok(OldKeyEnds::At(now)),
        _ => Err(Error::Invalid(vec![FieldFault::new("/ends", "one of the ends offered")])),
    }
}

/// `GET /applications/{id}/keys/{key}/rotate`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    Path((id, key)): Path<(String, String)>,
) -> Answer {
    let member = visit.member()?;
    visit.page(&view(&state, &visit, &member, (&id, &key), Form::default()).await?)
}

/// `POST /applications/{id}/keys/{key}/rotate`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    Path((id, key)): Path<(String, String)>,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let member = visit.member()?;
    let row = key_of(&state, member.scope, &id, &key).await?;
    let user = visit.account()?.user_id;
    if let Some(made) = made_before(&state, user, typed.once).await? {
        return visit.go(&made, None).await;
    }
    let made = match old_ends(&typed.ends, visit.now) {
        Ok(ends) => state.control.rotate_credential(&member.actor, row.id, ends).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(minted) => {
            let there = kept(&visit, row.application_id, &minted).await?;
            state.store.finish_form(user, typed.once, &there).await?;
            visit.go(&there, None).await
        }
        Err(error) => {
            state.store.release_form(user, typed.once).await?;
            let form = Form::with([("ends", typed.ends)]).refused(error)?;
            visit.refused(&view(&state, &visit, &member, (&id, &key), form).await?)
        }
    }
}

async fn view(
    state: &PortalState,
    visit: &Visit,
    member: &Member,
    (id, key): (&str, &str),
    form: Form,
) -> Result<View, Fault> {
    let row = key_of(state, member.scope, id, key).await?;
    let calls = state.store.calls_with(member.scope, row.id, visit.now - TimeDelta::days(1)).await?;
    Ok(View {
        shell: visit.shell(Area::Developer, say("rotate-title").with("key_name", &row.name)).await?,
        form,
        shown: shown(&row),
        application_href: format!("/applications/{id}"),
        calls_a_day: show::number(calls),
        last_used: row.last_used_at.map(|at| Moment::of(at, visit.now)),
        key_name: row.name,
        ends: ENDS,
        once: uuid::Uuid::now_v7(),
    })
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let path = "/applications/app_01h455vb4pex5vsknk084sn02q/keys/key_01h455vb4pex5vsknk084sn02q/rotate";
        vec![Self {
            shell: Shell::sample(Area::Developer, "Rotate Nightly import", path),
            form: Form::default(),
            key_name: "Nightly import".into(),
            shown: "tg_live_8Kd2…x9Qa".into(),
            application_href: "/applications/app_01h455vb4pex5vsknk084sn02q".into(),
            calls_a_day: "1,284".into(),
            last_used: Some(crate::pages::sample_time(-240)),
            ends: ENDS,
            once: uuid::Uuid::nil(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_that_is_offered_is_taken_and_no_other() {
        let now = Utc::now();
        for (value, _) in ENDS {
            assert!(old_ends(value, now).is_ok(), "{value}");
        }
        assert_eq!(old_ends("first-24", now).ok(), Some(OldKeyEnds::AfterFirstUse { hours: 24 }));
        for value in ["", "never", "first-", "first-0", "at--24", "at-999999999999"] {
            assert!(old_ends(value, now).is_err(), "{value}");
        }
    }
}
