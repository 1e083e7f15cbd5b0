//! Who runs the platform: roles given and taken.

use serde_json::json;
use tollgate_domain::{OperatorRole, UserId};
use tollgate_store::PersonRow;

use crate::change::{Subject, before_after};
use crate::{Action, Actor, Control, Error, Result};

impl Control {
    /// Gives a user a role on the platform, or another one.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where no admin would be left; or the actor may not.
    pub async fn put_operator(&self, actor: &Actor, user: UserId, role: OperatorRole) -> Result<PersonRow> {
        actor.authorize(Action::ManagePeople)?;
        actor.may_hand_out(None)?;
        let mut change = self.change(actor).await?;
        let admins = change.tx.lock_admins().await?;
        let person = change.tx.reads().get_person(user).await?;
        if person.role() == Some(role) {
            return Ok(person);
        }
        if role != OperatorRole::Admin {
            keeps_an_admin(&admins, user)?;
        }
        change.tx.insert_operator(user, role, None).await?;
        let details = before_after(&json!({ "role": person.role() }), &json!({ "role": role }));
        change.commit("operator.update", subject(user), details).await?;
        Ok(self.store.get_person(user).await?)
    }

    /// Takes a user's role on the platform away.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where no admin would be left; or the actor may not.
    pub async fn delete_operator(&self, actor: &Actor, user: UserId) -> Result<()> {
        actor.authorize(Action::ManagePeople)?;
        let mut change = self.change(actor).await?;
        let admins = change.tx.lock_admins().await?;
        keeps_an_admin(&admins, user)?;
        let person = change.tx.reads().get_person(user).await?;
        if !change.tx.delete_operator(user).await? {
            return Err(Error::NotFound("operator"));
        }
        let details = json!({ "before": { "role": person.role() } });
        change.commit("operator.delete", subject(user), details).await
    }
}

/// Somebody must be able to give roles: the last admin stays one.
pub(crate) fn keeps_an_admin(admins: &[UserId], without: UserId) -> Result<()> {
    match admins {
        [last] if *last == without => Err(Error::Conflict(
            "this is the last admin who can sign in; make another user admin first".to_owned(),
        )),
        _ => Ok(()),
    }
}

const fn subject(user: UserId) -> Subject {
    Subject { kind: "operator", id: user.uuid(), organization: None }
}
