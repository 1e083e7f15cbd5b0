//! What would happen to a call, and why: the route, the terms and every limit with where it comes from.

mod limits;

use std::net::IpAddr;

use chrono::Utc;
use tollgate_domain::{
    ApplicationState, CredentialId, KeyScope, PolicyScope, Restrictions, SubscriptionState,
};
use tollgate_engine::admission::{check_method, check_path};
use tollgate_engine::{Denial, RouteMatch, Tolerated, Whence, compile_what_can_be};
use tollgate_store::{
    ApiRow, ApplicationRow, Column, CredentialRow, Listing, PlanRow, ProductRow, RouteRow, SubscriptionRow,
    Wanted,
};

use self::limits::mark_first;
pub use self::limits::{AnyLimit, EffectiveLimit, HeldTo};
use crate::{Action, Actor, Control, Error, FundsStanding, Result};

/// What is asked about.
#[derive(Debug, Clone)]
pub struct Question {
    /// A key's id, or its first characters.
    pub key: String,
    /// Upper-case method.
    pub method: String,
    /// Path as the gateway gets it, without query.
    pub path: String,
    /// Host without port, where APIs answer on hosts of their own.
    pub host: String,
    /// Its fields by name and value, where APIs are told apart by them.
    pub headers: Vec<(String, String)>,
}

impl Whence for Question {
    fn address(&self) -> Option<IpAddr> {
        None
    }

    fn origin(&self) -> Option<&[u8]> {
        None
    }

    fn field(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.headers.iter().filter(|header| header.0.eq_ignore_ascii_case(name));
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value.as_bytes())
    }
}

/// What a call would meet, as far as it would come.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// `admitted`, or the code of the problem that it would be refused with.
    pub verdict: &'static str,
    /// The verdict in plain words.
    pub because: String,
    /// The operation that it would reach, with its API.
    pub route: Option<(ApiRow, RouteRow)>,
    /// What it is held to whatever plan it is on.
    pub held: HeldTo,
    /// The key.
    pub key: CredentialRow,
    /// Whose key it is.
    pub application: ApplicationRow,
    /// The terms that it would be decided under.
    pub terms: Option<Terms>,
}

/// The terms of a call.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The subscription that opens the API.
    pub subscription: SubscriptionRow,
    /// The product that it is to.
    pub product: ProductRow,
    /// The plan that it is on.
    pub plan: PlanRow,
    /// Every limit that holds.
    pub limits: Vec<EffectiveLimit>,
    /// The money that it depends on.
    pub funds: FundsStanding,
}

impl Control {
    /// Explains what would happen to a call with a key.
    ///
    /// # Errors
    /// `NotFound` for an unknown key; `Conflict` where several keys begin so; `Invalid` for a path or method that no call
    /// can have; or the actor may not.
    pub async fn explain(&self, actor: &Actor, question: &Question) -> Result<Explanation> {
        let scope = actor.authorize(Action::ReadPlatform)?;
        let method = check_method(&question.method)
            .map_err(|_| Error::invalid("/method", "a method that can be routed, like GET"))?;
        check_path(&question.path).map_err(|bad| {
            Error::invalid("/path", format!("no call can have this path: {}", bad.reason()))
        })?;
        let key = self.key_like(actor, &question.key).await?;
        let application = self.store.get_application(scope, key.application_id).await?;
        let compiled = self.compiled().await?;
        let (snapshot, compiled_rows) = (&compiled.snapshot, &compiled.blueprint);
        let found = snapshot.find_route(&question.host.to_lowercase(), method, &question.path, question);
        let mut explanation = Explanation {
            verdict: "admitted",
            because: String::new(),
            route: None,
            held: HeldTo::default(),
            key,
            application,
            terms: None,
        };
        match found {
            RouteMatch::NotFound => {
                if let Some(Denial::ApiRetired { successor }) =
                    snapshot.find_retired(&question.host.to_lowercase(), &question.path)
                {
                    return Ok(explanation.refused("api_retired", retired(successor.as_deref())));
                }
                let because =
                    "no published API has this path, or the call lacks a header that its API is told by";
                return Ok(explanation.refused("route_not_found", because));
            }
            RouteMatch::MethodNotAllowed(allow) => {
                return Ok(explanation.refused("method_not_allowed", format!("this path takes {allow}")));
            }
            RouteMatch::Found(index) => {
                let route = snapshot.route(index);
                let compiled = snapshot.api_of(route);
                let api = self.store.get_api(compiled.id).await?;
                let is_over = !api.is_served(Utc::now());
                let rows = self.store.list_routes(api.id).await?;
                let row = rows.into_iter().find(|row| row.id == route.id).ok_or(Error::NotFound("route"))?;
                let platform = &compiled_rows.policies;
                explanation.held = HeldTo::of(platform, &api.policies, &row.method, &row.path);
                explanation.route = Some((api, row));
                if is_over {
                    return Ok(explanation.refused("api_retired", "the API's sunset is past"));
                }
            }
        }
        if explanation.key.revoked_at.is_some() {
            return Ok(explanation.refused("invalid_credential", "the key was revoked"));
        }
        if explanation.key.expires_at.is_some_and(|at| at <= Utc::now()) {
            return Ok(explanation.refused("expired_credential", "the key has expired"));
        }
        if let Some((api, route)) = &explanation.route {
            let scopes = explanation.key.restrictions().scopes;
            let allows = |scope: &String| {
                let tags = route.tags.iter().map(String::as_str);
                let read = scope.parse::<KeyScope>();
                read.is_ok_and(|scope| scope.allows(api.slug.as_str(), &route.operation_id, tags))
            };
            if !scopes.is_empty() && !scopes.iter().any(allows) {
                let because = format!("the key is held to {}", scopes.join(", "));
                return Ok(explanation.refused("scope_missing", because));
            }
        }
        self.with_terms(actor, explanation, &compiled).await
    }

    async fn with_terms(
        &self,
        actor: &Actor,
        mut explanation: Explanation,
        compiled: &Tolerated,
    ) -> Result<Explanation> {
        let scope = actor.authorize(Action::ReadPlatform)?;
        let api = explanation.route.as_ref().map(|(api, _)| api.id);
        let of_application = Listing {
            filters: vec![(Column::Application, Wanted::Id(explanation.application.id.uuid()))],
            limit: 200,
            ..Listing::default()
        };
        let mut opening = Vec::new();
        for subscription in self.store.find_subscriptions(scope, &of_application).await? {
            let carried =
                matches!(subscription.state, SubscriptionState::Active | SubscriptionState::Suspended);
            let product = self.store.get_product(subscription.product_id).await?;
            if carried && api.is_some_and(|api| product.apis().contains(&api)) {
                opening.push((subscription, product));
            }
        }
        // As the gateway takes them: an active one first.
        opening.sort_by_key(|(subscription, _)| {
            (subscription.state != SubscriptionState::Active, subscription.id)
        });
        let Some((subscription, product)) = opening.into_iter().next() else {
            let because = "the application has no subscription to a product with this API";
            return Ok(explanation.refused("not_entitled", because));
        };
        let unpaid = subscription.unpaid;
        let plan = self.store.get_plan(subscription.landed_plan().unwrap_or(subscription.plan_id)).await?;
        let is_broken = compiled.snapshot.is_broken(plan.id)
            || compiled.snapshot.apis().iter().any(|it| Some(it.id) == api && it.is_broken);
        let written = format!("plan {} of product {}", plan.slug, product.slug);
        let standing = self.standing_of(&subscription).await?;
        let mut limits = explanation.limits_of_policies();
        match standing.is_empty() {
            // A suspended subscription has no standing; its plan's limits are told.
            true => {
                let of_plan = plan.limits.iter().cloned();
                limits.extend(of_plan.map(|limit| EffectiveLimit::of_plan(limit, written.clone())));
            }
            false => {
                limits.extend(standing.into_iter().map(|one| EffectiveLimit::standing(one, &written)));
            }
        }
        mark_first(&mut limits, explanation.units());
        let suspended = subscription.state == SubscriptionState::Suspended
            || explanation.application.state == ApplicationState::Suspended;
        let exhausted = limits.iter().find_map(EffectiveLimit::exhausted);
        let funds = self.funds_standing(actor, &subscription, &plan, Utc::now()).await?;
        let (broke, throttled) = (funds.refusal(), funds.throttled_to().map(str::to_owned));
        explanation.terms = Some(Terms { subscription, product, plan, limits, funds });
        if suspended {
            return Ok(explanation
                .refused("subscription_suspended", "the subscription or its application is suspended"));
        }
        if unpaid {
            return Ok(explanation
                .refused("payment_required", "a bill for the subscription is unpaid and its grace is over"));
        }
        if is_broken {
            let fault = compiled.faults.first().map_or_else(String::new, ToString::to_string);
            let because = format!(
                "something of its API or plan does not compile, and only gateways that had it before serve it, as it was: {fault}"
            );
            return Ok(explanation.refused("config_invalid", because));
        }
        if let Some(because) = exhausted {
            return Ok(explanation.refused("quota_exceeded", because));
        }
        if let Some((code, because)) = broke {
            return Ok(explanation.refused(code, because));
        }
        let Restrictions { networks, origins, .. } = explanation.key.restrictions();
        if let Some(free) = throttled {
            explanation.because = format!(
                "its spend cap is reached: it is held to the limits of {free}, and costs nothing more"
            );
            return Ok(explanation);
        }
        let mut because =
            "nothing stands against it but its rate limits, as they are at that moment".to_owned();
        if !networks.is_empty() || !origins.is_empty() {
            because.push_str(", and the networks or sites that the key is held to");
        }
        if !explanation.held.networks.is_empty() {
            because.push_str(", and the networks that its policies name");
        }
        explanation.because = because;
        Ok(explanation)
    }

    /// The key with this id, or the only one that begins so.
    async fn key_like(&self, actor: &Actor, text: &str) -> Result<CredentialRow> {
        let scope = actor.authorize(Action::ReadPlatform)?;
        if let Ok(id) = text.parse::<CredentialId>() {
            return Ok(self.store.get_credential(scope, id).await?);
        }
        let like = Listing { search: Some(text.to_owned()), limit: 200, ..Listing::default() };
        let mut rows = self.store.find_credentials(scope, &like).await?;
        rows.retain(|row| row.display_prefix.starts_with(text));
        match rows.len() {
            0 => Err(Error::NotFound("key")),
            1 => Ok(rows.remove(0)),
            _ => Err(Error::Conflict(
                "several keys begin so; give more characters, or the key's id".to_owned(),
            )),
        }
    }

    /// Checks that gateways would take all of the configuration in force; returns how many routes it has.
    ///
    /// # Errors
    /// `Conflict` naming what they refuse; the actor may not; or the database is away.
    pub async fn check_configuration(&self, actor: &Actor) -> Result<usize> {
        actor.authorize(Action::ReadPlatform)?;
        let compiled = self.compiled().await?;
        match compiled.faults.first() {
            Some(fault) => {
                Err(Error::Conflict(format!("gateways refuse a row of the configuration: {fault}")))
            }
            None => Ok(compiled.snapshot.routes().len()),
        }
    }

    /// What a gateway would compile that has nothing from before.
    async fn compiled(&self) -> Result<Tolerated> {
        let blueprint = self.store.feed_blueprint().await?;
        tokio::task::spawn_blocking(move || compile_what_can_be(blueprint, None))
            .await
            .map_err(|error| Error::Internal(Box::new(error)))
    }
}

fn retired(successor: Option<&str>) -> String {
    match successor {
        Some(successor) => format!("the API that had this path is retired; {successor} takes its place"),
        None => "the API that had this path is retired".to_owned(),
    }
}

impl Explanation {
    /// Rates of the platform, the API and the operation.
    fn limits_of_policies(&self) -> Vec<EffectiveLimit> {
        let Some((api, route)) = &self.route else { return Vec::new() };
        let from = |scope| match scope {
            PolicyScope::Operation => {
                format!("operation {} {}{} of API {}", route.method, api.base_path, route.path, api.slug)
            }
            PolicyScope::Api => format!("API {}", api.slug),
            _ => "the platform's policies".to_owned(),
        };
        let rates = self.held.rates.iter().cloned();
        rates.map(|(scope, rate)| EffectiveLimit::of_policy(scope, rate, from(scope))).collect()
    }

    /// What the call costs of a quota.
    fn units(&self) -> u32 {
        self.route.as_ref().map_or(1, |(api, route)| api.metering.units_of(&route.method, &route.path))
    }

    fn refused(self, verdict: &'static str, because: impl Into<String>) -> Self {
        Self { verdict, because: because.into(), ..self }
    }
}
