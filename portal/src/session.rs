//! Who visits: the session in Postgres, the viewer behind it, and what both allow.

use std::fmt;
use std::net::IpAddr;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_control::{Action, Actor, Face, Origin, Who};
use tollgate_domain::{MemberRole, OperatorRole, OrganizationId, Scope, UserId};
use tollgate_store::{SessionOwner, Store};
use tollgate_web::{RequestId, client_address};
use tower_sessions::Session;
use tower_sessions::session::Record;

use crate::PortalState;
use crate::agent::agent_of;
use crate::error::{Answer, Fault};
use crate::look;
use crate::say::{self, Language};
use crate::shell::{Area, Flash, Shell, Theme, Viewer};

/// The cookie that names the theme.
pub const THEME_COOKIE: &str = "theme";

const SIGNED_IN: &str = "signed_in";
const ORGANIZATION: &str = "organization";
const FLASH: &str = "flash";
const SECRET: &str = "secret";
const VIEWING: &str = "viewing";
/// How long an operator looks at the portal as others see it, in seconds.
const VIEWING_MAX: i64 = 3_600;

/// Through whose eyes an operator looks at the portal. Times are Unix seconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Viewing {
    organization: OrganizationId,
    name: String,
    since: i64,
}

/// What a session knows of its user. Times are Unix seconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SignedIn {
    user: UserId,
    since: i64,
    seen: i64,
    #[serde(default)]
    agent: String,
    #[serde(default)]
    address: String,
}

/// Whose session a record is, so that its owner can see and end it.
pub(crate) fn owner_of(record: &Record) -> Option<SessionOwner> {
    let signed_in = record.data.get(SIGNED_IN).and_then(|value| SignedIn::deserialize(value).ok())?;
    Some(SessionOwner {
        user: signed_in.user,
        agent: signed_in.agent,
        address: signed_in.address,
        seen_at: DateTime::from_timestamp(signed_in.seen, 0).unwrap_or_default(),
    })
}

/// How long a session lives, in seconds: at most, and without a request (OWASP ASVS 5.0, chapter 7).
struct Lifetime {
    most: i64,
    idle: i64,
    /// How old `seen` may grow before it is written again.
    touch: i64,
}

const OF_DEVELOPERS: Lifetime = Lifetime { most: 30 * 86_400, idle: 12 * 3_600, touch: 600 };
const OF_OPERATORS: Lifetime = Lifetime { most: 12 * 3_600, idle: 1_800, touch: 60 };

/// A signed-in user with their roles.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user.
    pub user_id: UserId,
    /// Their e-mail.
    pub email: String,
    /// Whether they have shown that the e-mail is theirs.
    pub verified: bool,
    /// When they signed up.
    pub since: DateTime<Utc>,
    /// When they signed in in this browser.
    pub signed_in_at: DateTime<Utc>,
    /// The organization they act in, and their role there.
    pub organization: Option<(OrganizationId, MemberRole)>,
    /// All organizations that they belong to.
    pub organizations: Vec<OrganizationId>,
    /// Their role on the platform.
    pub operator: Option<OperatorRole>,
    /// The organization that they look at the portal as, and change nothing for.
    pub viewing: Option<String>,
    /// What they chose to read in.
    pub language: Option<Language>,
}

/// A request of a browser: who, from where, for what.
#[derive(Debug)]
pub struct Visit {
    /// The session, empty for visitors.
    pub session: Session,
    /// The signed-in user.
    pub account: Option<Account>,
    /// The address it came from.
    pub address: Option<IpAddr>,
    /// The request's time.
    pub now: DateTime<Utc>,
    /// Tags of what the browser has of this page.
    pub known: Vec<HeaderValue>,
    request_id: Option<String>,
    user_agent: Option<String>,
    agent: String,
    theme: Theme,
    path: String,
    is_get: bool,
}

/// A member of an organization, acting in it.
#[derive(Debug, Clone)]
pub struct Member {
    /// For `control`.
    pub actor: Actor,
    /// For `store`.
    pub scope: Scope,
    /// Their organization.
    pub organization_id: OrganizationId,
}

impl FromRequestParts<PortalState> for Visit {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Fault> {
        let session = parts.extensions.get::<Session>().cloned().ok_or_else(|| {
            tracing::error!("the session layer is missing");
            Fault::Problem(tollgate_web::Problem::internal())
        })?;
        let now = Utc::now();
        let account = account(&session, &state.store, now).await?;
        let theirs = account.as_ref().and_then(|account| account.language);
        if let Some(theirs) = theirs.filter(|_| !parts.uri.path().starts_with("/admin")) {
            say::speak(theirs);
        }
        Ok(Self {
            account,
            session,
            address: client_address(&state.settings.trusted_proxies, parts),
            now,
            known: parts.headers.get_all(header::IF_NONE_MATCH).iter().cloned().collect(),
            request_id: parts.extensions.get::<RequestId>().map(|id| id.as_str().to_owned()),
            user_agent: parts
                .headers
                .get(header::USER_AGENT)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            agent: agent_of(&parts.headers),
            theme: theme_of(&parts.headers),
            path: parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            is_get: parts.method == axum::http::Method::GET,
        })
    }
}

/// The theme that a request's cookie names; the publisher's where it names none.
#[must_use]
pub fn theme_of(headers: &HeaderMap) -> Theme {
    CookieJar::from_headers(headers)
        .get(THEME_COOKIE)
        .map_or_else(|| look::worn().theme, |cookie| Theme::named(cookie.value()))
}

/// The name of the session's cookie.
#[must_use]
pub const fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-session" } else { "session" }
}

/// Whether a request carries a session's cookie, valid or not.
#[must_use]
pub fn seems_signed_in(headers: &HeaderMap) -> bool {
    let jar = CookieJar::from_headers(headers);
    [true, false].into_iter().any(|secure| jar.get(cookie_name(secure)).is_some())
}

async fn account(session: &Session, store: &Store, now: DateTime<Utc>) -> Result<Option<Account>, Fault> {
    let Some(signed_in) = session.get::<SignedIn>(SIGNED_IN).await? else { return Ok(None) };
    let user = store.find_user(signed_in.user).await?.filter(|user| user.disabled_at.is_none());
    let operator = store.find_operator(signed_in.user).await?.map(|row| row.role);
    let lifetime = if operator.is_some() { OF_OPERATORS } else { OF_DEVELOPERS };
    let now = now.timestamp();
    let over = now - signed_in.since > lifetime.most || now - signed_in.seen > lifetime.idle;
    let Some(user) = user.filter(|_| !over) else {
        session.flush().await?;
        return Ok(None);
    };
    if now - signed_in.seen > lifetime.touch {
        session.insert(SIGNED_IN, SignedIn { seen: now, ..signed_in.clone() }).await?;
    }
    let memberships = store.list_memberships(user.id).await?;
    // The one they chose, as long as they belong to it; else the first they belonged to.
    let wanted = session.get::<OrganizationId>(ORGANIZATION).await?;
    let chosen =
        memberships.iter().find(|member| Some(member.organization_id) == wanted).or(memberships.first());
    let own = chosen.map(|member| (member.organization_id, member.role));
    let viewing = session.get::<Viewing>(VIEWING).await?;
    let viewing = viewing.filter(|viewing| operator.is_some() && now - viewing.since < VIEWING_MAX);
    Ok(Some(Account {
        user_id: user.id,
        email: user.email,
        verified: user.email_verified_at.is_some(),
        since: user.created_at,
        signed_in_at: DateTime::from_timestamp(signed_in.since, 0).unwrap_or_default(),
        // Whoever looks through others' eyes reads, whatever their own role is.
        organization: viewing.as_ref().map(|one| (one.organization, MemberRole::Viewer)).or(own),
        viewing: viewing.map(|viewing| viewing.name),
        organizations: memberships.iter().map(|member| member.organization_id).collect(),
        operator,
        language: user.language.as_deref().and_then(Language::named),
    }))
}

impl Visit {
    /// Starts a session of this user under a new id, so that an id known before is worth nothing.
    ///
    /// # Errors
    /// The database is away.
    pub async fn sign_in(&self, user: UserId) -> Result<(), Fault> {
        self.session.clear().await;
        self.session.cycle_id().await?;
        let now = self.now.timestamp();
        let address = self.address.map(|address| address.to_canonical().to_string()).unwrap_or_default();
        let signed_in = SignedIn { user, since: now, seen: now, agent: self.agent.clone(), address };
        Ok(self.session.insert(SIGNED_IN, signed_in).await?)
    }

    /// Acts in another organization from now on; whether they belong to it is asked with every request.
    ///
    /// # Errors
    /// The database is away.
    pub async fn act_in(&self, organization: OrganizationId) -> Result<(), Fault> {
        Ok(self.session.insert(ORGANIZATION, organization).await?)
    }

    /// Looks at the portal as an organization's people see it, for an hour at most.
    ///
    /// # Errors
    /// The database is away.
    pub async fn view_as(&self, organization: OrganizationId, name: String) -> Result<(), Fault> {
        let viewing = Viewing { organization, name, since: self.now.timestamp() };
        Ok(self.session.insert(VIEWING, viewing).await?)
    }

    /// Looks through their own eyes again; returns the organization that they looked at.
    ///
    /// # Errors
    /// The database is away.
    pub async fn view_as_oneself(&self) -> Result<Option<OrganizationId>, Fault> {
        let viewing = self.session.remove::<Viewing>(VIEWING).await?;
        Ok(viewing.map(|viewing| viewing.organization))
    }

    /// Ends the session here and in the database.
    ///
    /// # Errors
    /// The database is away.
    pub async fn sign_out(&self) -> Result<(), Fault> {
        Ok(self.session.flush().await?)
    }

    /// Browser and system in a few words.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// Where the request came from, for the audit log.
    fn origin(&self) -> Origin {
        Origin::new(Face::Portal, self.address, self.user_agent.as_deref())
    }

    /// The signed-in user as an actor on their own account.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub fn person(&self) -> Result<(UserId, Actor), Fault> {
        let account = self.account()?;
        let actor =
            Actor::new(Who::Person { user_id: account.user_id }, self.request_id.clone()).from(self.origin());
        Ok((account.user_id, actor))
    }

    /// The visitor as an actor: for signing up and in.
    #[must_use]
    pub fn visitor(&self) -> Actor {
        Actor::new(Who::Visitor, self.request_id.clone()).from(self.origin())
    }

    /// The visitor as somebody who looks at what is on offer.
    #[must_use]
    pub fn viewer(&self) -> tollgate_store::Viewer {
        let organization = self.account.as_ref().and_then(|account| account.organization);
        tollgate_store::Viewer {
            signed_in: self.account.is_some(),
            organization: organization.map(|(id, _)| id),
        }
    }

    /// The signed-in user.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub fn account(&self) -> Result<&Account, Fault> {
        // A form that was posted cannot be gone back to; its page is asked for again.
        let back = if self.is_get { self.path.clone() } else { "/applications".into() };
        self.account.as_ref().ok_or(Fault::SignIn(back))
    }

    /// The signed-in user as a member of their organization.
    ///
    /// # Errors
    /// Nobody is signed in, or they belong to no organization.
    pub fn member(&self) -> Result<Member, Fault> {
        let account = self.account()?;
        let (organization_id, role) = account.organization.ok_or_else(Fault::forbidden)?;
        let who = Who::Member { user_id: account.user_id, organization_id, role };
        let actor = Actor::new(who, self.request_id.clone()).from(self.origin());
        let scope = actor.authorize(Action::ReadOrganization(organization_id))?;
        Ok(Member { actor, scope, organization_id })
    }

    /// The signed-in user as an operator, with the scope of all rows.
    ///
    /// # Errors
    /// Nobody is signed in; or they do not run the platform, and to them there is no such page.
    pub fn operator(&self) -> Result<(Actor, Scope), Fault> {
        let account = self.account()?;
        let role = account.operator.ok_or_else(Fault::not_found)?;
        let who = Who::Operator { user_id: account.user_id, role };
        let actor = Actor::new(who, self.request_id.clone()).from(self.origin());
        let scope = actor.authorize(Action::ReadPlatform)?;
        Ok((actor, scope))
    }

    /// What stands around the page; takes the message of the step before out of the session.
    ///
    /// # Errors
    /// The database is away.
    pub async fn shell(&self, area: Area, title: impl Into<String>) -> Result<Shell, Fault> {
        let account = self.account.as_ref();
        // Taken only where it is: removing marks the session as changed, and a page that polls must not write
        // back what another page has just taken out.
        let flash = match self.session.get::<Flash>(FLASH).await? {
            Some(_) => self.session.remove::<Flash>(FLASH).await?,
            None => None,
        };
        Ok(Shell {
            look: crate::look::worn(),
            title: title.into(),
            path: self.path.clone(),
            area,
            viewer: account.map(|a| Viewer {
                email: a.email.clone(),
                is_operator: a.operator.is_some(),
                unverified: !a.verified,
            }),
            offers_sign_in: account.is_none(),
            viewing: account.and_then(|account| account.viewing.clone()),
            theme: self.theme,
            flash,
        })
    }

    /// Goes on to another page, with a message for it.
    ///
    /// # Errors
    /// The database is away.
    pub async fn go(&self, path: &str, flash: Option<Flash>) -> Answer {
        if let Some(flash) = flash {
            self.session.insert(FLASH, flash).await?;
        }
        Ok(Redirect::to(path).into_response())
    }

    /// Keeps a secret for the next page to show once.
    ///
    /// # Errors
    /// The database is away.
    pub async fn keep_secret(&self, of: impl fmt::Display, secret: &str) -> Result<(), Fault> {
        Ok(self.session.insert(SECRET, (of.to_string(), secret)).await?)
    }

    /// Takes the secret of a thing out of the session: the first reader gets it, nobody after. It is gone from
    /// the database before it is shown.
    ///
    /// # Errors
    /// The database is away.
    pub async fn take_secret(&self, of: impl fmt::Display) -> Result<Option<String>, Fault> {
        let Some((owner, secret)) = self.session.get::<(String, String)>(SECRET).await? else {
            return Ok(None);
        };
        if owner != of.to_string() {
            return Ok(None);
        }
        self.session.remove_value(SECRET).await?;
        self.session.save().await?;
        Ok(Some(secret))
    }

    /// The page itself.
    ///
    /// # Errors
    /// It cannot be rendered.
    pub fn page(&self, view: &impl Template) -> Answer {
        self.page_with(StatusCode::OK, view)
    }

    /// The same page again, with what is wrong in it.
    ///
    /// # Errors
    /// It cannot be rendered.
    pub fn refused(&self, view: &impl Template) -> Answer {
        self.page_with(StatusCode::UNPROCESSABLE_ENTITY, view)
    }

    /// The page itself, with a status of its own.
    ///
    /// # Errors
    /// It cannot be rendered.
    pub fn page_with(&self, status: StatusCode, view: &impl Template) -> Answer {
        Ok(self.caching((status, Html(view.render()?)).into_response()))
    }

    /// An answer that says who may keep it: nobody where somebody is signed in, whose pages may show what is theirs.
    #[must_use]
    pub fn caching(&self, mut response: Response) -> Response {
        let caching = if self.account.is_some() { "no-store" } else { "private, no-cache" };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Cookie"));
        response
    }
}

/// An answer that nothing may keep, whoever asked: for pages that show a secret.
#[must_use]
pub fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
