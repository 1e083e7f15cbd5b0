//! Who runs the platform.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{OperatorRole, UserId};
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

/// A person with what they may do to the platform.
#[derive(Debug, Clone, FromRow)]
pub struct PersonRow {
    /// The user.
    #[sqlx(try_from = "Uuid")]
    pub id: UserId,
    /// Lower case.
    pub email: String,
    /// What they want to be called; may be empty.
    pub name: String,
    role: Option<String>,
    /// Organizations that they belong to.
    pub organizations: i64,
    /// When they signed up.
    pub created_at: DateTime<Utc>,
    /// Set: may not sign in.
    pub disabled_at: Option<DateTime<Utc>>,
}

impl PersonRow {
    /// What they may do to the platform; none where they do not run it.
    #[must_use]
    pub fn role(&self) -> Option<OperatorRole> {
        self.role.as_ref()?.parse().ok()
    }
}

/// Somebody who runs the platform, in a list.
#[derive(Debug, Clone, FromRow)]
pub struct OperatorLine {
    /// The user.
    #[sqlx(try_from = "Uuid")]
    pub id: UserId,
    /// Lower case.
    pub email: String,
    /// What they may do.
    #[sqlx(try_from = "String")]
    pub role: OperatorRole,
    /// The issuer whose claims gave the role; none where somebody gave it by hand.
    pub granted_by: Option<String>,
    /// Whether a code is asked of them after the password.
    pub second_factor: bool,
    /// Passkeys that sign them in.
    pub passkeys: i64,
    /// Set: may not sign in.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When one of their browsers was seen last, as far as it is still signed in.
    pub seen_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "select u.id, u.email, u.name, o.role,
    (select count(*) from members m where m.user_id = u.id) as organizations, u.created_at, u.disabled_at
    from users u left join operators o on o.user_id = u.id";

impl Store {
    /// A person.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn get_person(&self, id: UserId) -> Result<PersonRow> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} where u.id = $1 and u.shadow_of is null")))
            .bind(id.uuid())
            .fetch_optional(&self.pool)
            .await?
            .ok_or(Error::NotFound("user"))
    }

    /// Everybody who runs the platform, by e-mail.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_operators(&self) -> Result<Vec<OperatorLine>> {
        Ok(sqlx::query_as(
            "select u.id, u.email, o.role, o.granted_by, u.disabled_at,
                exists (select from second_factors f where f.user_id = u.id) as second_factor,
                (select count(*) from passkeys p where p.user_id = u.id) as passkeys,
                (select max(s.seen_at) from sessions s where s.user_id = u.id) as seen_at
             from operators o join users u on u.id = o.user_id order by u.email, u.id limit 1000",
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// People, oldest first: all, or those whose e-mail begins so, or those who run the platform.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_people(
        &self,
        email: Option<&str>,
        operators: bool,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<PersonRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where u.shadow_of is null and ($1::text is null or starts_with(u.email, lower($1)))
             and (not $2 or o.role is not null) and ($3::uuid is null or u.id > $3) order by u.id limit $4"
        )))
        .bind(email)
        .bind(operators)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}

impl Tx {
    /// Takes a user's role on the platform away; false where they had none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_operator(&mut self, user: UserId) -> Result<bool> {
        let done = sqlx::query("delete from operators where user_id = $1")
            .bind(user.uuid())
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
