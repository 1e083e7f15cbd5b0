//! What is personal: sessions to end, an account to take away with one, and to leave.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tollgate_domain::{MemberRole, OrganizationId, Scope, UserId};
use tollgate_store::{Page, Tx};
use uuid::Uuid;

use crate::change::Subject;
use crate::{Actor, Control, Error, Result};

/// A sign-in that is no older says who somebody is.
const JUST_NOW: TimeDelta = TimeDelta::minutes(10);

impl Control {
    /// Ends one session of a user.
    ///
    /// # Errors
    /// `NotFound` where the user has no such session.
    pub async fn end_session(&self, actor: &Actor, user: UserId, id: Uuid) -> Result<()> {
        let mut change = self.change(actor).await?;
        if !change.tx.delete_session_by_id(user, id).await? {
            return Err(Error::NotFound("session"));
        }
        change.commit("user.session.end", subject(user), json!({})).await
    }

    /// Ends all sessions of a user but the one that asks; returns how many.
    ///
    /// # Errors
    /// The database is away.
    pub async fn end_other_sessions(&self, actor: &Actor, user: UserId, own: &[u8]) -> Result<u64> {
        let mut change = self.change(actor).await?;
        let ended = change.tx.delete_sessions(user, Some(own)).await?;
        change.commit("user.session.end", subject(user), json!({ "ended": ended })).await?;
        Ok(ended)
    }

    /// Everything that is kept about a person, for them to take away (GDPR, articles 15 and 20).
    ///
    /// # Errors
    /// `NotFound`, or the database is away.
    pub async fn export_person(&self, user_id: UserId) -> Result<Value> {
        let user = self.store.find_user(user_id).await?.ok_or(Error::NotFound("user"))?;
        let sessions = self.store.list_sessions(user_id).await?;
        let sessions: Vec<Value> = sessions
            .iter()
            .map(|one| {
                json!({ "browser": one.agent, "address": one.address, "since": one.created_at, "seen": one.seen_at })
            })
            .collect();
        let mut organizations = Vec::new();
        for member in self.store.list_memberships(user_id).await? {
            organizations.push(self.export_organization(member.organization_id, member.role).await?);
        }
        let factor = self.store.find_second_factor(user_id).await?;
        let identities = self.store.list_identities(user_id).await?;
        let identities: Vec<Value> = identities
            .iter()
            .map(|one| {
                json!({ "issuer": one.issuer, "subject": one.subject, "email": one.email, "since": one.created_at,
                    "used": one.last_used_at })
            })
            .collect();
        let passkeys = self.store.list_passkeys(user_id).await?;
        let passkeys: Vec<Value> = passkeys
            .iter()
            .map(|one| json!({ "name": one.name, "since": one.created_at, "used": one.last_used_at }))
            .collect();
        Ok(json!({
            "identities": identities,
            "passkeys": passkeys,
            "user": {
                "id": user.id, "email": user.email, "name": user.name, "created_at": user.created_at,
                "email_verified_at": user.email_verified_at,
                "second_factor_since": factor.map(|factor| factor.created_at),
            },
            "sessions": sessions,
            "organizations": organizations,
        }))
    }

    async fn export_organization(&self, id: OrganizationId, role: MemberRole) -> Result<Value> {
        let scope = Scope::Organization(id);
        let organization = self.store.get_organization(scope, id).await?;
        let applications = self.store.list_applications(scope, Page::FIRST_500).await?;
        let keys = self.store.list_credentials(scope, None, Page::FIRST_500).await?;
        let subscriptions = self.store.list_subscriptions(scope, None, Page::FIRST_500).await?;
        let keys_of = |application| {
            let own = keys.iter().filter(move |key| key.application_id == application);
            own.map(|key| {
                json!({
                    "id": key.id, "name": key.name, "begins_with": key.display_prefix, "created_at": key.created_at,
                    "expires_at": key.expires_at, "revoked_at": key.revoked_at, "last_used_at": key.last_used_at,
                })
            })
            .collect::<Vec<_>>()
        };
        let subscriptions_of = |application| {
            let own = subscriptions.iter().filter(move |one| one.application_id == application);
            own.map(|one| json!({ "id": one.id, "plan_id": one.plan_id, "state": one.state, "created_at": one.created_at }))
                .collect::<Vec<_>>()
        };
        let applications: Vec<Value> = applications
            .iter()
            .map(|one| {
                json!({
                    "id": one.id, "name": one.name, "created_at": one.created_at, "keys": keys_of(one.id),
                    "subscriptions": subscriptions_of(one.id),
                })
            })
            .collect();
        Ok(json!({ "id": id, "name": organization.name, "role": role, "applications": applications }))
    }

    /// Ends an account for good: its address is forgotten, organizations in which nobody else is end with it. Who came by a
    /// provider and has no password shows who they are by having signed in a moment ago.
    ///
    /// # Errors
    /// `Invalid` with `/password`, or `/email` where they have to sign in anew; `Conflict` where others would be left without
    /// an owner, or the platform without an admin.
    pub async fn delete_account(
        &self,
        actor: &Actor,
        user_id: UserId,
        password: &str,
        signed_in_at: DateTime<Utc>,
    ) -> Result<()> {
        if self.has_password(user_id).await? {
            self.check_password(user_id, password).await?;
        } else if Utc::now() - signed_in_at > JUST_NOW {
            let text =
                "sign in again through your provider first: the last time was more than ten minutes ago";
            return Err(Error::invalid("/email", text));
        }
        let is_admin = self
            .store
            .find_operator(user_id)
            .await?
            .is_some_and(|row| row.role == tollgate_domain::OperatorRole::Admin);
        let mut change = self.change(actor).await?;
        if is_admin && change.tx.count_other_admins(user_id).await? == 0 {
            return Err(Error::Conflict(
                "the platform needs an admin; make somebody else one first".to_owned(),
            ));
        }
        let memberships = self.store.list_memberships(user_id).await?;
        let organizations: Vec<OrganizationId> = memberships.iter().map(|one| one.organization_id).collect();
        leave_all(&mut change.tx, user_id, &organizations).await?;
        change.tx.end_user(user_id).await?;
        change.commit("user.delete", subject(user_id), json!({})).await
    }

    /// Whether an account has a password; one that a provider opened has none before its owner sets it.
    ///
    /// # Errors
    /// `Unauthenticated` for nobody; or the database failed.
    pub async fn has_password(&self, user_id: UserId) -> Result<bool> {
        let user = self.store.find_user(user_id).await?.ok_or(Error::Unauthenticated)?;
        Ok(!user.password_hash.is_empty())
    }

    /// Ends shadows whose seven days are over.
    pub(crate) async fn end_shadows(&self) -> Result<()> {
        for user in self.store.list_expired_shadows().await? {
            let memberships = self.store.list_memberships(user.id).await?;
            let organizations: Vec<OrganizationId> =
                memberships.iter().map(|one| one.organization_id).collect();
            let actor = Actor::system();
            let mut change = self.change(&actor).await?;
            // Nobody can be invited by a shadow, so nobody is left behind; where somebody is all the same, it stays.
            match leave_all(&mut change.tx, user.id, &organizations).await {
                Err(Error::Conflict(_)) => continue,
                other => other?,
            }
            change.tx.end_user(user.id).await?;
            change.commit("user.shadow.end", subject(user.id), json!({})).await?;
        }
        Ok(())
    }
}

/// Leaves organizations, and ends those in which nobody else is.
async fn leave_all(tx: &mut Tx, user: UserId, organizations: &[OrganizationId]) -> Result<()> {
    for organization in organizations {
        let members = tx.lock_members(*organization).await?;
        let others = || members.iter().filter(|member| member.user_id != user);
        if others().next().is_none() {
            tx.delete_organization(*organization).await?;
        } else if !others().any(|member| member.role == MemberRole::Owner) {
            let message =
                "you are the last owner of an organization with other members; make one of them owner first";
            return Err(Error::Conflict(message.to_owned()));
        }
    }
    Ok(())
}

const fn subject(user: UserId) -> Subject {
    Subject { kind: "user", id: user.uuid(), organization: None }
}
