//! What a webhook was told, how that went, and the same once more.

use axum::extract::{Path, State};
use tollgate_domain::EventId;
use tollgate_store::{AttemptRow, DeliveryRow};

use super::Place;
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::parts::sheet::fact;
use crate::parts::{Action, Asked, Cell, List, Section};
use crate::say::{say, t, translated};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show::{self, Label, Moment};

/// Deliveries of one page.
const ROWS: i64 = 50;

fn label(row: &DeliveryRow) -> Label {
    match row.state.as_str() {
        "delivered" => Label::new("ok", t("webhook-arrived")),
        "dead" => Label::new("bad", t("webhook-given-up")),
        _ if row.attempts == 0 => Label::new("info", t("webhook-on-its-way")),
        _ => Label::new("warn", t("webhook-tried-again")),
    }
}

fn last(row: &DeliveryRow) -> Cell {
    match (&row.error, row.status) {
        (Some(error), _) => Cell::Text(translated(error).into_owned()),
        (None, Some(status)) => Cell::Text(say("webhook-answered").with("status", status).into()),
        (None, None) => Cell::Nothing(t("webhook-not-sent")),
    }
}

/// `GET /webhooks/{id}` and the same below `/admin`
pub async fn get(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let place = Place::of(&visit, &asked)?;
    let webhook = place.find(&state, &id).await?;
    let path = place.path(webhook.id);
    let wanted = Some(asked.get("state")).filter(|state| ["pending", "delivered", "dead"].contains(state));
    let before = asked.read::<EventId>("before").map(EventId::uuid);
    let mut rows = state.store.list_deliveries(place.scope, webhook.id, wanted, before, ROWS + 1).await?;
    let more = i64::try_from(rows.len()).is_ok_and(|count| count > ROWS);
    rows.truncate(usize::try_from(ROWS).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| more).map(|row| asked.with(&[("before", &row.event.id.to_string())]));
    let any_dead = rows.iter().any(|row| row.state == "dead");
    let states = [
        ("pending", t("webhook-on-their-way")),
        ("delivered", t("webhook-arrived")),
        ("dead", t("webhook-given-up")),
    ];
    let mut list = List::new("deliveries", t("webhook-deliveries"))
        .filtered(&asked, "state", t("status-state"), t("webhook-any-state"), states)
        .column(t("webhook-event"))
        .column(t("status-state"))
        .column(t("webhook-last-attempt"))
        .numbers(t("webhook-attempts"))
        .numbers(t("webhook-happened"))
        .or_empty("bell", t("webhook-nothing"), t("webhook-nothing-text"))
        .rows(rows.into_iter().map(|row| {
            vec![
                Cell::link(format!("{path}/deliveries/{}", row.event.id), row.event.kind.clone()),
                Cell::Label(label(&row)),
                last(&row),
                Cell::number(row.attempts),
                Cell::When(Moment::of(row.event.created_at, visit.now)),
            ]
        }));
    list.next = next;
    place
        .frame(&visit, &webhook)
        .await?
        .action(
            place.may_write && webhook.is_active() && any_dead,
            Action::post(format!("{path}/replay"), "rotate-ccw", t("webhook-anew-all"), Vec::new()),
        )
        .part(list)
        .part(Section::Text(t("webhook-kept").into()))
        .answer(&visit, &asked)
}

fn attempts(rows: &[AttemptRow], visit: &Visit) -> List {
    List::new("attempts", t("webhook-attempts"))
        .column(t("ui-answer"))
        .column(t("webhook-beginning"))
        .numbers(t("requests-took"))
        .numbers(t("webhook-at"))
        .or_empty("bell", t("webhook-unsent"), t("webhook-unsent-text"))
        .rows(rows.iter().map(|row| {
            let answer = match (&row.error, row.status) {
                (Some(error), _) => translated(error).into_owned(),
                (None, status) => say("webhook-answered").with("status", status.unwrap_or_default()).into(),
            };
            let beginning: String = row.response.chars().take(200).collect();
            vec![
                Cell::Strong {
                    text: answer,
                    second: say("webhook-attempt").with("number", row.number).into(),
                },
                if beginning.is_empty() { Cell::Nothing(t("webhook-empty")) } else { Cell::Code(beginning) },
                Cell::Number(format!("{} ms", show::number(row.duration_ms.into()))),
                Cell::When(Moment::of(row.at, visit.now)),
            ]
        }))
}

/// `GET /webhooks/{id}/deliveries/{event}` and the same below `/admin`
pub async fn show(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path((id, event)): Path<(String, String)>,
) -> Answer {
    let place = Place::of(&visit, &asked)?;
    let webhook = place.find(&state, &id).await?;
    let event: EventId = event.parse().map_err(|_| Fault::not_found())?;
    let row = state.store.get_delivery(place.scope, webhook.id, event).await?;
    let log = state.store.list_attempts(webhook.id, event).await?;
    let path = place.path(webhook.id);
    let body = serde_json::json!({
        "type": row.event.kind, "timestamp": row.event.created_at, "data": row.event.data,
    });
    let body = serde_json::to_string_pretty(&body).unwrap_or_default();
    let pending = row.state == "pending";
    let mut facts = vec![
        fact(t("webhook-happened"), Cell::When(Moment::of(row.event.created_at, visit.now))),
        fact(t("webhook-sent-to"), Cell::Code(super::host_of(&webhook))),
    ];
    match row.settled_at {
        Some(at) => facts.push(fact(t("webhook-settled"), Cell::When(Moment::of(at, visit.now)))),
        None => facts.push(fact(t("webhook-sent-next"), Cell::When(Moment::of(row.run_at, visit.now)))),
    }
    place
        .sheet(&visit, row.event.kind.clone())
        .await?
        .below(place.base, t("around-webhooks"))
        .below(&path, super::host_of(&webhook))
        .labelled(label(&row))
        .identified(event)
        .action(
            place.may_write && webhook.is_active() && !pending,
            Action::post(
                format!("{path}/deliveries/{event}/replay"),
                "rotate-ccw",
                t("webhook-anew"),
                Vec::new(),
            ),
        )
        .part(Section::Facts(String::new(), facts))
        .part(attempts(&log, &visit))
        .part(Section::Code { title: t("try-body").into(), text: body })
        .answer(&visit, &asked)
}

/// `POST /webhooks/{id}/test` and the same below `/admin`
pub async fn test(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let place = Place::writing(&visit, &asked)?;
    let webhook = place.find(&state, &id).await?;
    let event = state.control.test_webhook(&place.actor, webhook.id).await?;
    let flash = Flash::done(t("webhook-test-sent"));
    visit.go(&format!("{}/deliveries/{event}", place.path(webhook.id)), Some(flash)).await
}

/// `POST /webhooks/{id}/deliveries/{event}/replay` and the same below `/admin`
pub async fn replay(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path((id, event)): Path<(String, String)>,
) -> Answer {
    let place = Place::writing(&visit, &asked)?;
    let webhook = place.find(&state, &id).await?;
    let event: EventId = event.parse().map_err(|_| Fault::not_found())?;
    state.control.replay_delivery(&place.actor, webhook.id, event).await?;
    let there = format!("{}/deliveries/{event}", place.path(webhook.id));
    visit.go(&there, Some(Flash::done(t("webhook-once-more")))).await
}

/// `POST /webhooks/{id}/replay` and the same below `/admin`
pub async fn replay_all(
    State(state): State<PortalState>,
    visit: Visit,
    asked: Asked,
    Path(id): Path<String>,
) -> Answer {
    let place = Place::writing(&visit, &asked)?;
    let webhook = place.find(&state, &id).await?;
    let count = state.control.replay_dead_deliveries(&place.actor, webhook.id, 30).await?;
    let told = say("webhook-all-once-more").count(count);
    visit.go(&place.path(webhook.id), Some(Flash::done(told))).await
}
