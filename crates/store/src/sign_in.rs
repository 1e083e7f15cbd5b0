//! Attempts that are counted, to slow guessing and hoarding.

use tollgate_domain::UserId;

use crate::{Result, Store};

impl Store {
    /// Notes an attempt for each subject (a hash of what is tried, from where).
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_attempts(&self, subjects: &[[u8; 32]]) -> Result<()> {
        let subjects: Vec<&[u8]> = subjects.iter().map(<[u8; 32]>::as_slice).collect();
        sqlx::query("insert into attempts (subject) select unnest($1::bytea[])")
            .bind(subjects)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Attempts of a subject in the last minutes, 60 at most.
    ///
    /// # Errors
    /// The database failed.
    pub async fn count_attempts(&self, subject: &[u8; 32], minutes: i32) -> Result<i64> {
        Ok(sqlx::query_scalar(
            "select count(*) from attempts
             where subject = $1 and made_at > now() - make_interval(mins => $2)",
        )
        .bind(subject.as_slice())
        .bind(minutes)
        .fetch_one(&self.pool)
        .await?)
    }

    /// Notes an attempt where it is the only one of its subject in so many seconds; false where it is not. Whoever comes at the same instant
    /// waits for the other's answer.
    ///
    /// # Errors
    /// The database failed.
    pub async fn take_one_attempt(&self, subject: &[u8; 32], seconds: u32) -> Result<bool> {
        let mut tx = self.begin().await?;
        sqlx::query("select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))")
            .bind(subject.as_slice())
            .execute(tx.conn())
            .await?;
        let taken = sqlx::query(
            "insert into attempts (subject) select $1 where not exists
             (select from attempts where subject = $1 and made_at > now() - make_interval(secs => $2))",
        )
        .bind(subject.as_slice())
        .bind(f64::from(seconds))
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Whether somebody's password was right from this network (a hash) in the last 90 days.
    ///
    /// # Errors
    /// The database failed.
    pub async fn is_known_network(&self, user: UserId, network: &[u8; 32]) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (select from known_networks where user_id = $1 and network = $2
             and seen_at > now() - interval '90 days')",
        )
        .bind(user.uuid())
        .bind(network.as_slice())
        .fetch_one(&self.pool)
        .await?)
    }

    /// Notes that somebody's password was right from a network; once a day at most.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_known_network(&self, user: UserId, network: &[u8; 32]) -> Result<()> {
        sqlx::query(
            "insert into known_networks as known (user_id, network) values ($1, $2)
             on conflict (user_id, network) do update set seen_at = now()
             where known.seen_at < now() - interval '1 day'",
        )
        .bind(user.uuid())
        .bind(network.as_slice())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
