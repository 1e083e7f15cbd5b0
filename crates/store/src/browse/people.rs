//! Organizations and people, as lists show them.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tollgate_domain::{OrganizationId, Scope, UserId};
use uuid::Uuid;

use super::{Cut, Found, Shape, Type};
use crate::{Result, Store};

/// A tenant in a list.
#[derive(Debug, Clone, FromRow)]
pub struct OrganizationLine {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its name in URLs.
    pub slug: String,
    /// The e-mail of its oldest member.
    pub first_member: Option<String>,
    /// How many members it has.
    pub members: i64,
    /// How many applications it has.
    pub applications: i64,
    /// How many subscriptions of it have not ended.
    pub subscriptions: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A person in a list.
#[derive(Debug, Clone, FromRow)]
pub struct UserLine {
    /// Their id.
    #[sqlx(try_from = "Uuid")]
    pub id: UserId,
    /// Lower case.
    pub email: String,
    /// What they want to be called; may be empty.
    pub name: String,
    /// When they signed up.
    pub created_at: DateTime<Utc>,
    /// Set: may not sign in.
    pub disabled_at: Option<DateTime<Utc>>,
    /// The organization that they have belonged to for longest.
    pub organization_id: Option<Uuid>,
    /// Its name.
    pub organization: Option<String>,
    /// Their role in it.
    pub role: Option<String>,
}

const ORGANIZATIONS: Shape = Shape {
    columns: "t.id, t.name, t.slug, t.created_at,
        (select u.email from members m join users u on u.id = m.user_id where m.organization_id = t.id
         order by m.created_at limit 1) as first_member,
        (select count(*) from members m where m.organization_id = t.id) as members,
        (select count(*) from applications a where a.organization_id = t.id and a.deleted_at is null) as applications,
        (select count(*) from subscriptions s where s.organization_id = t.id and s.state <> 'ended') as subscriptions",
    from: "organizations t",
    id: ("t.id", Type::Uuid),
    orders: &[("name", "lower(t.name)")],
};

// The organization is looked up for the rows that are shown, not joined to those that are counted.
const USERS: Shape = Shape {
    columns: "t.id, t.email, t.name, t.created_at, t.disabled_at,
        (select m.organization_id from members m where m.user_id = t.id order by m.created_at limit 1) as organization_id,
        (select o.name from members m join organizations o on o.id = m.organization_id
         where m.user_id = t.id order by m.created_at limit 1) as organization,
        (select m.role from members m where m.user_id = t.id order by m.created_at limit 1) as role",
    from: "users t",
    id: ("t.id", Type::Uuid),
    orders: &[("email", "t.email")],
};

impl Store {
    /// Tenants that the scope may see, with these words in name or slug. Orders: `name`, `created`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn browse_organizations(
        &self,
        scope: Scope,
        words: &str,
        cut: &Cut,
    ) -> Result<Found<OrganizationLine>> {
        self.browse(&ORGANIZATIONS, cut, |and| {
            and.push(" and t.deleted_at is null")
                .and("t.id = ", scope.organization().map(OrganizationId::uuid))
                .words("organizations w where w.deleted_at is null", "w.name || ' ' || w.slug", words);
        })
        .await
    }

    /// People with these words in e-mail or name; `disabled` narrows to those who may, or may not, sign in. Orders:
    /// `email`, `created`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn browse_users(
        &self,
        words: &str,
        disabled: Option<bool>,
        cut: &Cut,
    ) -> Result<Found<UserLine>> {
        self.browse(&USERS, cut, |and| {
            and.words("users w where true", "w.email || ' ' || w.name", words);
            match disabled {
                Some(true) => and.push(" and t.disabled_at is not null"),
                Some(false) => and.push(" and t.disabled_at is null"),
                None => and,
            };
        })
        .await
    }
}
