//! What another plan, or the end, comes to: shown before anybody confirms it.

use axum::extract::{Path, State};
use tollgate_control::{Move, MovePreview, When};
use tollgate_domain::Amount;

use super::{Place, overview};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::{Form, sentence};
use crate::parts::{Asked, Cell, FormPart, List, Notice, Sent};
use crate::say::{say, t, translated};
use crate::session::Visit;
use crate::show::{self, Moment};

/// What is asked for by `plan` and `when`: the move, its time, and what the plan is called.
pub(super) async fn wanted(
    state: &PortalState,
    place: &Place,
    plan: &str,
    when: &str,
) -> Result<(Move, When, String), Fault> {
    let (to, name) = if plan.is_empty() {
        (Move::End, String::new())
    } else {
        let plans = place.others(state).await?;
        let plan = plans.into_iter().find(|one| one.slug.as_str() == plan).ok_or_else(Fault::not_found)?;
        (Move::To(plan.id), plan.name)
    };
    let when = match when {
        "now" => When::Now,
        "period_end" => When::PeriodEnd,
        _ => state.control.usual_time(&place.row, to).await?,
    };
    Ok((to, when, name))
}

/// `GET /subscriptions/{id}/change`: what a move to `plan` comes to; without one, the plans there are.
pub async fn change(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let place = Place::of(&state, &visit, &asked, &id).await?;
    if asked.get("plan").is_empty() {
        return overview(&state, &visit, &place).await?.answer(&visit, &asked);
    }
    preview(&state, &visit, &place, asked.get("plan"), asked.get("when")).await
}

/// `POST /subscriptions/{id}/cancel`: what the end comes to.
pub async fn cancel(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
    sent: Sent,
) -> Answer {
    let place = Place::of(&state, &visit, &asked, &id).await?;
    preview(&state, &visit, &place, "", &sent.get("when")).await
}

async fn preview(state: &PortalState, visit: &Visit, place: &Place, plan: &str, when: &str) -> Answer {
    if !place.may_move() {
        return Err(Fault::forbidden());
    }
    let (to, when, name) = wanted(state, place, plan, when).await?;
    let told = state.control.preview_move(&place.actor, place.row.id, to, when, visit.now).await?;
    let later = when == When::PeriodEnd;
    let title = if name.is_empty() {
        t("own-cancel-title").to_owned()
    } else {
        say("own-move-title").with("plan", &name).into()
    };
    let at = Moment::day(told.at).text;
    let (tone, notice, text) = match (to, later) {
        (Move::To(_), false) => ("info", t("own-moves-now").to_owned(), t("own-moves-now-text").to_owned()),
        (Move::To(_), true) => {
            ("info", say("own-moves").with("at", at).into(), t("own-until-then").to_owned())
        }
        (Move::End, false) => ("bad", t("own-ends-now").to_owned(), t("own-ends-now-text").to_owned()),
        (Move::End, true) => {
            ("warn", say("own-ends").with("at", at).into(), t("own-ends-later-text").to_owned())
        }
    };
    let broken = told.over_cap.as_ref().map(|why| {
        Notice::new("bad", t("own-breaks-cap"), sentence(&translated(why)))
            .with(format!("{}/cap", place.base), t("own-cap"))
    });
    let exhausted = told.exhausts().then(|| {
        Notice::new(
            "bad",
            t("own-refused"),
            say("own-refused-text")
                .with("used", show::number(i64::try_from(told.used).unwrap_or(i64::MAX)))
                .with(
                    "quota",
                    show::number(i64::try_from(told.quota_after.unwrap_or_default()).unwrap_or(i64::MAX)),
                ),
        )
    });
    let button = match (to, later) {
        (Move::To(_), false) => t("own-move-now"),
        (Move::To(_), true) => t("own-move-later"),
        (Move::End, false) => t("own-end-now"),
        (Move::End, true) => t("own-end-later"),
    };
    let when_word = if later { "period_end" } else { "now" };
    let confirm = FormPart::new("confirm-form", &Form::default(), Vec::new(), button)
        .to(format!("{}/change", place.base))
        .with("plan", plan)
        .with("when", when_word)
        .with("version", place.row.version.to_string())
        .toned(if to == Move::End { "danger" } else { "primary" })
        .or_back(&place.plans);
    let sheet = place
        .sheet(visit, title)
        .await?
        .narrow()
        .part(Notice::new(tone, notice, text))
        .maybe(broken)
        .maybe(exhausted)
        .part(lines(&told))
        .part(confirm)
        .maybe(other_time(place, plan, later));
    visit.page(&sheet)
}

/// The same at another time, where that can be chosen.
fn other_time(place: &Place, plan: &str, later: bool) -> Option<FormPart> {
    let part = |action: String, button: &str, when: &'static str| {
        FormPart::new("other-time-form", &Form::default(), Vec::new(), button)
            .to(action)
            .with("when", when)
            .toned("")
    };
    let cancel = format!("{}/cancel", place.base);
    match (plan.is_empty(), later) {
        (true, true) => Some(part(cancel, t("own-see-now"), "now")),
        (true, false) => Some(part(cancel, t("own-see-later"), "period_end")),
        _ => None,
    }
}

/// What is due now, and what will be. It is neither good nor bad: it is not tinted.
fn lines(told: &MovePreview) -> List {
    let sum = |amounts: &[Amount]| {
        let said: Vec<String> = amounts.iter().map(show::money).collect();
        if said.is_empty() { t("own-nothing").to_owned() } else { said.join(" + ") }
    };
    let changed = |name: &str, before: String, after: String| {
        vec![Cell::Text(name.to_owned()), Cell::Number(before), Cell::Number(after)]
    };
    let mut lines = vec![
        changed(t("own-this-month"), sum(&told.this_month_before), sum(&told.this_month_after)),
        changed(
            t("own-every-month"),
            show::money(told.base_before),
            told.base_after.map_or_else(|| t("own-nothing").to_owned(), show::money),
        ),
    ];
    if let Some(setup) = told.setup {
        let when = if told.trial_ends.is_some() { t("own-after-trial") } else { t("own-once") };
        lines.push(changed(
            t("own-setup"),
            t("own-nothing").to_owned(),
            format!("{}, {when}", show::money(setup)),
        ));
    }
    if let Some(ends) = told.trial_ends {
        lines.push(changed(
            t("own-tried"),
            t("own-none").to_owned(),
            say("own-until").with("at", show::day(ends)).into(),
        ));
    }
    List::new("comes-to", t("own-comes-to"))
        .column(t("billing-what"))
        .numbers(t("own-before"))
        .numbers(t("own-after"))
        .rows(lines)
}
