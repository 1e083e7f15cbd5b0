//! Every page rendered from its samples: the look, and the rules that hold for all of them.

use std::collections::BTreeSet;
use std::path::Path;

use askama::Template;

use super::{
    account, admin, applications, billing, catalog, guides, limits, problems, reference, requests, search,
    site, start, status, team, try_it, usage,
};
use crate::error::ErrorPage;
use crate::say;

/// Name, and HTML.
type Rendered = (String, String);

fn rendered<T: Template>(name: &str, samples: Vec<T>, into: &mut Vec<Rendered>) {
    for (index, sample) in samples.iter().enumerate() {
        let html = sample.render().unwrap_or_else(|error| panic!("{name} {index}: {error}"));
        into.push((format!("{name}-{index}"), html));
    }
}

fn all() -> Vec<Rendered> {
    let mut all = Vec::new();
    rendered("home", catalog::home::View::samples(), &mut all);
    rendered("product", catalog::product::View::samples(), &mut all);
    rendered("api", reference::api::View::samples(), &mut all);
    rendered("operation", reference::operation::View::samples(), &mut all);
    rendered("schema", reference::schema::View::samples(), &mut all);
    rendered("signup", account::signup::View::samples(), &mut all);
    rendered("signin", account::signin::View::samples(), &mut all);
    rendered("account", account::profile::View::samples(), &mut all);
    rendered("code", account::code::View::samples(), &mut all);
    rendered("forgotten", account::forgotten::View::samples(), &mut all);
    rendered("reset", account::reset::View::samples(), &mut all);
    rendered("password", account::password::View::samples(), &mut all);
    rendered("email", account::email::View::samples(), &mut all);
    rendered("mails", account::mails::View::samples(), &mut all);
    rendered("email-confirm", account::email::ConfirmView::samples(), &mut all);
    rendered("passkeys", account::passkeys::View::samples(), &mut all);
    rendered("second-factor", account::second_factor::View::samples(), &mut all);
    rendered("recovery-codes", account::second_factor::CodesView::samples(), &mut all);
    rendered("delete", account::delete::View::samples(), &mut all);
    rendered("device", account::device::View::samples(), &mut all);
    rendered("verify", account::verify::View::samples(), &mut all);
    rendered("setup", account::setup::View::samples(), &mut all);
    rendered("get-started", start::get_started::View::samples(), &mut all);
    rendered("first-call", start::first_call::View::samples(), &mut all);
    rendered("applications", applications::list::View::samples(), &mut all);
    rendered("application", applications::show::View::samples(), &mut all);
    rendered("key", applications::key_show::View::samples(), &mut all);
    rendered("key-rotate", applications::key_rotate::View::samples(), &mut all);
    rendered("key-revoke", applications::key_revoke::View::samples(), &mut all);
    rendered("billing", billing::overview::View::samples(), &mut all);
    rendered("invoice", billing::invoice::View::samples(), &mut all);
    rendered("checkout", billing::checkout::View::samples(), &mut all);
    rendered("limits", limits::overview::View::samples(), &mut all);
    rendered("requests", requests::list::View::samples(), &mut all);
    rendered("request", requests::show::View::samples(), &mut all);
    rendered("team", team::members::View::samples(), &mut all);
    rendered("invitation", team::accept::View::samples(), &mut all);
    rendered("guides", guides::list::View::samples(), &mut all);
    rendered("guide", guides::show::View::samples(), &mut all);
    rendered("changelog", guides::changelog::View::samples(), &mut all);
    rendered("search", search::View::samples(), &mut all);
    rendered("status", status::View::samples(), &mut all);
    rendered("try", try_it::page::View::samples(), &mut all);
    rendered("page", site::page::View::samples(), &mut all);
    rendered("usage", usage::overview::View::samples(), &mut all);
    rendered("problems", problems::list::View::samples(), &mut all);
    rendered("problem", problems::show::View::samples(), &mut all);
    rendered("error", ErrorPage::samples(), &mut all);
    rendered("admin-find", admin::find::View::samples(), &mut all);
    rendered("handbook", admin::handbook::View::samples(), &mut all);
    rendered("handbook-page", admin::handbook::PageView::samples(), &mut all);
    all
}

/// What stands in an attribute, wherever it occurs.
fn values<'h>(html: &'h str, attribute: &str) -> Vec<&'h str> {
    html.split(&format!(" {attribute}=\"")).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Paths of the route list, as patterns of segments; those that are the same below several bases among them.
fn route_patterns() -> Vec<Vec<&'static str>> {
    let list = include_str!("mod.rs");
    let quoted = |mark: &'static str| list.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
    let whole = list.split('"').skip(1).step_by(2).filter(|text| text.starts_with('/'));
    let below = quoted("_routes(\"").flat_map(|base| {
        quoted("&at(\"").map(move |rest| base.split('/').chain(rest.split('/').skip(1)).collect())
    });
    whole.map(|path| path.split('/').collect()).chain(below).collect()
}

fn leads_to_a_route(path: &str, routes: &[Vec<&str>]) -> bool {
    let segments: Vec<&str> = path.split('/').collect();
    routes.iter().any(|route| {
        route.len() == segments.len()
            && route.iter().zip(&segments).all(|(wanted, found)| {
                if wanted.starts_with('{') { !found.is_empty() } else { wanted == found }
            })
    })
}

#[test]
fn every_page_renders_and_keeps_the_house_rules() {
    let routes = route_patterns();
    let both = say::Language::ALL.into_iter().flat_map(|language| say::speaking(language, all));
    for (name, html) in both {
        assert_eq!(html.matches("<h1").count(), 1, "{name}: one h1 names the page");
        for attribute in ["style", "onclick", "onload", "onsubmit"] {
            assert!(
                values(&html, attribute).is_empty(),
                "{name}: {attribute} breaks the content security policy"
            );
        }
        let ids = values(&html, "id");
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len(), "{name}: ids are unique in {ids:?}");
        for target in
            [values(&html, "aria-labelledby"), values(&html, "data-copy"), values(&html, "for")].concat()
        {
            assert!(distinct.contains(target), "{name}: nothing has the id {target}");
        }
        for href in [values(&html, "href"), values(&html, "action"), values(&html, "data-watch")].concat() {
            let path = href.split(['?', '#']).next().unwrap_or_default();
            let known = path.is_empty()
                || path.starts_with("/static/")
                || href.starts_with("mailto:")
                || href.starts_with("https://")
                || href.starts_with("data:text/plain;")
                || leads_to_a_route(path, &routes);
            assert!(known, "{name}: {href} leads nowhere");
        }
        assert!(!html.contains("/static/vendor/geist.woff2\""), "{name}: a static file without its hash");
    }
}

/// Writes all samples with the static files beside them, to be looked at in a browser.
#[test]
fn samples_can_be_written_to_a_directory() {
    let Some(directory) = std::env::var_os("PORTAL_SAMPLES") else { return };
    let directory = Path::new(&directory);
    for (name, html) in all() {
        std::fs::create_dir_all(directory).expect("the directory can be made");
        std::fs::write(directory.join(format!("{name}.html")), html).expect("a sample can be written");
    }
    for (url, bytes) in crate::assets::all() {
        let file = directory.join(url.trim_start_matches('/'));
        std::fs::create_dir_all(file.parent().expect("it lies in static"))
            .expect("the directory can be made");
        std::fs::write(file, bytes).expect("a file can be written");
    }
}
