//! The one form: fieldsets of labelled inputs with hints, old values and what is wrong with them.

use super::list::Choice;
use crate::form::Form;

/// How something is typed or chosen.
#[derive(Debug, Clone)]
pub enum Kind {
    /// One line; the HTML type of it.
    Line(&'static str),
    /// A whole number from a least to a most.
    Number(i64, i64),
    /// Several lines; how many are shown, and whether they are code.
    Long(u8, bool),
    /// One of a few.
    One(Vec<Choice>),
    /// Any of some, each with a tick.
    Any(Vec<Choice>),
    /// Yes or no.
    Tick,
    /// A file.
    File(&'static str),
}

/// An input with its label.
#[derive(Debug, Clone)]
pub struct Input {
    /// As it is sent; its id on the page.
    pub name: String,
    /// What it is.
    pub label: String,
    /// What may be typed, said before it is typed.
    pub hint: String,
    /// How it is typed or chosen.
    pub kind: Kind,
    /// What stands in it.
    pub value: String,
    /// What is wrong with it.
    pub error: Option<String>,
    /// Whether it must be filled.
    pub required: bool,
    /// For which words a browser may offer what it knows; mostly `off`.
    pub autocomplete: &'static str,
}

impl Input {
    fn new(form: &Form, name: &str, label: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            hint: String::new(),
            kind,
            value: form.value(name).to_owned(),
            error: form.error(name).map(str::to_owned),
            required: false,
            autocomplete: "off",
        }
    }

    /// One line of words.
    #[must_use]
    pub fn line(form: &Form, name: &str, label: &str) -> Self {
        Self::new(form, name, label, Kind::Line("text"))
    }

    /// One line of another HTML type.
    #[must_use]
    pub fn typed(form: &Form, name: &str, label: &str, html_type: &'static str) -> Self {
        Self::new(form, name, label, Kind::Line(html_type))
    }

    /// A whole number.
    #[must_use]
    pub fn number(form: &Form, name: &str, label: &str, least: i64, most: i64) -> Self {
        Self::new(form, name, label, Kind::Number(least, most))
    }

    /// Several lines of words.
    #[must_use]
    pub fn long(form: &Form, name: &str, label: &str, rows: u8) -> Self {
        Self::new(form, name, label, Kind::Long(rows, false))
    }

    /// Several lines of code.
    #[must_use]
    pub fn code(form: &Form, name: &str, label: &str, rows: u8) -> Self {
        Self::new(form, name, label, Kind::Long(rows, true))
    }

    /// One of a few; what is sent and what is read.
    pub fn one<V: Into<String>, T: Into<String>>(
        form: &Form,
        name: &str,
        label: &str,
        choices: impl IntoIterator<Item = (V, T)>,
    ) -> Self {
        let chosen = form.value(name).to_owned();
        let choices = choices.into_iter().map(|(value, text)| {
            let value = value.into();
            Choice { chosen: value == chosen, value, text: text.into() }
        });
        Self::new(form, name, label, Kind::One(choices.collect()))
    }

    /// Any of some; what is sent and what is read.
    pub fn any<V: Into<String>, T: Into<String>>(
        form: &Form,
        name: &str,
        label: &str,
        choices: impl IntoIterator<Item = (V, T)>,
    ) -> Self {
        let choices = choices.into_iter().map(|(value, text)| {
            let value = value.into();
            Choice { chosen: form.values(name).any(|one| one == value), value, text: text.into() }
        });
        Self::new(form, name, label, Kind::Any(choices.collect()))
    }

    /// Yes or no; yes where anything is sent.
    #[must_use]
    pub fn tick(form: &Form, name: &str, label: &str) -> Self {
        Self::new(form, name, label, Kind::Tick)
    }

    /// A file of these types.
    #[must_use]
    pub fn file(form: &Form, name: &str, label: &str, accept: &'static str) -> Self {
        Self::new(form, name, label, Kind::File(accept))
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Must be filled.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What the input is described by, for those who hear it.
    #[must_use]
    pub fn described_by(&self) -> String {
        let error = self.error.is_some().then(|| format!("{}-error", self.name));
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        error.into_iter().chain(hint).collect::<Vec<_>>().join(" ")
    }

    /// What stands in it, for a comparison that people read.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.kind {
            Kind::One(choices) | Kind::Any(choices) => {
                let chosen = choices.iter().filter(|one| one.chosen).map(|one| one.text.as_str());
                chosen.collect::<Vec<_>>().join(", ")
            }
            Kind::Tick => if self.value.is_empty() { "no" } else { "yes" }.to_owned(),
            _ => self.value.clone(),
        }
    }
}

/// Inputs that belong together.
#[derive(Debug, Clone, Default)]
pub struct Fieldset {
    /// Its title.
    pub legend: String,
    /// What it is about.
    pub text: String,
    /// Inputs below each other.
    pub inputs: Vec<Input>,
    /// Inputs beside each other, as often as there are things: targets, limits.
    pub lines: Vec<Vec<Input>>,
    /// A button that asks for one more line: its value, and what it says.
    pub more: Option<(&'static str, &'static str)>,
    /// A sentence that is kept true to the inputs: its id, and how it reads now.
    pub sentence: Option<(&'static str, String)>,
}

impl Fieldset {
    /// Inputs under a title.
    #[must_use]
    pub fn new(legend: &str, inputs: Vec<Input>) -> Self {
        Self { legend: legend.to_owned(), inputs, ..Self::default() }
    }

    /// With an explanation.
    #[must_use]
    pub fn about(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }
}

/// A value that another admin changed meanwhile.
#[derive(Debug, Clone)]
pub struct Differing {
    /// Of which input.
    pub label: String,
    /// What stands in the form.
    pub yours: String,
    /// What is stored now.
    pub theirs: String,
}

/// A form as a part of a page.
#[derive(Debug, Clone, Default)]
pub struct FormPart {
    /// Where it is sent; the page itself where empty.
    pub action: String,
    /// Its own name on the page.
    pub id: &'static str,
    /// Its title; none where the page's own says it.
    pub title: String,
    /// What the form is about.
    pub text: String,
    /// Whether files are sent.
    pub files: bool,
    /// What is sent unseen.
    pub hidden: Vec<(&'static str, String)>,
    /// All that another form sent, to be sent again unseen.
    pub carried: Vec<(String, String)>,
    /// The fields.
    pub fieldsets: Vec<Fieldset>,
    /// What the button says.
    pub button: String,
    /// `primary`, `danger` or nothing.
    pub tone: &'static str,
    /// Where one goes who does not want to.
    pub cancel: Option<String>,
    /// Errors, for the summary above it.
    pub form: Form,
    /// What another admin changed meanwhile, for both versions side by side.
    pub conflict: Vec<Differing>,
}

impl FormPart {
    /// A form with its button.
    pub fn new(id: &'static str, form: &Form, fieldsets: Vec<Fieldset>, button: &str) -> Self {
        Self {
            id,
            form: form.clone(),
            fieldsets,
            button: button.to_owned(),
            tone: "primary",
            ..Self::default()
        }
    }

    /// Sent to another address than the page's own.
    #[must_use]
    pub fn to(mut self, action: impl Into<String>) -> Self {
        self.action = action.into();
        self
    }

    /// With a title and what it is about.
    #[must_use]
    pub fn titled(mut self, title: &str, text: &str) -> Self {
        (self.title, self.text) = (title.to_owned(), text.to_owned());
        self
    }

    /// With a value that is sent unseen.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.hidden.push((name, value.into()));
        self
    }

    /// With a way back.
    #[must_use]
    pub fn or_back(mut self, href: &str) -> Self {
        self.cancel = Some(href.to_owned());
        self
    }

    /// In another tone than that of the page's main thing.
    #[must_use]
    pub const fn toned(mut self, tone: &'static str) -> Self {
        self.tone = tone;
        self
    }

    /// Whether there is an input of this name to lead to.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.inputs().any(|input| input.name == name)
    }

    fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.fieldsets.iter().flat_map(|set| set.inputs.iter().chain(set.lines.iter().flatten()))
    }

    /// Where this form, as it was sent, differs from the one that is stored now.
    pub fn compare(&mut self, stored: &Self) {
        let theirs =
            |name: &str| stored.inputs().find(|one| one.name == name).map_or_else(String::new, Input::shown);
        let all = self.inputs().map(|one| Differing {
            label: one.label.clone(),
            yours: one.shown(),
            theirs: theirs(&one.name),
        });
        self.conflict = all.filter(|one| one.yours != one.theirs).collect();
    }
}
