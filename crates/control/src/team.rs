//! Teams: who belongs to an organization, what they may do, and asking others in.

use serde_json::json;
use tollgate_domain::{MemberRole, OrganizationId, UserId};
use tollgate_store::InvitationRow;
use uuid::Uuid;

use crate::accounts::check_email;
use crate::change::{Subject, before_after};
use crate::jobs::{self, Job};
use crate::links::{digest, random_token};
use crate::throttle::Subjects;
use crate::{Actor, Control, Error, Result, SecretText, Who};

/// Invitations that wait at once, so that nobody sends mails to half the world from here.
const INVITATIONS_MAX: usize = 50;

impl Control {
    /// Invites somebody by mail into the actor's organization.
    ///
    /// # Errors
    /// `Invalid` with `/email`; `Conflict` for a member, or while the actor's own address is not confirmed; `Forbidden`
    /// for who is no owner; `TooManyTries` for an address that gets many mails.
    pub async fn invite(&self, actor: &Actor, email: &str, role: MemberRole) -> Result<()> {
        let (organization, user_id) = owner(actor)?;
        let email = email.trim().to_lowercase();
        let mut faults = Vec::new();
        check_email(&email, &mut faults);
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let verified =
            self.store.find_user(user_id).await?.is_some_and(|user| user.email_verified_at.is_some());
        if !verified {
            return Err(Error::Conflict(
                "confirm your own e-mail address before you invite others".to_owned(),
            ));
        }
        if self.store.list_invitations(organization).await?.len() >= INVITATIONS_MAX {
            return Err(Error::Conflict(format!("at most {INVITATIONS_MAX} invitations wait at once")));
        }
        self.check_mails(&Subjects::new(&email, None)).await?;
        let mut change = self.change(actor).await?;
        if change.tx.lock_members(organization).await?.iter().any(|member| member.email == email) {
            return Err(Error::invalid("/email", "this address belongs to a member already"));
        }
        let id = change.tx.insert_invitation(organization, &email, role, user_id).await?;
        jobs::queue(&mut change.tx, &Job::Invite { invitation_id: id }).await?;
        change.commit("invitation.create", subject(id, organization), json!({ "role": role })).await
    }

    /// Sends an invitation's mail again, with a new link.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`; `TooManyTries`.
    pub async fn invite_again(&self, actor: &Actor, id: Uuid) -> Result<()> {
        let (organization, _) = owner(actor)?;
        let row = self.store.find_invitation(id).await?.filter(|row| row.organization_id == organization);
        let row = row.ok_or(Error::NotFound("invitation"))?;
        self.check_mails(&Subjects::new(&row.email, None)).await?;
        self.queue(&Job::Invite { invitation_id: id }, None, None).await?;
        Ok(())
    }

    /// Takes an invitation back: its link opens nothing any more.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn revoke_invitation(&self, actor: &Actor, id: Uuid) -> Result<()> {
        let (organization, _) = owner(actor)?;
        let mut change = self.change(actor).await?;
        change.tx.delete_invitation(organization, id).await?;
        change.commit("invitation.delete", subject(id, organization), json!({})).await
    }

    /// What a link invites to.
    ///
    /// # Errors
    /// `DeadLink`.
    pub async fn invitation(&self, token: &str) -> Result<InvitationRow> {
        self.store.find_invitation_by_digest(&digest(token)).await?.ok_or(Error::DeadLink)
    }

    /// Joins the organization of a link. Whoever got the mail may join with any account of theirs; where it has the invited
    /// address, that is confirmed too.
    ///
    /// # Errors
    /// `DeadLink`; `Conflict` for who is a member already.
    pub async fn accept_invitation(
        &self,
        actor: &Actor,
        user_id: UserId,
        token: &str,
    ) -> Result<OrganizationId> {
        let row = self.invitation(token).await?;
        let mut change = self.change(actor).await?;
        if !change.tx.use_invitation(&digest(token)).await? {
            return Err(Error::DeadLink);
        }
        let user = change.tx.lock_user(user_id).await?;
        let members = change.tx.lock_members(row.organization_id).await?;
        if members.iter().any(|member| member.user_id == user_id) {
            return Err(Error::Conflict("you are a member of this organization already".to_owned()));
        }
        change.tx.insert_member(row.organization_id, user_id, row.role).await?;
        if user.email == row.email && user.shadow_of.is_none() {
            change.tx.verify_user(user_id).await?;
        }
        let subject = Subject { kind: "member", id: user_id.uuid(), organization: Some(row.organization_id) };
        change.commit("member.create", subject, json!({ "role": row.role })).await?;
        Ok(row.organization_id)
    }

    /// Changes what a member of the actor's organization may do.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`; `Conflict` where nobody would be owner any more.
    pub async fn change_member(&self, actor: &Actor, user: UserId, role: MemberRole) -> Result<()> {
        let (organization, _) = owner(actor)?;
        let mut change = self.change(actor).await?;
        let members = change.tx.lock_members(organization).await?;
        let member = members.iter().find(|member| member.user_id == user).ok_or(Error::NotFound("member"))?;
        if role != MemberRole::Owner {
            check_owner_stays(&members, user)?;
        }
        let details = before_after(&json!({ "role": member.role }), &json!({ "role": role }));
        change.tx.update_member(organization, user, role).await?;
        let subject = Subject { kind: "member", id: user.uuid(), organization: Some(organization) };
        change.commit("member.update", subject, details).await
    }

    /// Takes a member out of the actor's organization: owners anybody, everybody themselves.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`; `Conflict` where nobody would be owner any more.
    pub async fn remove_member(&self, actor: &Actor, user: UserId) -> Result<()> {
        let Who::Member { user_id, organization_id, .. } = actor.who else { return Err(Error::Forbidden) };
        if user_id != user {
            owner(actor)?;
        }
        let mut change = self.change(actor).await?;
        let members = change.tx.lock_members(organization_id).await?;
        if !members.iter().any(|member| member.user_id == user) {
            return Err(Error::NotFound("member"));
        }
        check_owner_stays(&members, user)?;
        change.tx.delete_member(organization_id, user).await?;
        let subject = Subject { kind: "member", id: user.uuid(), organization: Some(organization_id) };
        change.commit("member.delete", subject, json!({ "left": user_id == user })).await
    }

    /// Gives an invitation a fresh link.
    pub(crate) async fn make_invitation_link(&self, id: Uuid) -> Result<SecretText> {
        let token = random_token()?;
        self.store.send_invitation(id, &digest(token.reveal())).await?;
        Ok(token)
    }
}

/// The organization of an owner who acts in it.
fn owner(actor: &Actor) -> Result<(OrganizationId, UserId)> {
    match actor.who {
        Who::Member { organization_id, user_id, role: MemberRole::Owner } => Ok((organization_id, user_id)),
        Who::Visitor => Err(Error::Unauthenticated),
        _ => Err(Error::Forbidden),
    }
}

fn check_owner_stays(members: &[tollgate_store::MemberRow], without: UserId) -> Result<()> {
    let stays = members.iter().any(|member| member.user_id != without && member.role == MemberRole::Owner);
    if stays {
        return Ok(());
    }
    Err(Error::Conflict("an organization needs an owner; make somebody else owner first".to_owned()))
}

const fn subject(id: Uuid, organization: OrganizationId) -> Subject {
    Subject { kind: "invitation", id, organization: Some(organization) }
}
