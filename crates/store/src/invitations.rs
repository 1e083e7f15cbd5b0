//! Invitations into organizations.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{MemberRole, OrganizationId, UserId};
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

/// An invitation that waits for an answer.
#[derive(Debug, Clone, FromRow)]
pub struct InvitationRow {
    /// Its id.
    pub id: Uuid,
    /// Into which organization.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// Its name.
    pub organization: String,
    /// Whom; lower case.
    pub email: String,
    /// As what.
    #[sqlx(try_from = "String")]
    pub role: MemberRole,
    /// E-mail of who invites.
    pub invited_by: String,
    /// When the mail was sent last.
    pub sent_at: Option<DateTime<Utc>>,
    /// Until when its link works.
    pub expires_at: Option<DateTime<Utc>>,
}

const SELECT: &str = "select i.id, i.organization_id, o.name as organization, i.email, i.role, u.email as invited_by, i.sent_at,
    i.expires_at from invitations i join organizations o on o.id = i.organization_id and o.deleted_at is null
    join users u on u.id = i.invited_by";

impl Store {
    /// Invitations of an organization, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_invitations(&self, organization: OrganizationId) -> Result<Vec<InvitationRow>> {
        let sql = format!("{SELECT} where i.organization_id = $1 order by i.created_at limit 500");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(organization.uuid()).fetch_all(&self.pool).await?)
    }

    /// An invitation by id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_invitation(&self, id: Uuid) -> Result<Option<InvitationRow>> {
        let sql = format!("{SELECT} where i.id = $1");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(&self.pool).await?)
    }

    /// The invitation of a link that still works.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_invitation_by_digest(&self, digest: &[u8; 32]) -> Result<Option<InvitationRow>> {
        let sql = format!("{SELECT} where i.digest = $1 and i.expires_at > now()");
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(digest.as_slice())
            .fetch_optional(&self.pool)
            .await?)
    }

    /// Gives an invitation its link, which works for seven days.
    ///
    /// # Errors
    /// The database failed.
    pub async fn send_invitation(&self, id: Uuid, digest: &[u8; 32]) -> Result<()> {
        sqlx::query(
            "update invitations set digest = $2, sent_at = now(), expires_at = now() + interval '7 days' where id = $1",
        )
        .bind(id)
        .bind(digest.as_slice())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

impl Tx {
    /// Invites somebody; who was invited already, is invited anew.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_invitation(
        &mut self,
        organization: OrganizationId,
        email: &str,
        role: MemberRole,
        by: UserId,
    ) -> Result<Uuid> {
        Ok(sqlx::query_scalar(
            "insert into invitations (id, organization_id, email, role, invited_by) values ($1, $2, $3, $4, $5)
             on conflict (organization_id, email) do update set role = $4, invited_by = $5, digest = null returning id",
        )
        .bind(Uuid::now_v7())
        .bind(organization.uuid())
        .bind(email)
        .bind(role.as_str())
        .bind(by.uuid())
        .fetch_one(self.conn())
        .await?)
    }

    /// Takes an invitation away. `NotFound` where there is none, or another organization's.
    ///
    /// # Errors
    /// See above; or the database failed.
    pub async fn delete_invitation(&mut self, organization: OrganizationId, id: Uuid) -> Result<()> {
        let done = sqlx::query("delete from invitations where id = $1 and organization_id = $2")
            .bind(id)
            .bind(organization.uuid())
            .execute(self.conn())
            .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("invitation")) } else { Ok(()) }
    }

    /// Uses a link up; false where somebody was faster or it is over.
    ///
    /// # Errors
    /// The database failed.
    pub async fn use_invitation(&mut self, digest: &[u8; 32]) -> Result<bool> {
        let done = sqlx::query("delete from invitations where digest = $1 and expires_at > now()")
            .bind(digest.as_slice())
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Changes what a member may do.
    ///
    /// # Errors
    /// The database failed.
    pub async fn update_member(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        role: MemberRole,
    ) -> Result<()> {
        sqlx::query("update members set role = $3 where organization_id = $1 and user_id = $2")
            .bind(organization.uuid())
            .bind(user.uuid())
            .bind(role.as_str())
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Takes a member out.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_member(&mut self, organization: OrganizationId, user: UserId) -> Result<()> {
        sqlx::query("delete from members where organization_id = $1 and user_id = $2")
            .bind(organization.uuid())
            .bind(user.uuid())
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
