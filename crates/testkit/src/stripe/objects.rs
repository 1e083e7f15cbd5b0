//! What the double does when it is asked, and what it shows.

use serde_json::{Value, json};

use super::form::Form;
use super::{Desk, refusal};

type Answer = (u16, Value);

fn missing(id: &str) -> Answer {
    refusal(404, "invalid_request_error", &format!("No such object: '{id}'"))
}

fn refused(message: &str) -> Answer {
    refusal(400, "invalid_request_error", message)
}

impl Desk {
    /// A POST: `path` is what follows `/v1/`.
    pub(super) fn change(&mut self, path: &str, form: &Form) -> Answer {
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["customers"] => self.add_customer(form),
            ["customers", id] => self.change_customer(id, form),
            ["customers", id, "tax_ids"] => self.add_tax_id(id, form),
            ["checkout", "sessions"] => self.open_page(form),
            ["billing_portal", "sessions"] => {
                let url = format!("{}/account/{}", self.url, form.text("customer"));
                let id = self.id("bps");
                (
                    200,
                    self.keep(json!({ "id": id, "object": "billing_portal.session", "url": url,
                    "return_url": form.text("return_url"), "customer": form.text("customer") })),
                )
            }
            ["payment_methods", card, "attach"] => self.attach(card, form),
            ["invoices"] => self.add_invoice(form),
            ["invoiceitems"] => self.add_item(form),
            ["invoices", id, "finalize"] => self.finalize(id, form),
            ["invoices", id, "pay"] => self.pay(id, form),
            ["invoices", id, "void"] => self.void(id),
            ["credit_notes"] => self.credit(form),
            ["refunds"] => self.refund(form),
            _ => refusal(404, "invalid_request_error", "Unrecognized request URL"),
        }
    }

    /// A GET.
    pub(super) fn read(&self, path: &str, form: &Form) -> Answer {
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["customers", "search"] => {
                let query = form.text("query");
                let found = self.list("customer", |one| {
                    let metadata = one["metadata"].as_object();
                    metadata.is_some_and(|all| {
                        all.iter().any(|(name, value)| {
                            query == format!("metadata['{name}']:'{}'", value.as_str().unwrap_or_default())
                        })
                    })
                });
                (200, json!({ "object": "search_result", "data": found, "has_more": false }))
            }
            ["invoices"] => self.page_of("invoice", form, |one| {
                (!form.has("customer") || one["customer"] == form.text("customer"))
                    && one["created"].as_i64().unwrap_or(0) >= form.number("created[gte]")
            }),
            ["refunds"] => {
                self.page_of("refund", form, |one| one["payment_intent"] == form.text("payment_intent"))
            }
            ["customers" | "invoices" | "refunds", id] | ["checkout", "sessions", id] => self
                .objects
                .get(id)
                .map_or_else(|| missing(id), |one| (200, self.expanded(one.clone(), form))),
            _ => refusal(404, "invalid_request_error", "Unrecognized request URL"),
        }
    }

    /// Newest first, a hundred at most.
    fn page_of(&self, kind: &str, form: &Form, wanted: impl Fn(&Value) -> bool) -> Answer {
        let mut found = self.list(kind, wanted);
        found.reverse();
        let after = form.text("starting_after");
        let from = found.iter().position(|one| one["id"] == after).map_or(0, |at| at + 1);
        let page: Vec<Value> = found.into_iter().skip(from).take(100).collect();
        (200, json!({ "object": "list", "data": page, "has_more": page.len() == 100 }))
    }

    fn expanded(&self, mut object: Value, form: &Form) -> Value {
        let methods = [
            ("invoice_settings.default_payment_method", "/invoice_settings/default_payment_method"),
            ("setup_intent.payment_method", "/setup_intent/payment_method"),
        ];
        if form.expands("setup_intent.payment_method")
            && let Some(intent) = object["setup_intent"].as_str().and_then(|id| self.objects.get(id))
        {
            object["setup_intent"] = intent.clone();
        }
        for (path, pointer) in methods {
            let id = object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            if let Some(method) = id.and_then(|id| self.objects.get(&id))
                && form.expands(path)
                && let Some(place) = object.pointer_mut(pointer)
            {
                *place = method.clone();
            }
        }
        if object["object"] == "invoice" && !form.expands("payments") {
            object["payments"] = Value::Null;
        }
        object
    }

    fn add_customer(&mut self, form: &Form) -> Answer {
        let customer = json!({
            "id": self.id("cus"), "object": "customer", "name": form.text("name"), "email": form.text("email"),
            "metadata": form.metadata(), "created": self.now().timestamp(), "livemode": false,
            "invoice_settings": { "default_payment_method": null },
        });
        self.tell("customer.created", &customer);
        (200, self.keep(customer))
    }

    fn change_customer(&mut self, id: &str, form: &Form) -> Answer {
        let Some(mut customer) = self.objects.get(id).cloned() else { return missing(id) };
        let method = form.text("invoice_settings[default_payment_method]");
        if !method.is_empty() {
            if self.objects.get(method).is_none_or(|known| known["customer"] != id) {
                return refused("The payment method must be attached to the customer.");
            }
            customer["invoice_settings"]["default_payment_method"] = method.into();
        }
        self.tell("customer.updated", &customer);
        (200, self.keep(customer))
    }

    /// Gives a customer one of the cards that Stripe has for tests: one that pays, or one that is declined when it is charged.
    fn attach(&mut self, card: &str, form: &Form) -> Answer {
        let customer = form.text("customer");
        if !self.objects.contains_key(customer) {
            return missing(customer);
        }
        let last4 = match card {
            "pm_card_visa" => "4242",
            "pm_card_chargeCustomerFail" => "0341",
            _ => return missing(card),
        };
        let method = self.card(customer, last4);
        (200, method)
    }

    /// A card of a customer's.
    pub(super) fn card(&mut self, customer: &str, last4: &str) -> Value {
        let method = json!({ "id": self.id("pm"), "object": "payment_method", "customer": customer, "type": "card",
            "card": { "brand": "visa", "last4": last4, "exp_month": 12, "exp_year": 2030 } });
        self.keep(method)
    }

    fn add_tax_id(&mut self, customer: &str, form: &Form) -> Answer {
        let (kind, value) = (form.text("type"), form.text("value"));
        if kind == "eu_vat" && !value.starts_with(|first: char| first.is_ascii_uppercase()) {
            return refused("Invalid value for eu_vat.");
        }
        let id = self.id("txi");
        (
            200,
            self.keep(
                json!({ "id": id, "object": "tax_id", "customer": customer, "type": kind, "value": value }),
            ),
        )
    }

    fn open_page(&mut self, form: &Form) -> Answer {
        let (mode, customer) = (form.text("mode"), form.text("customer"));
        if !self.objects.contains_key(customer) {
            return missing(customer);
        }
        let id = self.id("cs");
        let priced = "line_items[0][price_data]";
        let sum = form.number(&format!("{priced}[unit_amount]"));
        let currency = match mode {
            "payment" => form.text(&format!("{priced}[currency]")),
            _ => form.text("currency"),
        };
        if currency.is_empty() || (mode == "payment" && sum <= 0) {
            return refused("Missing required param: currency or unit_amount.");
        }
        let page = json!({
            "id": id, "object": "checkout.session", "mode": mode, "customer": customer, "status": "open",
            "payment_status": if mode == "payment" { "unpaid" } else { "no_payment_required" },
            "currency": currency, "amount_total": sum, "url": format!("{}/pages/{id}", self.url),
            "success_url": form.text("success_url"), "cancel_url": form.text("cancel_url"),
            "title": form.text(&format!("{priced}[product_data][name]")),
            "client_reference_id": form.text("client_reference_id"), "metadata": form.metadata(),
            "payment_intent": null, "setup_intent": null, "created": self.now().timestamp(),
        });
        (200, self.keep(page))
    }

    fn add_invoice(&mut self, form: &Form) -> Answer {
        let customer = form.text("customer");
        if !self.objects.contains_key(customer) {
            return missing(customer);
        }
        let number = form.text("number");
        if !self.list("invoice", |one| one["number"] == number && !number.is_empty()).is_empty() {
            return refused("An invoice with this number exists already.");
        }
        let id = self.id("in");
        let invoice = json!({
            "id": id, "object": "invoice", "customer": customer, "currency": form.text("currency"),
            "status": "draft", "number": number, "metadata": form.metadata(), "total": 0, "amount_paid": 0,
            "total_excluding_tax": 0, "attempt_count": 0, "attempted": false,
            "collection_method": form.text("collection_method"),
            "automatic_tax": { "enabled": form.is_true("automatic_tax[enabled]") },
            "hosted_invoice_url": null, "created": self.now().timestamp(),
            "payments": { "object": "list", "data": [] }, "credited": 0,
        });
        self.tell("invoice.created", &invoice);
        (200, self.keep(invoice))
    }

    fn add_item(&mut self, form: &Form) -> Answer {
        let id = form.text("invoice").to_owned();
        let Some(mut invoice) = self.objects.get(&id).cloned() else { return missing(&id) };
        if invoice["status"] != "draft" {
            return refused("The invoice is not a draft.");
        }
        if invoice["currency"] != form.text("currency") {
            return refused("The currency is not the invoice's.");
        }
        let sum = invoice["total"].as_i64().unwrap_or(0) + form.number("amount");
        invoice["total"] = sum.into();
        invoice["total_excluding_tax"] = sum.into();
        self.keep(invoice);
        let item = json!({ "id": self.id("ii"), "object": "invoiceitem", "invoice": id,
            "amount": form.number("amount"), "description": form.text("description") });
        (200, self.keep(item))
    }

    fn finalize(&mut self, id: &str, form: &Form) -> Answer {
        let Some(mut invoice) = self.objects.get(id).cloned() else { return missing(id) };
        if invoice["status"] != "draft" {
            return refused("This invoice is already finalized.");
        }
        invoice["status"] = "open".into();
        invoice["hosted_invoice_url"] =
            format!("{}/account/{}", self.url, invoice["customer"].as_str().unwrap_or("")).into();
        if self.taxed && invoice["automatic_tax"]["enabled"] == true {
            let net = invoice["total"].as_i64().unwrap_or(0);
            invoice["total"] = (net + net / 5).into();
        }
        self.tell("invoice.finalized", &invoice);
        self.keep(invoice.clone());
        (200, self.expanded(invoice, form))
    }

    fn pay(&mut self, id: &str, form: &Form) -> Answer {
        let Some(mut invoice) = self.objects.get(id).cloned() else { return missing(id) };
        if invoice["status"] != "open" {
            return refused("Invoice is already paid");
        }
        let due = invoice["total"].as_i64().unwrap_or(0) - invoice["credited"].as_i64().unwrap_or(0);
        if form.is_true("paid_out_of_band") {
            invoice["status"] = "paid".into();
            self.tell("invoice.paid", &invoice);
            return (200, self.keep(invoice));
        }
        let customer = invoice["customer"].as_str().unwrap_or_default().to_owned();
        let method = self.objects[&customer]["invoice_settings"]["default_payment_method"].clone();
        let Some(method) = method.as_str().and_then(|id| self.objects.get(id)).cloned() else {
            return refused("This customer has no attached payment source or default payment method.");
        };
        invoice["attempted"] = true.into();
        invoice["attempt_count"] = (invoice["attempt_count"].as_i64().unwrap_or(0) + 1).into();
        if method["card"]["last4"] == "0341" {
            self.tell("invoice.payment_failed", &invoice);
            self.keep(invoice);
            return refusal(402, "card_error", "Your card was declined.");
        }
        let intent = self.intent(&customer, due, invoice["currency"].as_str().unwrap_or_default());
        invoice["status"] = "paid".into();
        invoice["amount_paid"] = due.into();
        invoice["payments"]["data"] =
            json!([{ "status": "paid", "payment": { "type": "payment_intent", "payment_intent": intent } }]);
        self.tell("invoice.paid", &invoice);
        self.keep(invoice.clone());
        (200, self.expanded(invoice, form))
    }

    /// Money comes in; returns what the payment is called.
    pub(super) fn intent(&mut self, customer: &str, sum: i64, currency: &str) -> String {
        let id = self.id("pi");
        let intent = json!({ "id": id, "object": "payment_intent", "customer": customer, "amount": sum,
            "currency": currency, "status": "succeeded", "refunded": 0 });
        self.tell("payment_intent.succeeded", &intent);
        self.keep(intent);
        id
    }

    fn void(&mut self, id: &str) -> Answer {
        let Some(mut invoice) = self.objects.get(id).cloned() else { return missing(id) };
        if invoice["status"] != "open" {
            return refused("You can only void an open invoice.");
        }
        invoice["status"] = "void".into();
        self.tell("invoice.voided", &invoice);
        (200, self.keep(invoice))
    }

    fn credit(&mut self, form: &Form) -> Answer {
        let id = form.text("invoice").to_owned();
        let Some(mut invoice) = self.objects.get(&id).cloned() else { return missing(&id) };
        let credited = invoice["credited"].as_i64().unwrap_or(0) + form.number("amount");
        let total = invoice["total"].as_i64().unwrap_or(0);
        if invoice["status"] != "open" || credited > total {
            return refused("The credit note is more than what is left of the invoice.");
        }
        invoice["credited"] = credited.into();
        if credited == total {
            invoice["status"] = "paid".into();
        }
        self.keep(invoice);
        let note = json!({ "id": self.id("cn"), "object": "credit_note", "invoice": id,
            "amount": form.number("amount"), "memo": form.text("memo") });
        self.tell("credit_note.created", &note);
        (200, self.keep(note))
    }

    fn refund(&mut self, form: &Form) -> Answer {
        let id = form.text("payment_intent").to_owned();
        let Some(mut intent) = self.objects.get(&id).cloned() else { return missing(&id) };
        let refunded = intent["refunded"].as_i64().unwrap_or(0) + form.number("amount");
        if refunded > intent["amount"].as_i64().unwrap_or(0) {
            return refused("The refund is greater than the charge.");
        }
        intent["refunded"] = refunded.into();
        self.keep(intent);
        let refund = json!({ "id": self.id("re"), "object": "refund", "payment_intent": id,
            "amount": form.number("amount"), "status": "succeeded", "metadata": form.metadata() });
        self.tell("refund.created", &refund);
        (200, self.keep(refund))
    }
}
