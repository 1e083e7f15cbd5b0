//! Declared states: all that is published, changed together or not at all.

mod change_set;
mod names;
mod refusal;
mod resource;
mod wanted;
mod write;

use std::collections::HashMap;

pub use change_set::{ChangeSet, FieldChange, OperationsChange, Step, Verb};
use change_set::{Compared, compare, removal};
use names::{Names, declared};
use refusal::{placed, refuse_plans_in_use};
use tollgate_domain::ApiId;
use tollgate_domain::declared::State;
use tollgate_store::Tx;
use wanted::Wanted;
use write::Writer;

use crate::{Action, Actor, Control, Error, FieldFault, Result};

/// How a state is applied.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApplyOptions {
    /// Do everything, tell what it was, and undo it.
    pub dry_run: bool,
    /// Delete what exists but is not declared.
    pub prune: bool,
}

impl Control {
    /// Makes what is declared hold: one transaction, one revision, one audit entry for each thing that changes.
    /// A state that holds already changes nothing. Faults are told with JSON Pointers into the state
    /// (`/plans/0/limits/1/amount`), with an empty one where they are of something that is not declared.
    ///
    /// # Errors
    /// `Invalid` with everything that is wrong, or the actor may not.
    pub async fn apply(&self, actor: &Actor, state: State, options: ApplyOptions) -> Result<ChangeSet> {
        actor.authorize(Action::Publish)?;
        let (wanted, mut faults) = Wanted::check(state).await;
        let mut change = self.change(actor).await?;
        let (current, mut names) = declared(change.tx.lock_publication().await?);
        faults.extend(wanted.references(&names, options.prune));
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let mut changes = changes(&mut change.tx, &wanted, &current, &names, options.prune).await?;
        if changes.steps.is_empty() {
            return Ok(changes);
        }
        refuse_plans_in_use(&mut change.tx, &changes, &names).await?;
        let mut writer = Writer::new(&mut change, &wanted, &current, &mut names);
        for step in &changes.steps {
            writer.step(step).await?;
        }
        let (blueprint, fault) = change.new_fault().await?;
        if let Some(fault) = fault {
            return Err(Error::Invalid(vec![placed(&fault, &blueprint, &wanted, &names)]));
        }
        if !options.dry_run {
            changes.revision = change.finish().await?;
        }
        Ok(changes)
    }

    /// All that is published as its author would declare it, without documents: applied, those in force stay.
    ///
    /// # Errors
    /// The actor may not, or the database failed.
    pub async fn declared_rows(&self, actor: &Actor) -> Result<State> {
        actor.authorize(Action::ReadPlatform)?;
        Ok(declared(self.store().publication_rows().await?).0)
    }

    /// All that is published as its author would declare it, with the documents in force as JSON text.
    ///
    /// # Errors
    /// The actor may not, or the database failed.
    pub async fn declared(&self, actor: &Actor) -> Result<State> {
        actor.authorize(Action::ReadPlatform)?;
        let (rows, documents) = self.store().publication().await?;
        let (mut state, names) = declared(rows);
        let mut documents: HashMap<ApiId, String> = documents.into_iter().collect();
        for api in &mut state.apis {
            api.document = names.apis.get(&api.slug).and_then(|id| documents.remove(id));
        }
        Ok(state)
    }
}

/// What [`Control::apply`] would refuse without looking at what exists: for authors whose other faults keep the state
/// from being applied at all. Empty where nothing is wrong.
pub async fn check_declared(state: State) -> Vec<FieldFault> {
    Wanted::check(state).await.1
}

/// Compares, in the order of dependency: what others refer to is made first and removed last.
async fn changes(
    tx: &mut Tx,
    wanted: &Wanted,
    current: &State,
    names: &Names,
    prune: bool,
) -> Result<ChangeSet> {
    let operations = operations(tx, wanted, names).await?;
    let (new, old) = (&wanted.state, current);
    let compared: [(&'static str, Compared); 7] = [
        ("service", compare(&new.services, &old.services, &[])),
        ("api", compare(&new.apis, &old.apis, &operations)),
        ("product", compare(&new.products, &old.products, &[])),
        ("plan", compare(&new.plans, &old.plans, &[])),
        ("policies", compare(&new.policies, &old.policies, &[])),
        ("portal", compare(&new.portals, &old.portals, &[])),
        ("page", compare(&new.pages, &old.pages, &[])),
    ];
    let mut changes = ChangeSet::default();
    let mut removals = Vec::new();
    for (kind, compared) in compared {
        changes.steps.extend(compared.steps);
        changes.unchanged += compared.unchanged;
        match prune {
            true => removals.push(compared.undeclared.into_iter().map(move |name| removal(kind, name))),
            false => {
                let names = compared.undeclared.into_iter().rev();
                changes.undeclared.extend(names.map(|name| format!("{kind} {name}")));
            }
        }
    }
    changes.steps.extend(removals.into_iter().rev().flatten());
    Ok(changes)
}

/// What each declared document does to the operations of its API; none where the one in force is the same.
async fn operations(tx: &mut Tx, wanted: &Wanted, names: &Names) -> Result<Vec<Option<OperationsChange>>> {
    let digests: HashMap<ApiId, String> = tx.list_document_digests().await?.into_iter().collect();
    let mut changes = Vec::with_capacity(wanted.documents.len());
    for (api, published) in wanted.state.apis.iter().zip(&wanted.documents) {
        let id = names.apis.get(&api.slug);
        let Some(published) = published else {
            changes.push(None);
            continue;
        };
        if id.and_then(|id| digests.get(id)).is_some_and(|digest| *digest == published.digest) {
            changes.push(None);
            continue;
        }
        let before: Vec<String> = match id {
            None => Vec::new(),
            Some(id) => {
                let rows = tx.list_operations(*id).await?;
                rows.into_iter().map(|(method, path)| format!("{method} {path}")).collect()
            }
        };
        let routed = published.document.operations().iter().filter(|operation| operation.method != "TRACE");
        let after: Vec<String> =
            routed.map(|operation| format!("{} {}", operation.method, operation.path)).collect();
        let without = |these: &[String], those: &[String]| -> Vec<String> {
            let those: std::collections::HashSet<&String> = those.iter().collect();
            these.iter().filter(|one| !those.contains(one)).cloned().collect()
        };
        changes.push(Some(OperationsChange {
            total: after.len(),
            added: without(&after, &before),
            removed: without(&before, &after),
        }));
    }
    Ok(changes)
}
