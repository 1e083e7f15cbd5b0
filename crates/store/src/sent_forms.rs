//! Forms that were sent, so that the same one sent again does nothing twice.

use tollgate_domain::UserId;
use uuid::Uuid;

use crate::{Result, Store};

/// Whose turn it is to do what a form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormClaim {
    /// The asker's: to be ended by [`Store::finish_form`] or [`Store::release_form`].
    Mine,
    /// Somebody is at it.
    UnderWay,
    /// It was done and led to this path.
    Done(String),
}

impl Store {
    /// Claims the form that has this number, of this user. A claim whose holder has not ended it for 30 s is given to the
    /// next who asks: the holder's process has died.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim_form(&self, user: UserId, once: Uuid) -> Result<FormClaim> {
        let claimed = sqlx::query(
            "insert into sent_forms (user_id, once) values ($1, $2)
             on conflict (user_id, once) do update set sent_at = now()
             where sent_forms.led_to is null and sent_forms.sent_at < now() - interval '30 seconds'",
        )
        .bind(user.uuid())
        .bind(once)
        .execute(&self.pool)
        .await?;
        if claimed.rows_affected() == 1 {
            return Ok(FormClaim::Mine);
        }
        let led_to: Option<Option<String>> =
            sqlx::query_scalar("select led_to from sent_forms where user_id = $1 and once = $2")
                .bind(user.uuid())
                .bind(once)
                .fetch_optional(&self.pool)
                .await?;
        Ok(led_to.flatten().map_or(FormClaim::UnderWay, FormClaim::Done))
    }

    /// What the claimed form asked for is done; whoever sends it again is led to the same path.
    ///
    /// # Errors
    /// The database failed.
    pub async fn finish_form(&self, user: UserId, once: Uuid, led_to: &str) -> Result<()> {
        sqlx::query("update sent_forms set led_to = $3 where user_id = $1 and once = $2")
            .bind(user.uuid())
            .bind(once)
            .bind(led_to)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Nothing came of the claimed form; it may be sent again.
    ///
    /// # Errors
    /// The database failed.
    pub async fn release_form(&self, user: UserId, once: Uuid) -> Result<()> {
        sqlx::query("delete from sent_forms where user_id = $1 and once = $2 and led_to is null")
            .bind(user.uuid())
            .bind(once)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
