//! The pages that a browser is sent to: pay, leave a card, look after cards.

use axum::extract::{Path, RawForm, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde_json::{Value, json};

use super::form::Form;
use super::{Desk, Shared, events, locked};

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object[field].as_str().unwrap_or_default()
}

/// `GET /pages/{id}`
pub async fn show(State(desk): State<Shared>, Path(id): Path<String>) -> Response {
    let desk = locked(&desk);
    let Some(page) = desk.objects.get(&id) else { return StatusCode::NOT_FOUND.into_response() };
    let what = match text(page, "mode") {
        "payment" => format!(
            "{}: {} {} (in minor units)",
            escaped(text(page, "title")),
            page["amount_total"],
            text(page, "currency").to_uppercase()
        ),
        _ => "Leave a card for later".to_owned(),
    };
    Html(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Checkout (double)</title></head>\
         <body><h1>Checkout (double)</h1><p>{what}</p><form method=\"post\">\
         <button name=\"card\" value=\"4242\">Card that pays</button>\
         <button name=\"card\" value=\"0341\">Card that is declined later</button></form>\
         <p><a href=\"{}\">Go back without paying</a></p></body></html>",
        escaped(text(page, "cancel_url"))
    ))
    .into_response()
}

/// `POST /pages/{id}`
pub async fn click(State(desk): State<Shared>, Path(id): Path<String>, RawForm(form): RawForm) -> Response {
    let form = Form::read(&String::from_utf8_lossy(&form));
    finish(&desk, &id, form.text("card")).await;
    let back = locked(&desk).objects.get(&id).map(|page| text(page, "success_url").to_owned());
    back.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |back| Redirect::to(&back).into_response())
}

/// `GET /account/{customer}`
pub async fn account(State(desk): State<Shared>, Path(customer): Path<String>) -> Response {
    let desk = locked(&desk);
    let last = desk.list("billing_portal.session", |one| one["customer"] == customer.as_str()).pop();
    let back = last.map_or_else(String::new, |last| escaped(text(&last, "return_url")));
    Html(format!(
        "<!doctype html><html lang=\"en\"><title>Cards (double)</title><a href=\"{back}\">Back</a></html>"
    ))
    .into_response()
}

/// Somebody finishes a page with a card. One that is finished stays as it is.
pub async fn finish(desk: &Shared, id: &str, card: &str) {
    locked(desk).finish(id, card);
    events::deliver(desk).await;
}

impl Desk {
    fn finish(&mut self, id: &str, card: &str) {
        let Some(mut page) = self.objects.get(id).filter(|page| page["status"] == "open").cloned() else {
            return;
        };
        let customer = text(&page, "customer").to_owned();
        if text(&page, "mode") == "payment" {
            if card == "0341" {
                // It says so to whoever sits there; the page stays open.
                return;
            }
            let sum = page["amount_total"].as_i64().unwrap_or(0);
            page["payment_intent"] = self.intent(&customer, sum, text(&page, "currency")).into();
            page["payment_status"] = "paid".into();
        } else {
            let method = self.card(&customer, card);
            let intent =
                json!({ "id": self.id("seti"), "object": "setup_intent", "payment_method": method["id"] });
            page["setup_intent"] = self.keep(intent)["id"].clone();
        }
        page["status"] = "complete".into();
        self.tell("checkout.session.completed", &page);
        self.keep(page);
    }
}
