//! Attempts that are counted, to slow guessing and hoarding.

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
}
