//! What templates call by name.

use std::borrow::Borrow;
use std::fmt::Display;

use askama::Values;
use askama::filters::Safe;

use crate::assets;
use crate::say::{self as spoken, Rich};
use crate::show::Moment;
use tollgate_language::Said;

/// `{{ "tollgate.css"|asset }}`: the hashed URL of a static file.
#[askama::filter_fn]
pub fn asset(name: &str, _: &dyn Values) -> askama::Result<String> {
    Ok(assets::url(name))
}

/// `{{ "copy"|icon }}`: a decorative icon of the sprite; `mark` is our own.
#[askama::filter_fn]
pub fn icon(name: &str, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(if name == "mark" {
        "<svg width=\"24\" height=\"24\" viewBox=\"0 0 32 32\" aria-hidden=\"true\">\
         <rect width=\"32\" height=\"32\" rx=\"8\" fill=\"currentColor\"/>\
         <path d=\"M8 10h16M10 10v13M22 10v13M10 16l12 3\" fill=\"none\" stroke=\"#fff\" stroke-width=\"2.5\" \
         stroke-linecap=\"round\" stroke-linejoin=\"round\"/></svg>"
            .to_owned()
    } else {
        format!(
            "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"{}#{name}\"/></svg>",
            assets::url("icons.svg")
        )
    }))
}

/// `{{ row.created|when }}`: a relative time that tells the exact one on hover.
#[askama::filter_fn]
pub fn when(moment: &Moment, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(time(moment)))
}

fn time(moment: &Moment) -> String {
    let Moment { iso, exact, text } = moment;
    format!("<time datetime=\"{iso}\" title=\"{exact}\">{text}</time>")
}

/// The key of a message, written in a template or held by a row of a table.
pub trait Key {
    /// The key itself.
    fn key(&self) -> &'static str;
}

impl Key for &'static str {
    fn key(&self) -> &'static str {
        self
    }
}

impl<K: Key> Key for &K {
    fn key(&self) -> &'static str {
        (**self).key()
    }
}

/// Something to fill in, however many references away.
pub trait Held<T> {
    /// The thing itself.
    fn held(&self) -> &T;
}

impl Held<Moment> for Moment {
    fn held(&self) -> &Moment {
        self
    }
}

impl Held<usize> for usize {
    fn held(&self) -> &usize {
        self
    }
}

impl<T, H: Held<T>> Held<T> for &H {
    fn held(&self) -> &T {
        (**self).held()
    }
}

/// `<h1{{ guide.tag()|foreign }}>`: says of a part of a page that it is in another language; nothing where it is in the
/// page's own, or where that is not known.
#[askama::filter_fn]
pub fn foreign(tag: &str, _: &dyn Values) -> askama::Result<Safe<String>> {
    let is_foreign = !tag.is_empty() && tag != spoken::language().tag();
    Ok(Safe(if is_foreign { format!(" lang=\"{tag}\"") } else { String::new() }))
}

/// `{{ "home-title"|t }}`: a message of the language that is spoken.
#[askama::filter_fn]
pub fn t(key: impl Key, _: &dyn Values) -> askama::Result<&'static str> {
    Ok(spoken::t(key.key()))
}

/// `{{ "parts-go-to"|say("name", name) }}`: a message with a text filled in.
#[askama::filter_fn]
pub fn say<D: Display>(key: impl Key, _: &dyn Values, name: &'static str, value: D) -> askama::Result<Said> {
    Ok(spoken::say(key.key()).with(name, value))
}

/// `{{ "try-left"|say("calls", calls)|and("name", name) }}`: with one more text.
#[askama::filter_fn]
pub fn and<D: Display>(
    said: impl Borrow<Said>,
    _: &dyn Values,
    name: &'static str,
    value: D,
) -> askama::Result<Said> {
    Ok(said.borrow().clone().with(name, value))
}

/// `{{ "overview-schemas"|counted(count) }}`: a message of so many.
#[askama::filter_fn]
pub fn counted<C: Held<usize>>(key: impl Key, _: &dyn Values, count: C) -> askama::Result<Said> {
    Ok(spoken::say(key.key()).count(*count.held()))
}

/// `{{ "status-counted"|with_time("at", moment) }}`: a message with a time in it, as [`when`] writes it.
#[askama::filter_fn]
pub fn with_time<M: Held<Moment>>(
    key: impl Key,
    _: &dyn Values,
    name: &'static str,
    moment: M,
) -> askama::Result<Safe<String>> {
    const PLACE: &str = "\u{1}";
    let text = spoken::say(key.key()).with(name, PLACE);
    Ok(Safe(text.html().replace(PLACE, &time(moment.held()))))
}

/// `{{ "operation-counts"|t|rich }}`: a message whose marks become tags.
#[askama::filter_fn]
pub fn rich(message: impl Rich, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(message.html()))
}

/// `{{ method|method_tone }}`: the tone of an HTTP method's label.
#[askama::filter_fn]
pub fn method_tone(method: impl Display, _: &dyn Values) -> askama::Result<&'static str> {
    Ok(match method.to_string().as_str() {
        "GET" | "HEAD" => "info",
        "POST" => "ok",
        "PUT" => "warn",
        "PATCH" => "violet",
        "DELETE" => "bad",
        _ => "",
    })
}
