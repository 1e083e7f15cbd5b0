//! Secrets that lie sealed in rows, whatever the rows are about: to be sealed anew when peppers change.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// A column of sealed secrets. Each begins with two bytes that name its pepper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedColumn {
    /// Private keys of certificates.
    CertificateKeys,
    /// The account with a certificate authority; its id is nil.
    AcmeAccount,
    /// Keys of sandboxes.
    SandboxKeys,
    /// Second factors, by user.
    SecondFactors,
    /// What deliveries to webhooks are signed with.
    WebhookSecrets,
    /// The same before a rotation.
    OldWebhookSecrets,
}

impl SealedColumn {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::CertificateKeys,
        Self::AcmeAccount,
        Self::SandboxKeys,
        Self::SecondFactors,
        Self::WebhookSecrets,
        Self::OldWebhookSecrets,
    ];

    /// Table, what names a row in it, and the column.
    const fn place(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::CertificateKeys => ("certificates", "id", "key_sealed"),
            Self::AcmeAccount => {
                ("acme_account", "'00000000-0000-0000-0000-000000000000'::uuid", "credentials_sealed")
            }
            Self::SandboxKeys => ("credentials", "id", "sealed"),
            Self::SecondFactors => ("second_factors", "user_id", "sealed"),
            Self::WebhookSecrets => ("webhooks", "id", "secret_sealed"),
            Self::OldWebhookSecrets => ("webhooks", "id", "old_secret_sealed"),
        }
    }
}

impl Store {
    /// How many secrets are sealed under which pepper.
    ///
    /// # Errors
    /// The database failed.
    pub async fn count_sealed(&self) -> Result<Vec<(i16, i64)>> {
        let columns = SealedColumn::ALL.map(|column| {
            let (table, _, column) = column.place();
            format!("select {column} as sealed from {table} where {column} is not null")
        });
        let sql = format!(
            "select ((get_byte(sealed, 0) << 8) + get_byte(sealed, 1))::smallint as version, count(*)
             from ({}) as all_of_them group by version order by version",
            columns.join(" union all ")
        );
        Ok(sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&self.pool).await?)
    }
}

impl Tx {
    /// Some secrets of a column that are sealed under another pepper than this, locked.
    ///
    /// # Errors
    /// The database failed.
    pub async fn lock_sealed_otherwise(
        &mut self,
        column: SealedColumn,
        version: i16,
        limit: i64,
    ) -> Result<Vec<(Uuid, Vec<u8>)>> {
        let (table, id, column) = column.place();
        let sql = format!(
            "select {id}, {column} from {table} where {column} is not null
                and (get_byte({column}, 0) << 8) + get_byte({column}, 1) <> $1 limit $2 for update"
        );
        Ok(sqlx::query_as(AssertSqlSafe(sql))
            .bind(i32::from(version))
            .bind(limit)
            .fetch_all(self.conn())
            .await?)
    }

    /// Puts a secret back, sealed anew.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_sealed(&mut self, column: SealedColumn, id: Uuid, sealed: &[u8]) -> Result<()> {
        let (table, name, column) = column.place();
        let sql = format!("update {table} set {column} = $2 where {name} = $1");
        sqlx::query(AssertSqlSafe(sql)).bind(id).bind(sealed).execute(self.conn()).await?;
        Ok(())
    }
}
