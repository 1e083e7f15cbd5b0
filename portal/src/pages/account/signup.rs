//! Signing up: two fields, and everything a first call needs is there.

use askama::Template;
use axum::extract::{Query, State};
use serde::Deserialize;
use tollgate_control::SignUp;

use super::password_rule;
use super::signin::{Way, ways};
use crate::error::{Answer, Fault, query_value};
use crate::form::{Form, local_path};
use crate::say::{Language, language, t};
use crate::session::Visit;
use crate::shell::{Area, Shell};
use crate::{PortalState, filters};

pub struct Wanted {
    pub slug: String,
    pub name: String,
    pub plan: String,
}

#[derive(Template)]
#[template(path = "account/signup.html")]
pub struct View {
    pub shell: Shell,
    pub form: Form,
    pub product: Option<Wanted>,
    pub password_rule: String,
    pub signin_href: String,
    pub ways: Vec<Way>,
    /// The invitation that is gone back to; else empty.
    pub next: String,
}

/// What the page's address carries.
#[derive(Debug, Deserialize)]
pub struct Address {
    product: Option<String>,
    #[serde(default)]
    next: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Typed {
    email: String,
    password: String,
    product: Option<String>,
    #[serde(default)]
    next: String,
}

/// Where somebody with a new account goes: back to the invitation that they came from, else to their first call.
pub fn first_page(next: &str) -> &str {
    match local_path(next) {
        path if path.starts_with("/invitations/") => path,
        _ => "/get-started",
    }
}

/// `GET /signup`
pub async fn get(State(state): State<PortalState>, visit: Visit, Query(address): Query<Address>) -> Answer {
    if visit.account.is_some() {
        let there = match wanted(&state, address.product.as_deref()).await? {
            Some(product) => format!("/products/{}", product.slug),
            None if local_path(&address.next).starts_with("/invitations/") => address.next,
            None => "/applications".into(),
        };
        return visit.go(&there, None).await;
    }
    visit.page(&view(&state, &visit, Form::default(), address.product.as_deref(), &address.next).await?)
}

/// `POST /signup`
pub async fn post(
    State(state): State<PortalState>,
    visit: Visit,
    axum::Form(typed): axum::Form<Typed>,
) -> Answer {
    let input = SignUp {
        email: typed.email.clone(),
        password: typed.password,
        product: typed.product.clone(),
        address: visit.address,
        // Whoever reads English may do so because no other language of theirs is spoken here.
        language: Some(language()).filter(|language| *language != Language::English),
    };
    let signed_up = match state.control.sign_up(&visit.visitor(), input).await {
        Ok(signed_up) => signed_up,
        Err(error) => {
            let form = Form::with([("email", typed.email)]).refused(error)?;
            return visit.refused(&view(&state, &visit, form, typed.product.as_deref(), &typed.next).await?);
        }
    };
    let Some(key) = signed_up.key else {
        return super::code::admit(&state, &visit, signed_up.user_id, first_page(&typed.next)).await;
    };
    visit.sign_in(signed_up.user_id).await?;
    visit.keep_secret(key.id, key.secret.reveal()).await?;
    visit.go(first_page(&typed.next), None).await
}

async fn view(
    state: &PortalState,
    visit: &Visit,
    form: Form,
    product: Option<&str>,
    back: &str,
) -> Result<View, Fault> {
    let invitation = Some(local_path(back)).filter(|path| path.starts_with("/invitations/"));
    let there = invitation.map(str::to_owned).or_else(|| product.map(|slug| format!("/products/{slug}")));
    let next = there.map_or_else(String::new, |there| format!("?next={}", query_value(&there)));
    let query = match (invitation, product) {
        (Some(_), _) => next.clone(),
        (None, Some(slug)) => format!("?product={}", query_value(slug)),
        (None, None) => String::new(),
    };
    Ok(View {
        ways: ways(state, true, &query),
        shell: visit.shell(Area::Public, t("get-a-key")).await?,
        form,
        product: wanted(state, product).await?,
        password_rule: password_rule(),
        signin_href: format!("/signin{next}"),
        next: invitation.unwrap_or_default().to_owned(),
    })
}

/// The product that the visitor came for, with its free plan.
async fn wanted(state: &PortalState, slug: Option<&str>) -> Result<Option<Wanted>, Fault> {
    let Some(slug) = slug else { return Ok(None) };
    let Some(product) = state
        .store
        .list_offered_products(tollgate_store::Viewer::SIGNED_IN)
        .await?
        .into_iter()
        .find(|p| p.slug.as_str() == slug)
    else {
        return Ok(None);
    };
    let free = state.store.find_gratis_plan(product.id).await?;
    Ok(free.map(|plan| Wanted { slug: slug.into(), name: product.name, plan: plan.name }))
}

#[cfg(test)]
impl View {
    pub fn samples() -> Vec<Self> {
        let wanted = || Wanted { slug: "countries".into(), name: "Countries".into(), plan: "Free".into() };
        let view = |form, product| Self {
            shell: Shell::sample(Area::Public, "Get a key", "/signup"),
            form,
            product,
            password_rule: password_rule(),
            signin_href: "/signin?next=/products/countries".into(),
            next: String::new(),
            ways: Vec::new(),
        };
        let faults = vec![
            tollgate_control::FieldFault::new("/email", "an e-mail address, like name@example.com"),
            tollgate_control::FieldFault::new(
                "/password",
                "at least 15 characters; three or four random words are good",
            ),
        ];
        let form =
            Form::with([("email", "maria@".to_owned())]).refused(tollgate_control::Error::Invalid(faults));
        vec![
            view(Form::default(), Some(wanted())),
            view(form.expect("faults are shown"), Some(wanted())),
            view(Form::default(), None),
            View {
                ways: vec![Way { name: "Example SSO".into(), href: "/signin/with/work".into() }],
                ..view(Form::default(), Some(wanted()))
            },
        ]
    }
}
