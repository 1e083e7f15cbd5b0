//! What all calls are held to.

use sqlx::FromRow;
use sqlx::types::Json;
use tollgate_domain::Policies;

use crate::{Result, Store, Tx};

pub(crate) const POLICIES: &str = "select policies, version from policies";

#[derive(Debug, Clone, FromRow)]
pub(crate) struct PoliciesColumns {
    policies: Json<Policies>,
    version: i64,
}

/// What all calls are held to, and of which version that is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoliciesRow {
    /// The policies.
    pub policies: Policies,
    /// Grows with every change; 0 where nobody has said anything yet.
    pub version: i64,
}

impl From<PoliciesColumns> for PoliciesRow {
    fn from(row: PoliciesColumns) -> Self {
        Self { policies: row.policies.0, version: row.version }
    }
}

impl Store {
    /// What all calls are held to; nothing where nobody has said anything.
    ///
    /// # Errors
    /// The database failed.
    pub async fn get_policies(&self) -> Result<PoliciesRow> {
        let row: Option<PoliciesColumns> = sqlx::query_as(POLICIES).fetch_optional(&self.pool).await?;
        Ok(row.map(PoliciesRow::from).unwrap_or_default())
    }
}

impl Tx {
    /// Puts what all calls are held to in place.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_policies(&mut self, policies: &Policies) -> Result<()> {
        sqlx::query(
            "insert into policies (policies) values ($1)
             on conflict (is_the_one) do update set policies = $1, version = policies.version + 1",
        )
        .bind(Json(policies))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Holds calls to nothing but what their APIs and plans say.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_policies(&mut self) -> Result<()> {
        sqlx::query("delete from policies").execute(self.conn()).await?;
        Ok(())
    }
}
