//! A schema as HTML: members in a list, what is inside them behind a disclosure, alternatives by name.

use std::cell::Cell;
use std::fmt::Write as _;

use tollgate_openapi::{Member, Shape};

use super::Place;
use crate::markup::{self, Html, escaped};
use crate::say::{say, t};

/// From how many listed values on they are behind a disclosure.
const LISTED_OPEN: usize = 12;
/// Up to how many alternatives stand side by side as tabs; of more, each is behind a disclosure of its own.
const TABS_MAX: usize = 8;

/// Writes the shapes of one page: alternatives on it are told apart by number.
pub struct Pen<'a> {
    place: &'a Place,
    tab_groups: Cell<usize>,
}

impl<'a> Pen<'a> {
    /// For a page of this reference.
    #[must_use]
    pub const fn at(place: &'a Place) -> Self {
        Self { place, tab_groups: Cell::new(0) }
    }

    /// Members and alternatives of a body or of a schema's own page; empty where the type in words says it all.
    #[must_use]
    pub fn inside(&self, shape: &Shape) -> Html {
        self.written(|writer| {
            writer.facts(shape);
            writer.members(&shape.members);
            writer.alternatives(shape);
            if shape.cut && shape.members.is_empty() {
                writer.way_to(shape);
            }
        })
    }

    /// A list of parameters or headers.
    #[must_use]
    pub fn list(&self, members: &[Member]) -> Html {
        self.written(|writer| writer.members(members))
    }

    /// A type in words, with a link where it has a page of its own.
    #[must_use]
    pub fn kind(&self, shape: &Shape) -> Html {
        self.written(|writer| writer.kind(shape))
    }

    fn written(&self, write: impl FnOnce(&mut Writer<'_>)) -> Html {
        let mut writer = Writer { pen: self, out: String::new() };
        write(&mut writer);
        Html::made_here(writer.out)
    }
}

struct Writer<'a> {
    pen: &'a Pen<'a>,
    out: String,
}

impl Writer<'_> {
    fn members(&mut self, members: &[Member]) {
        if members.is_empty() {
            return;
        }
        self.out.push_str("<ul class=\"params\">");
        for member in members {
            self.out.push_str("<li>");
            self.head(&member.name, member.required, &member.shape);
            self.description(&member.shape);
            self.facts(&member.shape);
            self.disclosed(&member.shape);
            self.out.push_str("</li>\n");
        }
        self.out.push_str("</ul>");
    }

    fn head(&mut self, name: &str, required: bool, shape: &Shape) {
        // Writing to a String cannot fail.
        let _ = write!(self.out, "<div class=\"row\"><span class=\"name\">{}</span>", escaped(name));
        self.kind(shape);
        let labels = [
            (required, "warn", t("body-required")),
            (shape.read_only, "", t("shape-answers-only")),
            (shape.write_only, "", t("shape-requests-only")),
            (shape.deprecated, "", t("shape-deprecated")),
        ];
        for (_, tone, text) in labels.iter().filter(|(shown, ..)| *shown) {
            let _ = write!(self.out, "<span class=\"label {tone}\">{text}</span>");
        }
        self.out.push_str("</div>");
    }

    fn kind(&mut self, shape: &Shape) {
        let summary = escaped(&shape.summary);
        let _ = if shape.name.is_empty() {
            write!(self.out, "<span class=\"kind\">{summary}</span>")
        } else {
            write!(
                self.out,
                "<a class=\"kind\" href=\"{}\">{summary}</a>",
                self.pen.place.schema(&shape.name)
            )
        };
    }

    fn description(&mut self, shape: &Shape) {
        if !shape.description.is_empty() {
            let _ = write!(self.out, "<div class=\"prose\">{}</div>", markup::markdown(&shape.description));
        }
    }

    fn facts(&mut self, shape: &Shape) {
        let mut facts: Vec<String> = shape.bounds.iter().map(|bound| escaped(bound)).collect();
        let code = |label: &str, text: &str| format!("{label} <code>{}</code>", escaped(text));
        if !shape.pattern.is_empty() {
            facts.push(code(t("shape-matches"), &shape.pattern));
        }
        facts.extend(shape.default.as_deref().map(|text| code(t("shape-default"), text)));
        facts.extend(shape.example.as_deref().map(|text| code(t("shape-for-example"), text)));
        if !facts.is_empty() {
            let joined = facts.join(" · ");
            let (first, rest) = joined.split_at(joined.chars().next().map_or(0, char::len_utf8));
            let _ = write!(self.out, "<p class=\"facts\">{}{rest}</p>", first.to_uppercase());
        }
        self.values(shape);
    }

    fn values(&mut self, shape: &Shape) {
        let mut values: Vec<String> =
            shape.allowed.iter().map(|value| format!("<code>{}</code>", escaped(value))).collect();
        if shape.allowed_more > 0 {
            values.push(say("shape-and-more").count(shape.allowed_more).into());
        }
        let listed = values.join(" ");
        let count = shape.allowed.len() + shape.allowed_more;
        let _ = match count {
            0 => Ok(()),
            1 => write!(self.out, "<p class=\"facts\">{} {listed}</p>", t("shape-always")),
            2..=LISTED_OPEN => write!(self.out, "<p class=\"facts\">{} {listed}</p>", t("shape-one-of")),
            _ => write!(
                self.out,
                "<details><summary>{}</summary><p class=\"facts\">{listed}</p></details>",
                say("shape-one-of-values").count(count)
            ),
        };
    }

    fn disclosed(&mut self, shape: &Shape) {
        if shape.members.is_empty() && shape.variants.is_empty() {
            return self.way_to(shape);
        }
        let what = if !shape.variants.is_empty() {
            say("shape-alternatives").count(shape.variants.len() + shape.variants_more).into()
        } else if shape.name.is_empty() {
            t("parts-members").to_owned()
        } else {
            say("shape-members-of").with("name", escaped(&shape.name)).into()
        };
        let _ = write!(self.out, "<details><summary>{what}</summary>");
        self.members(&shape.members);
        self.alternatives(shape);
        self.out.push_str("</details>");
    }

    /// Where the members are that are left out here.
    fn way_to(&mut self, shape: &Shape) {
        if shape.cut && !shape.name.is_empty() {
            let (href, name) = (self.pen.place.schema(&shape.name), escaped(&shape.name));
            let _ = write!(
                self.out,
                "<p class=\"facts\"><a href=\"{href}\">{}</a></p>",
                say("shape-members-of").with("name", name)
            );
        }
    }

    fn alternatives(&mut self, shape: &Shape) {
        if shape.variants.is_empty() {
            return;
        }
        let how = t(if shape.any_of { "shape-any-of" } else { "shape-one-holds" });
        let by = if shape.discriminator.is_empty() {
            String::new()
        } else {
            format!("; <code>{}</code> {}", escaped(&shape.discriminator), t("shape-tells-which"))
        };
        let _ = write!(self.out, "<p class=\"facts\">{how}{by}.</p>");
        let is_deep = |one: &Shape| !one.members.is_empty() || !one.variants.is_empty();
        let fits = (2..=TABS_MAX).contains(&shape.variants.len()) && shape.variants_more == 0;
        if fits && shape.variants.iter().any(is_deep) {
            self.tabs(how, &shape.variants);
        } else {
            self.listed(shape);
        }
    }

    /// Alternatives of which one is seen. They are radio buttons, so that no script is needed.
    fn tabs(&mut self, how: &str, variants: &[Shape]) {
        let group = self.pen.tab_groups.get() + 1;
        self.pen.tab_groups.set(group);
        let _ = write!(self.out, "<div class=\"one-of\" role=\"radiogroup\" aria-label=\"{how}\">");
        for (at, variant) in variants.iter().enumerate() {
            let checked = if at == 0 { " checked" } else { "" };
            let _ = write!(
                self.out,
                "<label><input type=\"radio\" name=\"one-{group}\" autocomplete=\"off\"{checked}>{}</label><div>",
                escaped(title_of(variant))
            );
            self.described(variant);
            self.out.push_str("</div>\n");
        }
        self.out.push_str("</div>");
    }

    /// An alternative without its name: its type where that is all, else what is inside.
    fn described(&mut self, variant: &Shape) {
        if variant.members.is_empty() && variant.variants.is_empty() {
            self.out.push_str("<div class=\"row\">");
            self.kind(variant);
            self.out.push_str("</div>");
            self.description(variant);
            self.facts(variant);
        } else {
            self.description(variant);
            self.members(&variant.members);
            self.alternatives(variant);
        }
    }

    fn listed(&mut self, shape: &Shape) {
        self.out.push_str("<ul class=\"params\">");
        for variant in &shape.variants {
            self.out.push_str("<li>");
            if variant.members.is_empty() && variant.variants.is_empty() {
                self.described(variant);
            } else {
                let _ = write!(self.out, "<details><summary>{}</summary>", escaped(title_of(variant)));
                self.described(variant);
                self.out.push_str("</details>");
            }
            self.out.push_str("</li>\n");
        }
        if shape.variants_more > 0 {
            let _ = write!(
                self.out,
                "<li><p class=\"facts\">{}.</p></li>",
                say("shape-and-more").count(shape.variants_more)
            );
        }
        self.out.push_str("</ul>");
    }
}

fn title_of(variant: &Shape) -> &str {
    if variant.title.is_empty() { &variant.summary } else { &variant.title }
}
