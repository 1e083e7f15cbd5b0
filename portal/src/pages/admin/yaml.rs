//! What is published as YAML, as in files: read, changed, looked at as a difference, and then made so.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::{Path, State};
use serde_json::Value;
use tollgate_control::{ApplyOptions, ChangeSet, Error, Step, Verb};
use tollgate_domain::declared::State as Declared;
use tollgate_manifest::{Fault as Flaw, File, Manifest};

use super::desk::{Desk, SAVED};
use super::{api as apis, product as products, service as services};
use crate::PortalState;
use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::sheet::Changed;
use crate::parts::{Cell, Fieldset, FormPart, Input, List, Notice, Section, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Flash;
use crate::show;

/// Texts longer than this are told by their length in a difference.
const SHOWN_MAX: usize = 400;

/// What a page is about.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Service,
    Api,
    Product,
}

/// A thing, and who looks at it.
struct Place<'p> {
    state: &'p PortalState,
    visit: &'p Visit,
    desk: Desk,
    kind: Kind,
    slug: &'p str,
}

impl Place<'_> {
    fn path(&self) -> String {
        let list = match self.kind {
            Kind::Service => "/admin/services",
            Kind::Api => apis::LIST,
            Kind::Product => products::LIST,
        };
        format!("{list}/{}/yaml", self.slug)
    }

    /// The head that all pages of the thing share.
    async fn frame(&self) -> Result<Sheet, Fault> {
        let (state, visit, desk) = (self.state, self.visit, &self.desk);
        match self.kind {
            Kind::Service => {
                let row = services::find(state, self.slug).await?;
                Ok(super::desk::sheet(visit, row.name)
                    .await?
                    .below("/admin/services", "Services")
                    .below(format!("/admin/services/{}", self.slug), row.slug.as_str()))
            }
            Kind::Api => apis::frame(visit, desk, &apis::find(state, self.slug).await?).await,
            Kind::Product => products::frame(visit, desk, &products::find(state, self.slug).await?).await,
        }
    }

    /// The thing as it is published now; of a product, with its plans.
    async fn text(&self) -> Result<String, Fault> {
        let all = self.state.control.declared_rows(&self.desk.actor).await?;
        let mut only = Declared::default();
        let is_it = |slug: &tollgate_domain::Slug| slug.as_str() == self.slug;
        match self.kind {
            Kind::Service => {
                only.services = all.services.into_iter().filter(|one| is_it(&one.slug)).collect()
            }
            Kind::Api => only.apis = all.apis.into_iter().filter(|one| is_it(&one.slug)).collect(),
            Kind::Product => {
                only.products = all.products.into_iter().filter(|one| is_it(&one.slug)).collect();
                only.plans = all.plans.into_iter().filter(|one| is_it(&one.product)).collect();
            }
        }
        Ok(tollgate_manifest::stream(&only))
    }

    fn editor(&self, form: &Form) -> FormPart {
        let text = Input::code(form, "text", "YAML", 28).hint(
            "As in files. Without a document, the one in force stays; another slug makes another thing.",
        );
        FormPart::new("yaml-form", form, vec![Fieldset::new("", vec![text])], "See what changes")
            .to(self.path())
    }

    async fn get(&self) -> Answer {
        let sheet = self.frame().await?;
        let text = self.text().await?;
        if !self.desk.may_write {
            let title = "As it is published".to_owned();
            return self.visit.page(&sheet.part(Section::Code { title, text }));
        }
        self.visit.page(&sheet.part(self.editor(&Form::with([("text", text)]))))
    }

    /// Shows what a text would change, or, where that was seen, changes it.
    async fn post(&self, sent: &Sent) -> Answer {
        // Browsers send lines as mails do.
        let text = sent.get("text").replace("\r\n", "\n");
        let form = Form::with([("text", text.clone())]);
        let mut manifest =
            Manifest::read(&[File { name: String::new(), text: text.clone() }], &mut |_, _| {
                Err("no file is read here: publish the document on the API's page, or write it here"
                    .to_owned())
            });
        if !manifest.faults.is_empty() {
            return self.faulty(form, &manifest.faults).await;
        }
        if manifest.is_empty() {
            let form = form.wrong("text", "It declares nothing");
            return self.visit.refused(&self.frame().await?.part(self.editor(&form)));
        }
        let declared = std::mem::take(&mut manifest.state);
        let options = ApplyOptions { dry_run: true, prune: false };
        let changes = match self.state.control.apply(&self.desk.actor, declared.clone(), options).await {
            Ok(changes) => changes,
            Err(Error::Invalid(faults)) => {
                let placed = faults.iter().map(|fault| manifest.place(&fault.pointer, &fault.message));
                return self.faulty(form, &placed.collect::<Vec<_>>()).await;
            }
            Err(error) => {
                let form = form.refused(error)?;
                return self.visit.refused(&self.frame().await?.part(self.editor(&form)));
            }
        };
        let (seen, mark): (Option<u64>, u64) = (sent.read("seen"), mark_of(&changes));
        if seen == Some(mark) {
            let options = ApplyOptions { dry_run: false, ..options };
            self.state.control.apply(&self.desk.actor, declared, options).await?;
            return self.visit.go(&self.path(), Some(Flash::done(SAVED))).await;
        }
        self.visit.page(&self.difference(&form, text, changes, seen.is_some()).await?)
    }

    async fn faulty(&self, form: Form, flaws: &[Flaw]) -> Answer {
        let line = |flaw: &Flaw| flaw.line.map_or(Cell::Nothing("–"), |line| Cell::number(i64::from(line)));
        let place = |flaw: &Flaw| match (flaw.resource.as_str(), flaw.field.as_str()) {
            ("", field) => field.to_owned(),
            (resource, "") => resource.to_owned(),
            (resource, field) => format!("{resource}, {field}"),
        };
        let list = List::new("faults", "What is wrong").numbers("Line").column("Where").column("What").rows(
            flaws
                .iter()
                .map(|flaw| vec![line(flaw), Cell::Code(place(flaw)), Cell::Text(flaw.message.clone())]),
        );
        let form = form.wrong("text", &format!("{}; nothing was changed", show::count(flaws.len(), "fault")));
        self.visit.refused(&self.frame().await?.part(list).part(self.editor(&form)))
    }

    async fn difference(
        &self,
        form: &Form,
        text: String,
        changes: ChangeSet,
        again: bool,
    ) -> Result<Sheet, Fault> {
        let mut sheet = self.frame().await?;
        let mark = mark_of(&changes);
        if again {
            sheet = sheet.part(Notice::new(
                "warn",
                "Somebody changed something meanwhile",
                "Nothing was done. This is what your text would change now.",
            ));
        }
        if changes.steps.is_empty() {
            let text = "Everything is published as this text says.";
            return Ok(sheet.part(Notice::new("info", "Nothing would change", text)).part(self.editor(form)));
        }
        for step in &changes.steps {
            sheet = sheet.part(Section::Changes(title(step), changed(step)));
        }
        let apply = FormPart::new("apply-form", &Form::default(), Vec::new(), "Make it so")
            .titled(
                "This is what would change",
                "All of it happens together, in one revision for the gateways.",
            )
            .to(self.path())
            .with("text", text)
            .with("seen", mark.to_string())
            .or_back(&self.path());
        Ok(sheet.part(apply).part(self.editor(form)))
    }
}

/// Tells a difference from another: what was looked at is what is done, or it is shown anew.
fn mark_of(changes: &ChangeSet) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{:?}", changes.steps).hash(&mut hasher);
    hasher.finish()
}

fn title(step: &Step) -> String {
    let verb = match step.verb {
        Verb::Create => "Made",
        Verb::Update => "Changed",
        Verb::Delete => "Deleted",
    };
    format!("{verb}: {} {}", step.kind, step.name)
}

fn changed(step: &Step) -> Vec<Changed> {
    let shown = |value: &Option<Value>| match value {
        None => String::new(),
        Some(Value::String(text)) if text.chars().count() > SHOWN_MAX => {
            show::count(text.chars().count(), "character")
        }
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let of_field =
        |name: &str, before: String, after: String| Changed { name: name.to_owned(), before, after };
    let mut all: Vec<Changed> =
        step.fields.iter().map(|one| of_field(&one.field, shown(&one.before), shown(&one.after))).collect();
    if let Some(operations) = &step.operations {
        all.extend(operations.removed.iter().map(|one| of_field("operation", one.clone(), String::new())));
        all.extend(operations.added.iter().map(|one| of_field("operation", String::new(), one.clone())));
    }
    if all.is_empty() {
        all.push(of_field(step.kind, String::new(), step.name.clone()));
    }
    all
}

async fn shown(state: &PortalState, visit: &Visit, kind: Kind, slug: &str) -> Answer {
    Place { state, visit, desk: Desk::of_publisher(visit)?, kind, slug }.get().await
}

async fn sent(state: &PortalState, visit: &Visit, kind: Kind, slug: &str, sent: &Sent) -> Answer {
    Place { state, visit, desk: Desk::publishing(visit)?, kind, slug }.post(sent).await
}

/// `GET /admin/services/{slug}/yaml`
pub async fn service(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    shown(&state, &visit, Kind::Service, &slug).await
}

/// `GET /admin/apis/{slug}/yaml`
pub async fn api(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    shown(&state, &visit, Kind::Api, &slug).await
}

/// `GET /admin/products/{slug}/yaml`
pub async fn product(State(state): State<PortalState>, visit: Visit, Path(slug): Path<String>) -> Answer {
    shown(&state, &visit, Kind::Product, &slug).await
}

/// `POST /admin/services/{slug}/yaml`
pub async fn post_service(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    form: Sent,
) -> Answer {
    sent(&state, &visit, Kind::Service, &slug, &form).await
}

/// `POST /admin/apis/{slug}/yaml`
pub async fn post_api(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    form: Sent,
) -> Answer {
    sent(&state, &visit, Kind::Api, &slug, &form).await
}

/// `POST /admin/products/{slug}/yaml`
pub async fn post_product(
    State(state): State<PortalState>,
    visit: Visit,
    Path(slug): Path<String>,
    form: Sent,
) -> Answer {
    sent(&state, &visit, Kind::Product, &slug, &form).await
}
