//! Path templates become a radix tree per host.

use std::collections::HashMap;
use std::sync::Arc;

use crate::admission::{Method, check_path};
use crate::compile::{CompileError, Kind, fault};
use crate::snapshot::{PathRoutes, Route};

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

/// Routes of one path, by method.
type Slots = [Option<u32>; Method::ALL.len()];

/// Paths by host while they are collected; none is any host.
#[derive(Default)]
pub(crate) struct Tables {
    paths: HashMap<Option<Box<str>>, HashMap<String, Slots>>,
}

type HostTables = HashMap<Box<str>, matchit::Router<PathRoutes>>;

impl Tables {
    /// Takes the route at `index` in.
    pub(crate) fn add(
        &mut self,
        hosts: &[String],
        pattern: String,
        method: Method,
        index: u32,
        routes: &[Route],
    ) -> Result<(), CompileError> {
        let mut keys: Vec<Option<Box<str>>> = hosts.iter().map(|host| Some(host.as_str().into())).collect();
        if keys.is_empty() {
            keys.push(None);
        }
        keys.dedup();
        for key in keys {
            let slots = self.paths.entry(key).or_default().entry(pattern.clone()).or_default();
            if let Some(earlier) = slots[method as usize].replace(index) {
                let (route, earlier) = (&routes[index as usize], &routes[earlier as usize]);
                if earlier.id == route.id {
                    continue;
                }
                let reason = format_args!("{method} {} is taken by route {}", route.template, earlier.id);
                return Err(fault(Kind::Route, route.id, "path", reason).with(earlier.id));
            }
        }
        Ok(())
    }

    /// The trees: by host, and for any host.
    pub(crate) fn build(
        self,
        routes: &[Route],
    ) -> Result<(HostTables, matchit::Router<PathRoutes>), CompileError> {
        let mut hosts = HashMap::new();
        let mut any_host = matchit::Router::new();
        for (host, paths) in self.paths {
            // In the order of the routes, so that a conflict always names the same one.
            let mut paths: Vec<_> = paths.into_iter().collect();
            paths.sort_by_key(|(_, slots)| slots.iter().flatten().min().copied());
            let mut router = matchit::Router::new();
            for (pattern, by_method) in paths {
                let first = by_method.iter().flatten().min().map(|index| &routes[*index as usize]);
                let allow = allow(&by_method);
                router.insert(pattern, PathRoutes { by_method, allow }).map_err(|error| {
                    let id = first.map_or_else(String::new, |route| route.id.to_string());
                    let fault = fault(Kind::Route, id, "path", explain(&error, routes));
                    match collides_with(&error, routes) {
                        Some(other) => fault.with(other.id),
                        None => fault,
                    }
                })?;
            }
            match host {
                Some(host) => {
                    hosts.insert(host, router);
                }
                None => any_host = router,
            }
        }
        Ok((hosts, any_host))
    }
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

fn allow(by_method: &Slots) -> Arc<str> {
    let has = |method: Method| by_method[method as usize].is_some();
    let listed = Method::ALL
        .into_iter()
        .filter(|method| has(*method) || (*method == Method::Head && has(Method::Get)))
        .map(Method::as_str);
    listed.collect::<Vec<_>>().join(", ").into()
}

#[cfg(test)]
mod tests;
