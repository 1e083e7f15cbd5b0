//! One search over everything that has a page.

use sqlx::FromRow;

use super::words;
use crate::{Result, Store};

/// What kind of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HitKind {
    /// An API, by slug.
    Api,
    /// A product, by slug.
    Product,
    /// A service, by slug.
    Service,
    /// An organization, by id.
    Organization,
    /// A person, by id.
    User,
    /// An application, by id.
    Application,
    /// A key, by id.
    Key,
}

/// Something that was found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// What kind of thing.
    pub kind: HitKind,
    /// What its page is found by: a slug, or an id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What tells it from others of that name.
    pub second: String,
}

#[derive(FromRow)]
struct Row {
    kind: i32,
    id: String,
    name: String,
    second: String,
}

impl Store {
    /// Up to six things of each kind with these words in what they are called, or keys whose visible part begins so.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_everywhere(&self, typed: &str) -> Result<Vec<Hit>> {
        let Some(query) = words(typed) else { return Ok(Vec::new()) };
        let rows: Vec<Row> = sqlx::query_as(
            "(select 0 as kind, slug as id, name, base_path as second from apis
              where search_words(name || ' ' || slug || ' ' || base_path) @@ to_tsquery('simple', $1) order by lower(name) limit 6)
             union all (select 1, slug, name, slug from products where search_words(name || ' ' || slug) @@ to_tsquery('simple', $1) limit 6)
             union all (select 2, slug, name, slug from services where search_words(name || ' ' || slug) @@ to_tsquery('simple', $1) limit 6)
             union all (select 3, id::text, name, slug from organizations
              where search_words(name || ' ' || slug) @@ to_tsquery('simple', $1) and deleted_at is null limit 6)
             union all (select 4, id::text, email, name from users where search_words(email || ' ' || name) @@ to_tsquery('simple', $1) limit 6)
             union all (select 5, a.id::text, a.name, o.name from applications a join organizations o on o.id = a.organization_id
              where search_words(a.name) @@ to_tsquery('simple', $1) and a.deleted_at is null limit 6)
             union all (select 6, c.id::text, c.name, c.display_prefix || '…' || c.display_last4 from credentials c
              where $2 like '%\\_%' and c.display_prefix collate \"C\" >= $2 and c.display_prefix collate \"C\" < $2 || U&'\\+10FFFF' limit 6)",
        )
        .bind(query)
        .bind(typed)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().filter_map(hit).collect())
    }
}

fn hit(row: Row) -> Option<Hit> {
    let kind = match row.kind {
        0 => HitKind::Api,
        1 => HitKind::Product,
        2 => HitKind::Service,
        3 => HitKind::Organization,
        4 => HitKind::User,
        5 => HitKind::Application,
        6 => HitKind::Key,
        _ => return None,
    };
    Some(Hit { kind, id: row.id, name: row.name, second: row.second })
}
