//! Which account an identity opens, and what the first sign-in makes.

use serde_json::json;
use tollgate_domain::{OperatorRole, UserId};
use tollgate_store::{GrantedRole, NewUser, UserRow};
use uuid::Uuid;

use super::provider::Provider;
use super::settings::SignsIn;
use super::{Fault, Identity, Result};
use crate::accounts::check_email;
use crate::change::{Change, Subject, before_after};
use crate::operators::keeps_an_admin;
use crate::{Actor, Control, Error, SignedUp};

/// Somebody whom a provider proved.
#[derive(Debug, Clone)]
pub enum Admitted {
    /// The owner of an account that was there.
    Known(UserId),
    /// Somebody new, with all that signing up makes.
    New(Box<SignedUp>),
}

/// An identity that is about to open a new account.
#[derive(Debug)]
pub(crate) struct FromProvider<'a> {
    provider: &'a Provider,
    identity: &'a Identity,
}

impl Control {
    /// The account of a proven identity; made where there is none. An account that exists already is opened to it only
    /// where the provider and the account both have shown that the address is theirs.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn admit(
        &self,
        actor: &Actor,
        provider: &str,
        identity: &Identity,
        product: Option<&str>,
    ) -> Result<Admitted> {
        let provider = self.providers.get(provider)?;
        let admitted = match self.store.find_identity(&identity.issuer, &identity.subject).await? {
            Some(user) => self.admit_known(actor, provider, identity, user).await,
            None => match self.admit_new(actor, provider, identity, product).await {
                // The same browser came twice: what the first one made is there by now.
                Err(Fault::Other(Error::Conflict(_))) => {
                    let user = self.store.find_identity(&identity.issuer, &identity.subject).await?;
                    self.admit_known(actor, provider, identity, user.ok_or(Error::Busy)?).await
                }
                made => made,
            },
        };
        self.figures.count_sign_in("provider", admitted.is_ok());
        admitted
    }

    async fn admit_known(
        &self,
        actor: &Actor,
        provider: &Provider,
        identity: &Identity,
        user_id: UserId,
    ) -> Result<Admitted> {
        let user = self.store.find_user(user_id).await?.ok_or(Fault::Disabled)?;
        self.may_open(provider, &user).await?;
        if provider.ready.is_for(SignsIn::Operators) {
            let mut change = self.change(actor).await?;
            let role = sync_role(&mut change, provider, identity, user_id).await?;
            // A role that was taken stays taken, also where that is why they do not get in.
            change.finish().await?;
            if role.is_none() && !provider.ready.is_for(SignsIn::Developers) {
                return Err(Fault::NoRole);
            }
        }
        self.store.touch_identity(&identity.issuer, &identity.subject).await?;
        Ok(Admitted::Known(user_id))
    }

    async fn admit_new(
        &self,
        actor: &Actor,
        provider: &Provider,
        identity: &Identity,
        product: Option<&str>,
    ) -> Result<Admitted> {
        let email = identity.email.as_deref().ok_or(Fault::NoEmail)?;
        let mut faults = Vec::new();
        check_email(email, &mut faults);
        if !faults.is_empty() {
            return Err(Fault::NoEmail);
        }
        let for_developers = provider.ready.is_for(SignsIn::Developers);
        if identity.role.is_none() && !for_developers {
            return Err(Fault::NoRole);
        }
        let owner = self.store.find_user_by_email(email).await?;
        if let Some(owner) = owner.as_ref().filter(|owner| owner.email_verified_at.is_some())
            && identity.email_verified
        {
            self.may_open(provider, owner).await?;
            return self.link(actor, provider, identity, owner.id).await;
        }
        let new = NewUser {
            id: UserId::from(Uuid::now_v7()),
            email,
            // Opens nothing: whoever wants a password has one sent.
            password_hash: "",
            shadow_of: owner.map(|owner| owner.id),
            language: None,
        };
        let from = FromProvider { provider, identity };
        if for_developers {
            let plan = self.free_plan(product).await?;
            let signed_up = self.insert_newcomer(actor, &new, plan.as_ref(), Some(&from)).await?;
            return Ok(Admitted::New(Box::new(signed_up)));
        }
        if !identity.email_verified {
            // To run the platform, the address must be theirs.
            return Err(Fault::NoEmail);
        }
        let mut change = self.change(actor).await?;
        self.insert_person(&mut change.tx, &new).await?;
        self.settle_identity(&mut change, &new, &from).await?;
        let details = json!({ "provider": provider.ready.settings.slug });
        change.commit("user.sign_up", subject("user", new.id), details).await?;
        Ok(Admitted::Known(new.id))
    }

    /// Lets an identity open an account that is there.
    async fn link(
        &self,
        actor: &Actor,
        provider: &Provider,
        identity: &Identity,
        user: UserId,
    ) -> Result<Admitted> {
        let mut change = self.change(actor).await?;
        let email = identity.email.as_deref().unwrap_or_default();
        change.tx.insert_identity(user, &identity.issuer, &identity.subject, email).await?;
        sync_role(&mut change, provider, identity, user).await?;
        let details = json!({ "provider": provider.ready.settings.slug });
        change.commit("user.identity.create", subject("user", user), details).await?;
        Ok(Admitted::Known(user))
    }

    /// Writes, beside a new user, whose they are: the identity, the address where the provider vouches for it, the role.
    pub(crate) async fn settle_identity(
        &self,
        change: &mut Change<'_>,
        new: &NewUser<'_>,
        from: &FromProvider<'_>,
    ) -> crate::Result<()> {
        let identity = from.identity;
        change.tx.insert_identity(new.id, &identity.issuer, &identity.subject, new.email).await?;
        if !identity.email_verified {
            return crate::jobs::queue(&mut change.tx, &crate::jobs::Job::VerifyEmail { user_id: new.id })
                .await;
        }
        if let Some(owner) = new.shadow_of {
            // Somebody typed this address before and never showed that it is theirs.
            if change.tx.lock_user(owner).await?.email_verified_at.is_some() {
                return Err(Error::Busy);
            }
            change.tx.swap_shadow(new.id, owner).await?;
        }
        change.tx.verify_user(new.id).await?;
        sync_role(change, from.provider, identity, new.id).await.map(drop)
    }

    /// Takes one of somebody's identities away; there must be another way in.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where nothing else would open the account.
    pub async fn delete_identity(
        &self,
        actor: &Actor,
        user_id: UserId,
        issuer: &str,
        subject_there: &str,
    ) -> crate::Result<()> {
        let mut change = self.change(actor).await?;
        let user = change.tx.lock_user(user_id).await?;
        let others = self.store.list_identities(user_id).await?.len() > 1;
        if user.password_hash.is_empty() && !others {
            let text = "nothing else opens your account; set a password first";
            return Err(Error::Conflict(text.to_owned()));
        }
        if !change.tx.delete_identity(user_id, issuer, subject_there).await? {
            return Err(Error::NotFound("identity"));
        }
        change.commit("user.identity.delete", subject("user", user_id), json!({ "issuer": issuer })).await
    }

    /// Whether a provider may open this account.
    async fn may_open(&self, provider: &Provider, user: &UserRow) -> Result<()> {
        if user.disabled_at.is_some() {
            return Err(Fault::Disabled);
        }
        let runs_it = self.store.find_operator(user.id).await?.is_some();
        if runs_it && !provider.ready.is_for(SignsIn::Operators) {
            return Err(Fault::NotForOperators);
        }
        Ok(())
    }
}

/// Gives, changes or takes the role that follows from claims. One that somebody gave by hand stays as it is, and so does
/// the last admin.
async fn sync_role(
    change: &mut Change<'_>,
    provider: &Provider,
    identity: &Identity,
    user: UserId,
) -> crate::Result<Option<OperatorRole>> {
    let admins = change.tx.lock_admins().await?;
    let present = change.tx.lock_granted_role(user).await?;
    let role = present.as_ref().map(|present| present.role);
    if !provider.ready.is_for(SignsIn::Operators) || role == identity.role {
        return Ok(role);
    }
    let issuer = identity.issuer.as_str();
    if present.is_some_and(|GrantedRole { granted_by, .. }| granted_by.as_deref() != Some(issuer)) {
        return Ok(role);
    }
    if role == Some(OperatorRole::Admin) && keeps_an_admin(&admins, user).is_err() {
        tracing::warn!(%user, "the last admin keeps their role, though the provider's claims do not give it any more");
        return Ok(role);
    }
    let action = match identity.role {
        Some(wanted) => {
            change.tx.insert_operator(user, wanted, Some(issuer)).await?;
            if role.is_some() { "operator.update" } else { "operator.create" }
        }
        None => {
            change.tx.delete_operator(user).await?;
            "operator.delete"
        }
    };
    let details = before_after(&json!({ "role": role }), &json!({ "role": identity.role, "issuer": issuer }));
    change.note(action, &subject("operator", user), &details).await?;
    Ok(identity.role)
}

const fn subject(kind: &'static str, user: UserId) -> Subject {
    Subject { kind, id: user.uuid(), organization: None }
}
