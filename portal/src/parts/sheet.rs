//! A page of the operators: a head, tabs, and parts below each other.

use askama::Template;
use axum::response::Response;

use super::input::Kind;
use super::{Asked, Cell, FormPart, List, csv};
use crate::chart::Chart;
use crate::error::Answer;
use crate::filters;
use crate::session::Visit;
use crate::shell::Shell;
use crate::show::Label;

/// A link or button in the page's head.
#[derive(Debug, Clone)]
pub struct Action {
    /// Where it leads.
    pub href: String,
    /// An icon of the sprite.
    pub icon: &'static str,
    /// What it says.
    pub text: String,
    /// Whether it is the one thing to do here.
    pub primary: bool,
    /// Posted rather than opened, with these fields.
    pub post: Option<Vec<(&'static str, String)>>,
}

impl Action {
    /// A link.
    pub fn link(href: impl Into<String>, icon: &'static str, text: &str) -> Self {
        Self { href: href.into(), icon, text: text.to_owned(), primary: false, post: None }
    }

    /// The page's main thing.
    pub fn main(href: impl Into<String>, icon: &'static str, text: &str) -> Self {
        Self { primary: true, ..Self::link(href, icon, text) }
    }

    /// A button that does something at once.
    pub fn post(
        href: impl Into<String>,
        icon: &'static str,
        text: &str,
        fields: Vec<(&'static str, String)>,
    ) -> Self {
        Self { post: Some(fields), ..Self::link(href, icon, text) }
    }
}

/// One of the views of a thing, each with an address.
#[derive(Debug, Clone)]
pub struct Tab {
    /// Where it is.
    pub href: String,
    /// Its name.
    pub text: String,
    /// Whether it is open.
    pub current: bool,
}

/// A fact in a list of them.
#[derive(Debug, Clone)]
pub struct Fact {
    /// What it is about.
    pub name: String,
    /// How it is.
    pub value: Cell,
}

/// Something to know before reading on.
#[derive(Debug, Clone)]
pub struct Notice {
    /// ok, info, warn, bad or plain.
    pub tone: &'static str,
    /// The fact.
    pub title: String,
    /// The advice.
    pub text: String,
    /// What to do about it.
    pub action: Option<(String, String)>,
}

impl Notice {
    /// A notice without a button.
    pub fn new(tone: &'static str, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { tone, title: title.into(), text: text.into(), action: None }
    }

    /// With a button.
    #[must_use]
    pub fn with(mut self, href: impl Into<String>, text: &str) -> Self {
        self.action = Some((href.into(), text.to_owned()));
        self
    }

    /// The icon of its tone.
    #[must_use]
    pub fn icon(&self) -> &'static str {
        match self.tone {
            "ok" => "circle-check",
            "warn" => "triangle-alert",
            "bad" => "circle-alert",
            _ => "info",
        }
    }
}

/// A number with its name.
#[derive(Debug, Clone)]
pub struct Tile {
    /// What is counted.
    pub name: String,
    /// How much.
    pub value: String,
    /// Compared to what.
    pub note: String,
    /// Where it is looked at closely.
    pub href: Option<String>,
}

/// Something to do, in a list that is ticked off.
#[derive(Debug, Clone)]
pub struct Step {
    /// Whether it is done.
    pub done: bool,
    /// What it is.
    pub title: String,
    /// Why, or what is there.
    pub text: String,
    /// Where it is done.
    pub action: Option<(String, String)>,
}

/// One line of a comparison.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Of what.
    pub name: String,
    /// How it was; empty where it was not.
    pub before: String,
    /// How it is; empty where it is no more.
    pub after: String,
}

/// A part of a page.
#[derive(Debug, Clone)]
pub enum Section {
    /// Something to know.
    Notice(Notice),
    /// Numbers.
    Tiles(Vec<Tile>),
    /// A table.
    List(Box<List>),
    /// Names and values, under a title that may be empty.
    Facts(String, Vec<Fact>),
    /// A form.
    Form(Box<FormPart>),
    /// Bars over time, under a title, with a link to more.
    Chart(Box<Chart>, String, Option<(String, String)>),
    /// Something to tick off.
    Steps(String, Vec<Step>),
    /// Before and after, under a title.
    Changes(String, Vec<Changed>),
    /// Ranges of time or other one-click choices: label, and tabs.
    Choices(&'static str, Vec<Tab>),
    /// A secret, shown once.
    Secret {
        /// The fact.
        title: String,
        /// What to do with it.
        text: String,
        /// The secret itself.
        secret: String,
    },
    /// Code or data, to be read and copied.
    Code {
        /// What it is.
        title: String,
        /// The text.
        text: String,
    },
    /// A paragraph.
    Text(String),
}

impl From<List> for Section {
    fn from(list: List) -> Self {
        Self::List(Box::new(list))
    }
}

impl From<FormPart> for Section {
    fn from(part: FormPart) -> Self {
        Self::Form(Box::new(part))
    }
}

impl From<Notice> for Section {
    fn from(notice: Notice) -> Self {
        Self::Notice(notice)
    }
}

/// A whole page.
#[derive(Debug, Clone, Template)]
#[template(path = "admin/sheet.html")]
pub struct Sheet {
    /// What stands around it.
    pub shell: Shell,
    /// Where it is below: address and name.
    pub crumbs: Vec<(String, String)>,
    /// One grey sentence.
    pub intro: String,
    /// The thing's state.
    pub labels: Vec<Label>,
    /// The thing's id, to be copied.
    pub id: String,
    /// What can be done with it.
    pub actions: Vec<Action>,
    /// Its views.
    pub tabs: Vec<Tab>,
    /// Its parts.
    pub sections: Vec<Section>,
    /// Whether it is a form or a question: then it is as narrow as one reads.
    pub narrow: bool,
}

impl Sheet {
    /// A page of this name.
    #[must_use]
    pub const fn new(shell: Shell) -> Self {
        Self {
            shell,
            crumbs: Vec::new(),
            intro: String::new(),
            labels: Vec::new(),
            id: String::new(),
            actions: Vec::new(),
            tabs: Vec::new(),
            sections: Vec::new(),
            narrow: false,
        }
    }

    /// With a grey sentence.
    #[must_use]
    pub fn intro(mut self, text: impl Into<String>) -> Self {
        self.intro = text.into();
        self
    }

    /// Below another page.
    #[must_use]
    pub fn below(mut self, href: impl Into<String>, name: impl Into<String>) -> Self {
        self.crumbs.push((href.into(), name.into()));
        self
    }

    /// With a state.
    #[must_use]
    pub fn labelled(mut self, label: impl Into<Label>) -> Self {
        self.labels.push(label.into());
        self
    }

    /// With its id.
    #[must_use]
    pub fn identified(mut self, id: impl ToString) -> Self {
        self.id = id.to_string();
        self
    }

    /// With something to do, where the viewer may.
    #[must_use]
    pub fn action(mut self, may: bool, action: Action) -> Self {
        if may {
            self.actions.push(action);
        }
        self
    }

    /// With its views; the open one is that of the page's own path.
    #[must_use]
    pub fn tabs<H: Into<String>>(mut self, tabs: impl IntoIterator<Item = (H, &'static str)>) -> Self {
        let path = self.shell.path.split('?').next().unwrap_or_default().to_owned();
        let tab = |(href, text): (H, &'static str)| {
            let href = href.into();
            Tab { current: href == path, href, text: text.to_owned() }
        };
        self.tabs = tabs.into_iter().map(tab).collect();
        self
    }

    /// With a part.
    #[must_use]
    pub fn part(mut self, section: impl Into<Section>) -> Self {
        self.sections.push(section.into());
        self
    }

    /// With a part, if there is one.
    #[must_use]
    pub fn maybe(self, section: Option<impl Into<Section>>) -> Self {
        match section {
            Some(section) => self.part(section),
            None => self,
        }
    }

    /// As narrow as one reads.
    #[must_use]
    pub const fn narrow(mut self) -> Self {
        self.narrow = true;
        self
    }

    /// The page, or its first list as a file where that was asked for.
    pub fn answer(self, visit: &Visit, asked: &Asked) -> Answer {
        if asked.wants_csv() {
            let named = asked.get("list");
            let list = self.sections.iter().find_map(|section| match section {
                Section::List(list) if named.is_empty() || list.id == named => Some(list),
                _ => None,
            });
            if let Some(list) = list {
                let name = asked.path().trim_matches('/').replace('/', "-");
                return Ok::<Response, _>(csv::answer(list, &name));
            }
        }
        visit.page(&self)
    }
}

/// A fact of words.
pub fn fact(name: &str, value: Cell) -> Fact {
    Fact { name: name.to_owned(), value }
}
