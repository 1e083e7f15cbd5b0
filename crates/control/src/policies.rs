//! What all calls are held to, whatever they call and on whatever plan.

use serde_json::json;
use tollgate_domain::{ApiPolicies, InvalidPolicy, Policies};
use tollgate_store::PoliciesRow;
use uuid::Uuid;

use crate::change::{Subject, before_after, check_version};
use crate::{Action, Actor, Control, Error, FieldFault, Result};

/// Everything that is wrong with them; networks are written in the spelling that is stored.
pub fn check(policies: &mut Policies) -> Result<()> {
    policies.normalize();
    let faults = faults(policies.check(), "");
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// As [`check`], for those of an API, with pointers into the API.
pub fn check_of_api(policies: &mut ApiPolicies) -> Vec<FieldFault> {
    policies.normalize();
    faults(policies.check(), "/policies")
}

fn faults(found: Vec<InvalidPolicy>, base: &str) -> Vec<FieldFault> {
    let placed = found.into_iter().map(|one| FieldFault::new(format!("{base}{}", one.pointer), one.message));
    placed.collect()
}

/// There is one set of them.
pub const fn subject() -> Subject {
    Subject { kind: "policies", id: Uuid::nil(), organization: None }
}

impl Control {
    /// Puts what all calls are held to in place; with `expected`, only where that is its version (0: nobody said
    /// anything yet).
    ///
    /// # Errors
    /// `Invalid`, `VersionMismatch`, or the actor may not.
    pub async fn put_policies(
        &self,
        actor: &Actor,
        expected: Option<i64>,
        mut policies: Policies,
    ) -> Result<PoliciesRow> {
        actor.authorize(Action::Publish)?;
        check(&mut policies)?;
        let mut change = self.change(actor).await?;
        let before = change.tx.reads().get_policies().await?;
        check_version(expected, before.version)?;
        if before.version > 0 && before.policies == policies {
            return Ok(before);
        }
        change.tx.put_policies(&policies).await?;
        let details = before_after(&json!(before.policies), &json!(policies));
        change.compile_and_commit("policies.update", subject(), details).await?;
        Ok(self.store.get_policies().await?)
    }
}
