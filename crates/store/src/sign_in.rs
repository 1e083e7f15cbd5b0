//! Failed sign-ins, to slow guessing.

use crate::{Result, Store};

impl Store {
    /// Notes a failed sign-in for each subject (hashes of an e-mail, of an address).
    ///
    /// # Errors
    /// The database failed.
    pub async fn insert_failed_sign_in(&self, subjects: &[[u8; 32]]) -> Result<()> {
        let subjects: Vec<&[u8]> = subjects.iter().map(<[u8; 32]>::as_slice).collect();
        sqlx::query("insert into sign_in_attempts (subject) select unnest($1::bytea[])")
            .bind(subjects)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Failed sign-ins of a subject in the last minutes.
    ///
    /// # Errors
    /// The database failed.
    pub async fn count_failed_sign_ins(&self, subject: &[u8; 32], minutes: i32) -> Result<i64> {
        Ok(sqlx::query_scalar(
            "select count(*) from sign_in_attempts
             where subject = $1 and failed_at > now() - make_interval(mins => $2)",
        )
        .bind(subject.as_slice())
        .bind(minutes)
        .fetch_one(&self.pool)
        .await?)
    }
}
