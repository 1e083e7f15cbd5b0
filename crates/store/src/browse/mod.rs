//! Lists as people look through them: found by words, narrowed by filters, in an order of their choice, part by part.
//!
//! Parts are cut by the order's own key and the id (keyset), so the thousandth is read as fast as the first. Every order
//! and every search has its index.

mod audit;
mod billing;
mod certificates;
mod consumers;
mod everything;
mod milestones;
mod people;
mod publishing;
mod traffic;

pub use audit::{AuditFilter, AuditLine};
pub use billing::InvoiceFilter;
pub use certificates::{CertificateFilter, CertificateHealth};
pub use consumers::{ApplicationLine, CredentialLine, HeldLine, SubscriptionFilter, SubscriptionLine};
pub use everything::{Hit, HitKind};
pub use milestones::Milestones;
pub use people::{OrganizationLine, UserLine};
pub use publishing::{ApiFilter, ApiLine, PlanLine, ProductLine, ServiceLine};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Postgres, QueryBuilder, Row};
pub use traffic::{SumBy, TrafficFilter, TrafficSum};
use uuid::Uuid;

use crate::{Result, Store};

/// Which part of a list, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The order's name; one that a list does not know is that of the ids.
    pub sort: &'static str,
    /// From the last to the first.
    pub descending: bool,
    /// Where the part begins; none at the beginning of all.
    pub edge: Option<Edge>,
    /// Rows at most.
    pub limit: i64,
}

impl Cut {
    /// The first rows in the order of their making.
    #[must_use]
    pub const fn first(limit: i64) -> Self {
        Self { sort: "created", descending: false, edge: None, limit }
    }

    /// The latest rows.
    #[must_use]
    pub const fn latest(limit: i64) -> Self {
        Self { sort: "created", descending: true, edge: None, limit }
    }
}

/// A place between two rows: everything after the row that it names, or before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Rows before it, not after.
    pub backwards: bool,
    /// The row's place in the order.
    pub key: String,
    /// The row's id.
    pub id: String,
}

/// A part of a list.
#[derive(Debug, Clone)]
pub struct Found<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// The part before, if there is one.
    pub previous: Option<Edge>,
    /// The part after, if there is one.
    pub next: Option<Edge>,
    /// How many rows there are in all parts, counted up to one more than [`Found::COUNTED_MAX`].
    pub total: Option<i64>,
}

impl<R> Found<R> {
    /// So many rows are counted, and no more.
    pub const COUNTED_MAX: i64 = 10_000;
}

/// The type of a sort key in Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Uuid,
    Bigint,
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Uuid => "uuid",
            Self::Bigint => "bigint",
        }
    }

    /// Whether Postgres would take the text for a value of this type.
    fn takes(self, text: &str) -> bool {
        match self {
            Self::Text => !text.contains('\0'),
            Self::Uuid => text.parse::<Uuid>().is_ok(),
            Self::Bigint => text.parse::<i64>().is_ok(),
        }
    }
}

/// How a list is read.
struct Shape {
    columns: &'static str,
    from: &'static str,
    /// What makes the order total, and its type.
    id: (&'static str, Type),
    /// Orders by name: the expression. All are texts; any other order is that of the ids.
    orders: &'static [(&'static str, &'static str)],
}

/// Conditions of a list, put together with their values.
struct Conditions {
    sql: QueryBuilder<Postgres>,
    /// How what is searched for is found, as [`Conditions::words`] says.
    search: Option<QueryBuilder<Postgres>>,
    /// The ids that were found; none before they are looked for.
    hits: Option<Vec<Uuid>>,
}

impl Conditions {
    fn new(head: String, hits: Option<Vec<Uuid>>) -> Self {
        Self { sql: QueryBuilder::new(head), search: None, hits }
    }

    /// A condition in front of a value: `and t.state = ` and the state.
    fn and<'v, T>(&mut self, sql: &str, value: Option<T>) -> &mut Self
    where
        T: 'v + sqlx::Encode<'v, Postgres> + sqlx::Type<Postgres>,
    {
        if let Some(value) = value {
            self.sql.push(" and ").push(sql).push_bind(value);
        }
        self
    }

    /// Rows with these words in a text of them; `rows` are those that the index of the text covers, named `w`.
    fn words(&mut self, rows: &str, text: &str, typed: &str) -> &mut Self {
        self.words_of("t.id", rows, text, typed)
    }

    /// Rows of which this column names one with these words. The index of the text is read first and once, whatever the
    /// order: a planner that walks the order and looks into each row needs seconds.
    fn words_of(&mut self, column: &str, rows: &str, text: &str, typed: &str) -> &mut Self {
        let Some(query) = words(typed) else { return self };
        if let Some(hits) = &self.hits {
            self.sql.push(format_args!(" and {column} = any(")).push_bind(hits.clone()).push(")");
        } else {
            let head = format!("select w.id from {rows} and search_words({text}) @@ to_tsquery('simple', ");
            let mut search = QueryBuilder::new(head);
            search.push_bind(query).push(format_args!(") limit {HITS_MAX}"));
            self.search = Some(search);
        }
        self
    }

    fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push(sql);
        self
    }
}

/// A search that finds more than this is told so by its count; it shows some of what it found.
const HITS_MAX: i64 = 5_000;

/// What was typed as a query: every word by its beginning. None where no word is in it.
fn words(typed: &str) -> Option<String> {
    let words = typed.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(8);
    let parts: Vec<String> = words.map(|word| format!("'{}':*", word.to_lowercase())).collect();
    (!parts.is_empty()).then(|| parts.join(" & "))
}

struct Keyed<R> {
    row: R,
    key: String,
    id: String,
}

impl<'r, R: FromRow<'r, PgRow>> FromRow<'r, PgRow> for Keyed<R> {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        Ok(Self { row: R::from_row(row)?, key: row.try_get("sort_key")?, id: row.try_get("sort_id")? })
    }
}

impl Store {
    async fn browse<R>(&self, shape: &Shape, cut: &Cut, narrow: impl Fn(&mut Conditions)) -> Result<Found<R>>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let ((id, id_type), from) = (shape.id, shape.from);
        let order = shape.orders.iter().find(|(name, _)| *name == cut.sort).map(|(_, sql)| *sql);
        let key = order.unwrap_or(id);
        let key_type = if order.is_some() { Type::Text } else { id_type };
        let edge = cut.edge.as_ref().filter(|edge| key_type.takes(&edge.key) && id_type.takes(&edge.id));
        let backwards = edge.is_some_and(|edge| edge.backwards);
        let down = cut.descending != backwards;
        let (sign, direction) = if down { ("<", "desc") } else { (">", "asc") };

        let hits = self.hits(&narrow).await?;
        let columns = shape.columns;
        let head = format!(
            "select {columns}, ({key})::text as sort_key, ({id})::text as sort_id from {from} where true"
        );
        let mut page = Conditions::new(head, hits.clone());
        narrow(&mut page);
        if let Some(edge) = edge {
            page.sql.push(format_args!(" and ({key}, {id}) {sign} ("));
            page.sql.push_bind(edge.key.clone()).push(format_args!("::{}, ", key_type.name()));
            page.sql.push_bind(edge.id.clone()).push(format_args!("::{})", id_type.name()));
        }
        page.sql.push(format_args!(" order by {key} {direction}, {id} {direction} limit "));
        page.sql.push_bind(cut.limit + 1);
        let mut rows: Vec<Keyed<R>> = page.sql.build_query_as().fetch_all(&self.pool).await?;

        let limit = usize::try_from(cut.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        if backwards {
            rows.reverse();
        }
        let at = |row: Option<&Keyed<R>>, backwards| {
            row.map(|row| Edge { backwards, key: row.key.clone(), id: row.id.clone() })
        };
        let previous = if backwards { more } else { edge.is_some() };
        let next = if backwards { true } else { more };
        Ok(Found {
            previous: at(rows.first(), true).filter(|_| previous),
            next: at(rows.last(), false).filter(|_| next),
            total: Some(self.count_up(from, hits, narrow).await?),
            rows: rows.into_iter().map(|keyed| keyed.row).collect(),
        })
    }

    /// The ids that a search finds, where a list is searched.
    async fn hits(&self, narrow: impl Fn(&mut Conditions)) -> Result<Option<Vec<Uuid>>> {
        let mut asked = Conditions::new(String::new(), None);
        narrow(&mut asked);
        let Some(mut search) = asked.search else { return Ok(None) };
        Ok(Some(search.build_query_scalar().fetch_all(&self.pool).await?))
    }

    /// How many rows there are, without counting all of very many.
    async fn count_up(
        &self,
        from: &str,
        hits: Option<Vec<Uuid>>,
        narrow: impl Fn(&mut Conditions),
    ) -> Result<i64> {
        let head = format!("select count(*) from (select from {from} where true");
        let mut counted = Conditions::new(head, hits);
        narrow(&mut counted);
        counted.sql.push(" limit ").push_bind(Found::<()>::COUNTED_MAX + 1).push(") counted");
        Ok(counted.sql.build_query_scalar().fetch_one(&self.pool).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn only_letters_and_digits_reach_the_query() {
        assert_eq!(words("Maria.Lind@ex").as_deref(), Some("'maria':* & 'lind':* & 'ex':*"));
        assert_eq!(words("a' | !b:*\\").as_deref(), Some("'a':* & 'b':*"));
        assert_eq!(words(" @ - "), None);
    }
}
