//! Answers of writes that must happen once.

use sqlx::FromRow;
use uuid::Uuid;

use crate::{Result, Store};

/// The answer that a write with this key led to.
#[derive(Debug, Clone, FromRow)]
pub struct KeptAnswer {
    /// HMAC of the key.
    pub digest: Vec<u8>,
    /// SHA-256 of what was asked for.
    pub request: Vec<u8>,
    /// The sealed answer.
    pub answer: Vec<u8>,
}

impl Store {
    /// Takes the lock of a key until the unit of work ends; false where another one holds it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn lock_idempotency_key(&self, lock: i64) -> Result<bool> {
        Ok(sqlx::query_scalar("select pg_try_advisory_xact_lock($1)")
            .bind(lock)
            .fetch_one(&self.pool)
            .await?)
    }

    /// The answer kept under one of these digests, if any, for a day.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_kept_answer(&self, actor: Uuid, digests: &[[u8; 32]]) -> Result<Option<KeptAnswer>> {
        let digests: Vec<&[u8]> = digests.iter().map(<[u8; 32]>::as_slice).collect();
        Ok(sqlx::query_as(
            "select digest, request, answer from idempotency_keys
             where actor_id = $1 and digest = any($2) and made_at > now() - interval '24 hours'",
        )
        .bind(actor)
        .bind(digests)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Keeps an answer; one that is older than a day gives way.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_answer(
        &self,
        actor: Uuid,
        digest: &[u8; 32],
        request: &[u8; 32],
        answer: &[u8],
    ) -> Result<()> {
        sqlx::query(
            "insert into idempotency_keys (actor_id, digest, request, answer) values ($1, $2, $3, $4)
             on conflict (actor_id, digest) do update set request = $3, answer = $4, made_at = now()",
        )
        .bind(actor)
        .bind(digest.as_slice())
        .bind(request.as_slice())
        .bind(answer)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets answers older than a day.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sweep_kept_answers(&self) -> Result<()> {
        sqlx::query("delete from idempotency_keys where made_at < now() - interval '24 hours'")
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
