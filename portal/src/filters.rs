//! What templates call by name.

use std::fmt::Display;

use askama::Values;
use askama::filters::Safe;

use crate::assets;
use crate::show::Moment;

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
    let Moment { iso, exact, text } = moment;
    Ok(Safe(format!("<time datetime=\"{iso}\" title=\"{exact}\">{text}</time>")))
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
