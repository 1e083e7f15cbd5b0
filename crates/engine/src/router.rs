//! Path templates become radix trees, one per host and set of conditions.

mod conditional;

use std::collections::HashMap;
use std::sync::Arc;

use crate::admission::{Method, check_path};
use crate::compile::{CompileError, Kind, fault};
use crate::rules::Whence;
use crate::snapshot::Route;
pub(crate) use conditional::Conditions;
use conditional::{Trees, is_ambiguous};

const CATCH_ALL_RULE: &str = "a parameter with * must be the whole last segment";

/// The router's spelling of base path and OpenAPI template, parameters named by position: then templates that differ
/// only in their parameters' names are one. `{*rest}` at the end stands for any number of segments, at least one.
pub(crate) fn pattern(base_path: &str, template: &str) -> Result<String, String> {
    if !template.starts_with('/') {
        return Err("it must begin with /".to_owned());
    }
    let mut pattern = base_path.to_owned();
    // The template with every parameter filled in must itself be a path that can be called.
    let mut sample = base_path.to_owned();
    let mut rest = template;
    let mut count = 0;
    while let Some(open) = rest.find('{') {
        let literal = &rest[..open];
        let close = rest[open..].find('}').ok_or("a parameter is not closed")? + open;
        let name = &rest[open + 1..close];
        let (star, name) = match name.strip_prefix('*') {
            Some(name) => ("*", name),
            None => ("", name),
        };
        if name.is_empty() || name.contains(['{', '/', '*']) {
            return Err(format!("`{{{name}}}` is not a parameter"));
        }
        if !star.is_empty() && !literal.ends_with('/') {
            return Err(CATCH_ALL_RULE.to_owned());
        }
        pattern.push_str(literal);
        pattern.push_str(&format!("{{{star}p{count}}}"));
        sample.push_str(literal);
        sample.push('x');
        count += 1;
        rest = &rest[close + 1..];
    }
    if rest.contains('}') {
        return Err("a parameter is not opened".to_owned());
    }
    pattern.push_str(rest);
    sample.push_str(rest);
    check_path(&sample).map_err(|bad| format!("no call could have this path: {}", bad.reason()))?;
    Ok(pattern)
}

/// No route: indices are far below.
const NONE: u32 = u32::MAX;

/// The routes of one path, by method.
#[derive(Debug, Clone, Copy)]
struct Slots([u32; Method::ALL.len()]);

impl Default for Slots {
    fn default() -> Self {
        Self([NONE; _])
    }
}

impl Slots {
    fn of(&self, method: Method) -> Option<u32> {
        Some(self.0[method as usize]).filter(|route| *route != NONE)
    }

    fn routes(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied().filter(|route| *route != NONE)
    }

    /// RFC 9110 §9.3.2: HEAD is GET without the body.
    fn serving(&self, method: Method) -> Option<u32> {
        let own = self.of(method);
        if own.is_none() && method == Method::Head { self.of(Method::Get) } else { own }
    }

    /// The value of `Allow`.
    fn allow(&self) -> Arc<str> {
        let served = Method::ALL.into_iter().filter(|method| self.serving(*method).is_some());
        served.map(Method::as_str).collect::<Vec<_>>().join(", ").into()
    }
}

/// What a look-up of a route found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteMatch {
    /// This route.
    Found(u32),
    /// The path is known, the method is not; the value of `Allow`.
    MethodNotAllowed(Arc<str>),
    /// Nothing.
    NotFound,
}

/// The trees of all paths, by host and for any host.
#[derive(Debug, Default)]
pub(crate) struct Router {
    hosts: HashMap<Box<str>, Trees>,
    any_host: Trees,
    /// What the trees lead to. Apart from them: their nodes are large as they are.
    paths: Vec<Slots>,
}

impl Router {
    /// Finds a route: first among the paths of exactly this host, then among those of any host; among each first where
    /// most conditions hold.
    pub(crate) fn find(&self, host: &str, method: Method, path: &str, whence: &dyn Whence) -> RouteMatch {
        let mut known = None;
        let own = if self.hosts.is_empty() { None } else { self.hosts.get(host) };
        for tree in own.into_iter().chain([&self.any_host]).flat_map(|trees| trees.open_to(whence)) {
            let Ok(found) = tree.at(path) else { continue };
            let slots = &self.paths[*found.value as usize];
            match slots.serving(method) {
                Some(route) => return RouteMatch::Found(route),
                None => known = known.or(Some(slots)),
            }
        }
        known.map_or(RouteMatch::NotFound, |slots| RouteMatch::MethodNotAllowed(slots.allow()))
    }
}

/// Paths by host and conditions while they are collected; no host is any host.
#[derive(Default)]
pub(crate) struct Tables {
    paths: HashMap<Option<Box<str>>, HashMap<Conditions, PathsBySpelling>>,
}

type PathsBySpelling = HashMap<String, Slots>;

impl Tables {
    /// Takes the last of `routes` in; where another has its place, that one keeps it.
    pub(crate) fn add(
        &mut self,
        hosts: &[String],
        conditions: &Conditions,
        pattern: &str,
        routes: &[Route],
    ) -> Result<(), CompileError> {
        let Some((route, earlier_ones)) = routes.split_last() else { return Ok(()) };
        let mut keys: Vec<Option<Box<str>>> = hosts.iter().map(|host| Some(host.as_str().into())).collect();
        if keys.is_empty() {
            keys.push(None);
        }
        let mut taken = None;
        for key in keys {
            let of_host = self.paths.entry(key).or_default();
            let mut rivals = of_host.iter().filter(|(others, _)| is_ambiguous(conditions, others));
            if let Some(by) = rivals.find_map(|(_, paths)| paths.get(pattern)?.of(route.method)) {
                taken = taken.or(Some((by, "could also be a call of")));
                continue;
            }
            let slots = of_host.entry(conditions.clone()).or_default().entry(pattern.to_owned()).or_default();
            match slots.of(route.method) {
                None => slots.0[route.method as usize] = earlier_ones.len() as u32,
                // The same host may be listed twice.
                Some(by) if by as usize == earlier_ones.len() => {}
                Some(by) => taken = taken.or(Some((by, "is taken by"))),
            }
        }
        taken.map_or(Ok(()), |(by, how)| {
            let earlier = &routes[by as usize];
            let (method, template) = (route.method, &route.template);
            let reason = format_args!("{method} {template} {how} route {}", earlier.id);
            Err(fault(Kind::Route, route.id, "path", reason).with(earlier.id))
        })
    }

    /// The trees. A path that no tree can tell from another is left out, and listed with the routes that lose their
    /// place.
    pub(crate) fn build(self, routes: &[Route]) -> Built {
        let mut built = Built::default();
        for (host, conditions, paths) in self.paths.into_iter().flat_map(|(host, sets)| {
            sets.into_iter().map(move |(conditions, paths)| (host.clone(), conditions, paths))
        }) {
            // In the order of the routes, so that of two that conflict it is always the later that is left out.
            let mut paths: Vec<_> = paths.into_iter().collect();
            paths.sort_by_key(|(_, slots)| slots.routes().min());
            let mut tree = matchit::Router::new();
            for (pattern, slots) in paths {
                let place = built.router.paths.len() as u32;
                let Err(error) = tree.insert(pattern, place) else {
                    built.router.paths.push(slots);
                    continue;
                };
                let lost: Vec<u32> = slots.routes().collect();
                let first = lost.iter().min().map(|index| &routes[*index as usize]);
                let id = first.map_or_else(String::new, |route| route.id.to_string());
                let fault = fault(Kind::Route, id, "path", explain(&error, routes));
                let fault = match collides_with(&error, routes) {
                    Some(other) => fault.with(other.id),
                    None => fault,
                };
                built.left_out.push((fault, lost));
            }
            // A copy has no room to spare, where a tree that grew has some 900 bytes for each route.
            let tree = tree.clone();
            let trees = match host {
                Some(host) => built.router.hosts.entry(host).or_default(),
                None => &mut built.router.any_host,
            };
            trees.add(&conditions, tree);
        }
        // The tables of hosts come in no order.
        built.left_out.sort_by_key(|(_, lost)| lost.iter().min().copied());
        built
    }
}

/// What [`Tables::build`] makes.
#[derive(Default)]
pub(crate) struct Built {
    pub(crate) router: Router,
    /// Each fault with the routes that have no place because of it.
    pub(crate) left_out: Vec<(CompileError, Vec<u32>)>,
}

fn collides_with<'a>(error: &matchit::InsertError, routes: &'a [Route]) -> Option<&'a Route> {
    match error {
        matchit::InsertError::Conflict { with } => {
            routes.iter().find(|route| pattern("", &route.template).is_ok_and(|p| p == *with))
        }
        _ => None,
    }
}

fn explain(error: &matchit::InsertError, routes: &[Route]) -> String {
    match error {
        matchit::InsertError::Conflict { with } => match collides_with(error, routes) {
            Some(other) => {
                format!("it cannot be told apart from {} of route {}", other.template, other.id)
            }
            None => format!("it cannot be told apart from {with}"),
        },
        matchit::InsertError::InvalidParamSegment => "a segment can hold one parameter only".to_owned(),
        matchit::InsertError::InvalidCatchAll => CATCH_ALL_RULE.to_owned(),
        _ => "its parameters are not well formed".to_owned(),
    }
}

#[cfg(test)]
mod tests;
