//! A blueprint with faults is served as far as it goes: what is at fault stays as it was, or is refused by itself.

use std::collections::HashSet;

use tollgate_domain::{Blueprint, UnreadableRow};

use super::CompileError;
use super::parts::{self, Compiled, Fault, Part};
use crate::snapshot::Snapshot;

/// What can be served of a blueprint.
#[derive(Debug)]
pub struct Tolerated {
    /// All of it. Calls of what is at fault and was never sound are refused with [`crate::Denial::ConfigInvalid`].
    pub snapshot: Snapshot,
    /// The rows that it was compiled from: those at fault as they were before.
    pub blueprint: Blueprint,
    /// All that is wrong with the rows as they are now; empty where nothing is.
    pub faults: Vec<CompileError>,
}

/// Compiles as much as can be. A service, plan or API at fault (with its routes) is taken as it was in `before`, the
/// blueprint in force, unless that would break a part that is sound.
#[must_use]
pub fn compile_what_can_be(blueprint: Blueprint, before: Option<&Blueprint>) -> Tolerated {
    let Compiled { snapshot, faults } = parts::compile(&blueprint);
    let errors = |faults: Vec<Fault>| faults.into_iter().map(|fault| fault.error).collect::<Vec<_>>();
    let Some(before) = before.filter(|_| !faults.is_empty()) else {
        return Tolerated { snapshot, blueprint, faults: errors(faults) };
    };
    let broken: HashSet<Part> = faults.iter().map(|fault| fault.part).collect();
    let mended = with_parts_of(&blueprint, before, &broken);
    let compiled = parts::compile(&mended);
    let faults = errors(faults);
    if compiled.faults.iter().any(|fault| !broken.contains(&fault.part)) {
        return Tolerated { snapshot, blueprint, faults };
    }
    Tolerated { snapshot: compiled.snapshot, blueprint: mended, faults }
}

/// A blueprint with the parts `wanted` as `before` has them, where it has them.
fn with_parts_of(blueprint: &Blueprint, before: &Blueprint, wanted: &HashSet<Part>) -> Blueprint {
    let mut mended = blueprint.clone();
    if wanted.contains(&Part::Policies) {
        mended.unreadable.retain(|row| row.row != UnreadableRow::Policies);
        mended.policies = before.policies.clone();
    }
    for service in before.services.iter().filter(|service| wanted.contains(&Part::Service(service.id))) {
        mended.unreadable.retain(|row| row.row != UnreadableRow::Service(service.id));
        replace(&mut mended.services, service, |service| service.id);
    }
    for plan in before.plans.iter().filter(|plan| wanted.contains(&Part::Plan(plan.id))) {
        mended.unreadable.retain(|row| row.row != UnreadableRow::Plan(plan.id));
        replace(&mut mended.plans, plan, |plan| plan.id);
    }
    for api in before.apis.iter().filter(|api| wanted.contains(&Part::Api(api.id))) {
        mended.unreadable.retain(|row| row.row != UnreadableRow::Api(api.id));
        replace(&mut mended.apis, api, |api| api.id);
    }
    mended
}

fn replace<T: Clone, K: Ord>(rows: &mut Vec<T>, row: &T, id: impl Fn(&T) -> K) {
    match rows.iter_mut().find(|it| id(it) == id(row)) {
        Some(found) => *found = row.clone(),
        None => {
            // Rows come in the order of their ids, which decides who keeps a contested path.
            let at = rows.partition_point(|it| id(it) < id(row));
            rows.insert(at, row.clone());
        }
    }
}

#[cfg(test)]
mod tests;
