//! What stands against a change set once its author is right: subscriptions, and the gateways.

use std::collections::HashMap;

use tollgate_domain::{Blueprint, PlanId};
use tollgate_engine::{CompileError, Kind};
use tollgate_store::Tx;

use super::change_set::{ChangeSet, Verb};
use super::names::Names;
use super::resource::{Resource, pointer};
use super::wanted::Wanted;
use crate::{Error, FieldFault, Result};

/// Plans that somebody has or had cannot go; all of them are named at once.
pub async fn refuse_plans_in_use(tx: &mut Tx, changes: &ChangeSet, names: &Names) -> Result<()> {
    let by_name: HashMap<String, PlanId> =
        names.plans.iter().map(|((product, slug), id)| (format!("{product}/{slug}"), *id)).collect();
    let doomed: HashMap<PlanId, &str> = changes
        .steps
        .iter()
        .filter(|step| step.verb == Verb::Delete && step.kind == "plan")
        .filter_map(|step| Some((*by_name.get(&step.name)?, step.name.as_str())))
        .collect();
    let ids: Vec<PlanId> = doomed.keys().copied().collect();
    let in_use = tx.count_subscriptions(&ids).await?;
    let faults: Vec<FieldFault> = in_use
        .iter()
        .filter_map(|(id, count)| {
            let name = doomed.get(id)?;
            let these = if *count == 1 { "subscription, which" } else { "subscriptions, which" };
            Some(FieldFault::new(
                "",
                format!(
                    "plan {name} cannot be deleted: it has {count} {these} may be ended but stay on record; \
                     declare it with `state: closed` instead"
                ),
            ))
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// What a gateway would refuse, where the author declared it.
pub fn placed(fault: &CompileError, blueprint: &Blueprint, wanted: &Wanted, names: &Names) -> FieldFault {
    if fault.kind == Kind::Policies {
        return FieldFault::new(format!("{}/{}", pointer("policies", 0), fault.field), &fault.reason);
    }
    let service = names.services.iter().find(|(_, id)| id.to_string() == fault.id).map(|(slug, _)| slug);
    let plan = names.plans.iter().find(|(_, id)| id.to_string() == fault.id).map(|(name, _)| name);
    let route = blueprint
        .apis
        .iter()
        .flat_map(|api| api.routes.iter().map(move |route| (api, route)))
        .find(|(_, route)| route.id.to_string() == fault.id);
    let api = blueprint.apis.iter().find(|api| api.id.to_string() == fault.id).or(route.map(|(api, _)| api));
    let (kind, name) = match (service, plan, api) {
        (Some(slug), ..) => ("service", slug.to_string()),
        (_, Some((product, slug)), _) => ("plan", format!("{product}/{slug}")),
        (.., Some(api)) => ("api", api.slug.clone()),
        _ => return FieldFault::new("", fault.to_string()),
    };
    let state = &wanted.state;
    let index = match kind {
        "service" => position(&state.services, &name),
        "plan" => position(&state.plans, &name),
        _ => position(&state.apis, &name),
    };
    let Some(index) = index else {
        return FieldFault::new("", format!("{kind} {name}, {}: {}", fault.field, fault.reason));
    };
    let base = pointer(kind, index);
    match route {
        Some((_, route)) => {
            let path = route.path.replace('~', "~0").replace('/', "~1");
            let method = route.method.to_lowercase();
            FieldFault::new(format!("{base}/document/paths/{path}/{method}"), &fault.reason)
        }
        None => FieldFault::new(format!("{base}/{}", fault.field), &fault.reason),
    }
}

fn position<R: Resource>(resources: &[R], name: &str) -> Option<usize> {
    resources.iter().position(|resource| resource.name() == name)
}
