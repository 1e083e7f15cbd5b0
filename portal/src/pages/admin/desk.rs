//! An operator at work: who they are, what they may do, and the few pages that all areas share.

use axum::http::StatusCode;
use axum::response::Response;
use tollgate_control::{Action, Actor, Error};
use tollgate_domain::Scope;

use crate::error::{Answer, Fault};
use crate::form::Form;
use crate::parts::{Fieldset, FormPart, Input, Notice, Section, Sent, Sheet};
use crate::session::Visit;
use crate::shell::Area;

/// What is said after a change that gateways hear of.
pub const SAVED: &str = "Saved. Gateways take it over within seconds.";

/// An operator in a request.
#[derive(Debug, Clone)]
pub struct Desk {
    /// For `control`.
    pub actor: Actor,
    /// For `store`: all rows.
    pub scope: Scope,
    /// Whether they may change what this page is about; buttons are drawn only then.
    pub may_write: bool,
}

/// What is said to whoever may not.
fn refused(roles: &str) -> Fault {
    Fault::Problem(
        tollgate_web::Problem::new(StatusCode::FORBIDDEN, "forbidden", "Your role only reads here")
            .detail(format!("Changing this takes the role {roles}. An admin can give it to you.")),
    )
}

impl Desk {
    /// The visitor as an operator.
    ///
    /// # Errors
    /// Nobody is signed in, or they do not run the platform.
    pub fn of(visit: &Visit) -> Result<Self, Fault> {
        Self::able(visit, Action::WritePlatform)
    }

    /// The same on a page about what is published.
    ///
    /// # Errors
    /// As [`Desk::of`].
    pub fn of_publisher(visit: &Visit) -> Result<Self, Fault> {
        Self::able(visit, Action::Publish)
    }

    /// The same on a page about subscriptions.
    ///
    /// # Errors
    /// As [`Desk::of`].
    pub fn of_subscriptions(visit: &Visit) -> Result<Self, Fault> {
        Self::able(visit, Action::ManageSubscriptions)
    }

    fn able(visit: &Visit, to: Action) -> Result<Self, Fault> {
        let (actor, scope) = visit.operator()?;
        let may_write = actor.authorize(to).is_ok();
        Ok(Self { actor, scope, may_write })
    }

    /// The visitor as an operator who may change things.
    ///
    /// # Errors
    /// As [`Desk::of`], or their role only reads.
    pub fn writing(visit: &Visit) -> Result<Self, Fault> {
        let desk = Self::of(visit)?;
        if desk.may_write { Ok(desk) } else { Err(refused("admin")) }
    }

    /// The visitor as an operator who may change what is published.
    ///
    /// # Errors
    /// As [`Desk::writing`].
    pub fn publishing(visit: &Visit) -> Result<Self, Fault> {
        let desk = Self::of_publisher(visit)?;
        if desk.may_write { Ok(desk) } else { Err(refused("admin or publisher")) }
    }

    /// The visitor as an operator who may decide about subscriptions.
    ///
    /// # Errors
    /// As [`Desk::writing`].
    pub fn deciding(visit: &Visit) -> Result<Self, Fault> {
        let desk = Self::of_subscriptions(visit)?;
        if desk.may_write { Ok(desk) } else { Err(refused("admin or publisher")) }
    }
}

/// An empty page of the operators.
///
/// # Errors
/// The database is away.
pub async fn sheet(visit: &Visit, title: impl Into<String>) -> Result<Sheet, Fault> {
    Ok(Sheet::new(visit.shell(Area::Admin, title).await?))
}

/// A form that was sent and not taken: the same page with what is wrong; with both versions where somebody else was
/// faster. `part` makes the form's part of a form; `stored` is what is stored now, with its version.
///
/// # Errors
/// What cannot be mended by typing something else.
pub async fn not_taken<F>(
    visit: &Visit,
    sheet: Sheet,
    sent: &Sent,
    error: Error,
    stored: F,
    part: impl Fn(&Form) -> FormPart,
) -> Answer
where
    F: Future<Output = Result<(Form, i64), Fault>>,
{
    let (status, part) = match error {
        Error::VersionMismatch(_) => {
            let (form, version) = stored.await?;
            let mut mine = part(&sent.form());
            mine.compare(&part(&form));
            // From here on the sender has seen the stored version.
            for (name, value) in &mut mine.hidden {
                if *name == "version" {
                    *value = version.to_string();
                }
            }
            (StatusCode::CONFLICT, mine)
        }
        error => (StatusCode::UNPROCESSABLE_ENTITY, part(&sent.form().refused(error)?)),
    };
    visit.page_with(status, &sheet.part(part))
}

/// A question before something that cannot be undone, answered by typing the thing's name.
#[derive(Debug, Clone)]
pub struct Question<'q> {
    /// The verb and the thing: `Delete Countries API`.
    pub button: &'q str,
    /// What happens, in a sentence.
    pub consequence: &'q str,
    /// What must be typed; nothing where empty.
    pub name: &'q str,
    /// The version that is seen: where another is stored by then, nothing is done.
    pub version: i64,
    /// Where one goes who does not want to.
    pub back: &'q str,
}

impl Question<'_> {
    /// The page that asks.
    #[must_use]
    pub fn ask(&self, sheet: Sheet, form: &Form, affected: Vec<Section>) -> Sheet {
        let inputs = if self.name.is_empty() {
            Vec::new()
        } else {
            vec![Input::line(form, "confirm", &format!("Type {} to confirm", self.name)).required()]
        };
        let part = FormPart::new("confirm-form", form, vec![Fieldset::new("", inputs)], self.button)
            .toned("danger")
            .with("version", self.version.to_string())
            .or_back(self.back);
        let mut sheet = sheet.narrow().part(Notice::new("warn", "This cannot be undone", self.consequence));
        sheet.sections.extend(affected);
        sheet.part(part)
    }

    /// What is wrong with the answer, if anything.
    #[must_use]
    pub fn wrong(&self, sent: &Sent) -> Option<Form> {
        let right = self.name.is_empty() || sent.get("confirm") == self.name;
        (!right).then(|| {
            sent.form().wrong("confirm", &format!("Type {} exactly as it is written here", self.name))
        })
    }

    /// The question again, after `control` refused.
    ///
    /// # Errors
    /// What cannot be mended by typing something else.
    pub fn refused(&self, visit: &Visit, sheet: Sheet, sent: &Sent, error: Error) -> Answer {
        let form = sent.form().refused(error)?;
        self.again(visit, sheet, &form)
    }

    /// The question again.
    ///
    /// # Errors
    /// The page cannot be rendered.
    pub fn again(&self, visit: &Visit, sheet: Sheet, form: &Form) -> Answer {
        let page: Response = visit.refused(&self.ask(sheet, form, Vec::new()))?;
        Ok(page)
    }
}
