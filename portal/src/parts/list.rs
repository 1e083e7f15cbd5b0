//! The one list: search, filters, sortable columns, pages, an export, and what is said when nothing is in it.

use tollgate_store::browse::{Cut, Found};

use super::Asked;
use crate::say::t;
use crate::show::{self, Label, Moment};

/// What stands in a place of a table.
#[derive(Debug, Clone)]
pub enum Cell {
    /// Words.
    Text(String),
    /// What the row is about, leading to its page, with a grey second line.
    Link { href: String, text: String, second: String },
    /// What the row is about, without a page.
    Strong { text: String, second: String },
    /// Words that lead somewhere else.
    Way { href: String, text: String },
    /// Something to type or compare.
    Code(String),
    /// A number, written out.
    Number(String),
    /// So many microseconds.
    Took(i64),
    /// A tinted word.
    Label(Label),
    /// A time.
    When(Moment),
    /// A method and a path.
    Route { method: String, path: String, href: String },
    /// Grey words: nothing is there.
    Nothing(&'static str),
    /// A small button that leads to a page; `of` tells those who hear it which row.
    Open { href: String, text: &'static str, of: String },
    /// Small buttons that do something, and one with a key that leads to a page.
    Decide(Vec<Press>, Lead),
    /// Small buttons that do something.
    Press(Vec<Press>),
}

/// A small button that leads to a page, by a key where scripts run.
#[derive(Debug, Clone)]
pub struct Lead {
    /// Where it leads.
    pub href: String,
    /// What it says.
    pub text: &'static str,
    /// Which row, for those who hear it.
    pub of: String,
    /// The key.
    pub key: &'static str,
}

/// A small button in a row.
#[derive(Debug, Clone)]
pub struct Press {
    /// Where it posts.
    pub action: String,
    /// Hidden fields.
    pub fields: Vec<(&'static str, String)>,
    /// What it says.
    pub text: &'static str,
    /// Which row, for those who hear it.
    pub of: String,
    /// The key that presses it, where scripts run.
    pub key: &'static str,
}

impl Cell {
    /// A link without a second line.
    pub fn link(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Link { href: href.into(), text: text.into(), second: String::new() }
    }

    /// A whole number.
    #[must_use]
    pub fn number(value: i64) -> Self {
        Self::Number(show::number(value))
    }

    /// Words, or grey ones where there are none.
    pub fn text_or(text: impl Into<String>, nothing: &'static str) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Nothing(nothing) } else { Self::Text(text) }
    }

    /// As it stands in an export.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::Code(text) | Self::Way { text, .. } => text.clone(),
            Self::Link { text, second, .. } | Self::Strong { text, second } => {
                if second.is_empty() {
                    text.clone()
                } else {
                    format!("{text} ({second})")
                }
            }
            Self::Number(text) => text.replace(',', ""),
            Self::Took(micros) => show::duration(*micros),
            Self::Label(label) => label.text.clone(),
            Self::When(moment) => moment.iso.clone(),
            Self::Route { method, path, .. } => format!("{method} {path}"),
            Self::Nothing(_) | Self::Open { .. } | Self::Press(_) | Self::Decide(..) => String::new(),
        }
    }
}

/// A column's head.
#[derive(Debug, Clone)]
pub struct Column {
    /// What it says.
    pub title: String,
    /// Where a click on it leads.
    pub sort_href: Option<String>,
    /// `ascending`, `descending` or none.
    pub sorted: Option<&'static str>,
    /// Whether numbers stand in it.
    pub numbers: bool,
    /// Whether buttons stand in it; then its title is only heard.
    pub acts: bool,
}

/// A choice of a filter or of a form.
#[derive(Debug, Clone)]
pub struct Choice {
    /// As it is sent.
    pub value: String,
    /// As it is read.
    pub text: String,
    /// Whether it is in force.
    pub chosen: bool,
}

/// A filter of a list.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Its name in the address.
    pub name: &'static str,
    /// What it is about.
    pub label: &'static str,
    /// What can be chosen; the first is all.
    pub choices: Vec<Choice>,
}

/// What is said where nothing is.
#[derive(Debug, Clone, Default)]
pub struct Empty {
    /// An icon of the sprite.
    pub icon: &'static str,
    /// What is missing.
    pub title: String,
    /// Why, and what to do.
    pub text: String,
    /// Where to do it.
    pub action: Option<(String, String)>,
}

/// A table with everything around it.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// Its own name on the page.
    pub id: &'static str,
    /// What is listed.
    pub title: String,
    /// A grey sentence beside the title.
    pub note: String,
    /// How many there are.
    pub count: String,
    /// Where search and filters are sent; empty where there are none.
    pub path: String,
    /// What the search looks at, and what is looked for.
    pub search: Option<(String, String)>,
    /// Filters.
    pub filters: Vec<Filter>,
    /// What else the address says, so that filtering does not lose it.
    pub kept: Vec<(&'static str, String)>,
    /// Where all is listed again, if something is left out.
    pub clear: Option<String>,
    /// Heads.
    pub columns: Vec<Column>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<Cell>>,
    /// The part before.
    pub previous: Option<String>,
    /// The part after.
    pub next: Option<String>,
    /// The file of it.
    pub export: Option<String>,
    /// What is said where nothing is.
    pub empty: Empty,
}

impl List {
    /// A table with a title.
    pub fn new(id: &'static str, title: impl Into<String>) -> Self {
        Self { id, title: title.into(), ..Self::default() }
    }

    /// Words to find.
    #[must_use]
    pub fn searched(mut self, asked: &Asked, what: impl Into<String>) -> Self {
        self.path = asked.path().to_owned();
        self.search = Some((what.into(), asked.get("q").to_owned()));
        self.narrowed(asked, "q")
    }

    /// A filter; `choices` are what is sent and what is read.
    #[must_use]
    pub fn filtered<V: AsRef<str>, T: Into<String>>(
        mut self,
        asked: &Asked,
        name: &'static str,
        label: &'static str,
        all: &str,
        choices: impl IntoIterator<Item = (V, T)>,
    ) -> Self {
        self.path = asked.path().to_owned();
        let chosen = asked.get(name);
        let first = Choice { value: String::new(), text: all.to_owned(), chosen: chosen.is_empty() };
        let rest = choices.into_iter().map(|(value, text)| Choice {
            value: value.as_ref().to_owned(),
            text: text.into(),
            chosen: value.as_ref() == chosen,
        });
        let choices = std::iter::once(first).chain(rest).collect();
        self.filters.push(Filter { name, label, choices });
        self.narrowed(asked, name)
    }

    /// A filter that the address carries without a choice on the page, like the organization one came from.
    #[must_use]
    pub fn narrowed(mut self, asked: &Asked, name: &str) -> Self {
        if !asked.get(name).is_empty() {
            self.clear = Some(asked.path().to_owned());
        }
        self
    }

    /// A part of the address that filtering keeps.
    #[must_use]
    pub fn keeping(mut self, asked: &Asked, name: &'static str) -> Self {
        if !asked.get(name).is_empty() {
            self.kept.push((name, asked.get(name).to_owned()));
        }
        self
    }

    /// A column of words.
    #[must_use]
    pub fn column(self, title: &str) -> Self {
        self.head(title, false, false)
    }

    /// A column of numbers or times.
    #[must_use]
    pub fn numbers(self, title: &str) -> Self {
        self.head(title, true, false)
    }

    /// A column of buttons.
    #[must_use]
    pub fn acts(self) -> Self {
        self.head(t("team-actions"), false, true)
    }

    /// A column that can be sorted by; `sort` as the store names it.
    #[must_use]
    pub fn sortable(self, title: &str, asked: &Asked, sort: &'static str, cut: &Cut) -> Self {
        let numbers = matches!(sort, "created" | "at");
        self.head(title, numbers, false).sorted_by(title, asked, sort, cut)
    }

    /// Lets a column that is there be sorted by.
    #[must_use]
    pub fn sorted_by(mut self, title: &str, asked: &Asked, sort: &'static str, cut: &Cut) -> Self {
        let (href, sorted) = match (cut.sort == sort, cut.descending) {
            (true, true) => (asked.with(&[("sort", sort)]), Some("descending")),
            (true, false) => (asked.with(&[("sort", &format!("-{sort}"))]), Some("ascending")),
            (false, _) => (asked.with(&[("sort", sort)]), None),
        };
        if let Some(column) = self.columns.iter_mut().find(|column| column.title == title) {
            (column.sort_href, column.sorted) = (Some(href), sorted);
        }
        self
    }

    fn head(mut self, title: &str, numbers: bool, acts: bool) -> Self {
        let title = title.to_owned();
        self.columns.push(Column { title, sort_href: None, sorted: None, numbers, acts });
        self
    }

    /// What is said where nothing is.
    #[must_use]
    pub fn or_empty(mut self, icon: &'static str, title: &str, text: &str) -> Self {
        self.empty = Empty { icon, title: title.into(), text: text.into(), action: None };
        self
    }

    /// What can be done where nothing is.
    #[must_use]
    pub fn or_do(mut self, may: bool, href: &str, text: &str) -> Self {
        if may {
            self.empty.action = Some((href.to_owned(), text.to_owned()));
        }
        self
    }

    /// Rows that are all there are.
    #[must_use]
    pub fn rows(mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Self {
        self.rows = rows.into_iter().collect();
        self.count = show::number(i64::try_from(self.rows.len()).unwrap_or(i64::MAX));
        self
    }

    /// A part of the rows, with the ways to the others and to the file.
    #[must_use]
    pub fn found<R>(mut self, asked: &Asked, found: Found<R>, row: impl FnMut(R) -> Vec<Cell>) -> Self {
        self.previous = found.previous.as_ref().map(|edge| asked.beyond(edge));
        self.next = found.next.as_ref().map(|edge| asked.beyond(edge));
        self.count = match found.total {
            Some(total) if total > Found::<R>::COUNTED_MAX => {
                format!("more than {}", show::number(Found::<R>::COUNTED_MAX))
            }
            Some(total) => show::number(total),
            None => String::new(),
        };
        self.rows = found.rows.into_iter().map(row).collect();
        self.export = (!self.rows.is_empty()).then(|| asked.with(&[("format", "csv")]));
        self.keeping(asked, "sort")
    }
}
