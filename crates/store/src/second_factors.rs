//! Second factors, and the codes for when one is lost.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::UserId;

use crate::{Result, Store, Tx};

/// A second factor that is set up.
#[derive(Debug, Clone, FromRow)]
pub struct SecondFactorRow {
    /// Its secret, sealed.
    pub sealed: Vec<u8>,
    /// When it was set up.
    pub created_at: DateTime<Utc>,
    /// Recovery codes that are left.
    pub codes_left: i64,
}

impl Store {
    /// A user's second factor, where they have one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_second_factor(&self, user: UserId) -> Result<Option<SecondFactorRow>> {
        Ok(sqlx::query_as(
            "select sealed, created_at, (select count(*) from recovery_codes r where r.user_id = f.user_id) as codes_left
             from second_factors f where user_id = $1",
        )
        .bind(user.uuid())
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Takes the code of a step, once: false where it or a later one was taken.
    ///
    /// # Errors
    /// The database failed.
    pub async fn take_factor_step(&self, user: UserId, step: i64) -> Result<bool> {
        let done =
            sqlx::query("update second_factors set last_step = $2 where user_id = $1 and last_step < $2")
                .bind(user.uuid())
                .bind(step)
                .execute(&self.pool)
                .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes a recovery code, once.
    ///
    /// # Errors
    /// The database failed.
    pub async fn take_recovery_code(&self, user: UserId, digest: &[u8; 32]) -> Result<bool> {
        let done = sqlx::query("delete from recovery_codes where user_id = $1 and digest = $2")
            .bind(user.uuid())
            .bind(digest.as_slice())
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl Tx {
    /// Sets a second factor up, in place of an earlier one.
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_second_factor(&mut self, user: UserId, sealed: &[u8], step: i64) -> Result<()> {
        sqlx::query(
            "insert into second_factors (user_id, sealed, last_step) values ($1, $2, $3)
             on conflict (user_id) do update set sealed = $2, last_step = $3, created_at = now()",
        )
        .bind(user.uuid())
        .bind(sealed)
        .bind(step)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Replaces a user's recovery codes.
    ///
    /// # Errors
    /// The database failed.
    pub async fn replace_recovery_codes(
        &mut self,
        user: UserId,
        digests: &[[u8; 32]],
        pepper_version: i16,
    ) -> Result<()> {
        let digests: Vec<&[u8]> = digests.iter().map(<[u8; 32]>::as_slice).collect();
        sqlx::query("delete from recovery_codes where user_id = $1")
            .bind(user.uuid())
            .execute(self.conn())
            .await?;
        sqlx::query(
            "insert into recovery_codes (user_id, digest, pepper_version) select $1, d, $3 from unnest($2::bytea[]) d",
        )
        .bind(user.uuid())
        .bind(digests)
        .bind(pepper_version)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Takes a user's second factor away, with its codes. False where there was none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_second_factor(&mut self, user: UserId) -> Result<bool> {
        sqlx::query("delete from recovery_codes where user_id = $1")
            .bind(user.uuid())
            .execute(self.conn())
            .await?;
        let done = sqlx::query("delete from second_factors where user_id = $1")
            .bind(user.uuid())
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
