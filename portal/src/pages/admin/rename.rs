//! A question before a slug changes: what bears the old one leads nowhere then.

use tollgate_domain::Slug;

use crate::form::Form;
use crate::parts::{FormPart, Notice, Sent, Sheet};

/// A slug that is about to change.
#[derive(Debug)]
pub struct Rename<'r> {
    /// What it names: `product`.
    pub what: &'r str,
    /// As it is.
    pub old: &'r Slug,
    /// As it was typed.
    pub new: &'r Slug,
    /// The version of the thing; whoever saw another one is told of that first.
    pub version: i64,
    /// What ends, in sentences.
    pub consequence: String,
}

impl Rename<'_> {
    /// Whether the slug changes and the question was not answered yet.
    pub fn is_open(&self, sent: &Sent) -> bool {
        self.old != self.new && !sent.has("renamed") && sent.read("version") == Some(self.version)
    }

    /// The question; yes sends the same form again, `to` the same address.
    pub fn ask(self, sheet: Sheet, sent: &Sent, to: &str) -> Sheet {
        let Self { what, old, new, consequence, .. } = self;
        let mut form =
            FormPart::new("rename-form", &Form::default(), Vec::new(), "Rename it").or_back(to).to(to);
        form.hidden = vec![("renamed", "yes".to_owned())];
        form.carried.clone_from(&sent.0);
        let files = format!("Files that still say {old} make another {what}.");
        let notice = Notice::new("warn", format!("Rename {old} to {new}?"), format!("{consequence} {files}"));
        sheet.part(notice).part(form)
    }
}
