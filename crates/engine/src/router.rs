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
    /// Takes the last of `routes` in; where another has its place, that one keeps it.
    pub(crate) fn add(
        &mut self,
        hosts: &[String],
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
            let slots = self.paths.entry(key).or_default().entry(pattern.to_owned()).or_default();
            match slots[route.method as usize] {
                None => slots[route.method as usize] = Some(earlier_ones.len() as u32),
                // The same host may be listed twice.
                Some(by) if by as usize == earlier_ones.len() => {}
                Some(by) => taken = taken.or(Some(&routes[by as usize])),
            }
        }
        taken.map_or(Ok(()), |earlier| {
            let (method, template) = (route.method, &route.template);
            let reason = format_args!("{method} {template} is taken by route {}", earlier.id);
            Err(fault(Kind::Route, route.id, "path", reason).with(earlier.id))
        })
    }

    /// The trees: by host, and for any host. A path that no tree can tell from another is left out, and listed with the
    /// routes that lose their place.
    pub(crate) fn build(self, routes: &[Route]) -> Built {
        let mut built = Built::default();
        for (host, paths) in self.paths {
            // In the order of the routes, so that of two that conflict it is always the later that is left out.
            let mut paths: Vec<_> = paths.into_iter().collect();
            paths.sort_by_key(|(_, slots)| slots.iter().flatten().min().copied());
            let mut router = matchit::Router::new();
            for (pattern, by_method) in paths {
                let allow = allow(&by_method);
                let Err(error) = router.insert(pattern, PathRoutes { by_method, allow }) else { continue };
                let lost: Vec<u32> = by_method.iter().flatten().copied().collect();
                let first = lost.iter().min().map(|index| &routes[*index as usize]);
                let id = first.map_or_else(String::new, |route| route.id.to_string());
                let fault = fault(Kind::Route, id, "path", explain(&error, routes));
                let fault = match collides_with(&error, routes) {
                    Some(other) => fault.with(other.id),
                    None => fault,
                };
                built.left_out.push((fault, lost));
            }
            match host {
                Some(host) => {
                    built.hosts.insert(host, router);
                }
                None => built.any_host = router,
            }
        }
        // The tables of hosts come in no order.
        built.left_out.sort_by_key(|(_, lost)| lost.iter().min().copied());
        built
    }
}

/// What [`Tables::build`] makes.
#[derive(Default)]
pub(crate) struct Built {
    pub(crate) hosts: HostTables,
    pub(crate) any_host: matchit::Router<PathRoutes>,
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
