//! The portal's search: what can be found, and finding it.

use sqlx::FromRow;
use tollgate_domain::{ApiId, OrganizationId};

use crate::audience::SEES;
use crate::{Result, Store, Tx, Viewer};

/// Something that can be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchEntry {
    /// `operation`, `schema`, `guide`, `news` or `refusal`.
    pub kind: &'static str,
    /// What its address is made of.
    pub name: String,
    /// Of an operation; else empty.
    pub method: String,
    /// What it is called; weighs most.
    pub title: String,
    /// The second line of a hit.
    pub about: String,
    /// Names it goes by: weighs less.
    pub names: String,
    /// Its text: weighs least.
    pub text: String,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct HitRow {
    /// As in [`SearchEntry`]; or `api`, `product` or `page`.
    pub kind: String,
    /// What its address is made of.
    pub name: String,
    /// Of an operation; else empty.
    pub method: String,
    /// What it is called.
    pub title: String,
    /// The second line.
    pub about: String,
    /// The product through which its API is seen; else empty.
    pub product: String,
    /// The API's slug; empty where it is of none.
    pub api: String,
    /// The API's name; empty where it is of none.
    pub api_name: String,
    /// How many of its kind were found.
    pub of_kind: i64,
}

/// Longer texts are cut: a vector of words has a bound of its own, and what is found stands early.
const TEXT_BYTES_MAX: usize = 40_000;

/// What words of a text, names and titles weigh; nothing has the first.
const WEIGHTS: &str = "'{0.05, 0.15, 0.4, 1}'";

/// Of so many times as many as are shown, the whole text is read to put them in order.
const READ: i64 = 4;

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

/// Entries as columns, and how they become rows. Parameters 1 (the API) and 2 (the digest) are the caller's.
const INSERT: &str =
    "insert into search_entries (api_id, digest, kind, name, method, title, about, head, words)
    select $1, $2, kind, name, method, title, about, head, head || found_by(body, 'C')
    from (select *, found_by(title, 'A') || found_by(names, 'B') as head
    from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
        as entry (kind, name, method, title, about, names, body)) entry";

macro_rules! insert {
    ($api:expr, $digest:expr, $entries:expr) => {{
        let entries: &[SearchEntry] = $entries;
        let column = |of: fn(&SearchEntry) -> &str| -> Vec<String> {
            entries.iter().map(|entry| cut(of(entry)).to_owned()).collect()
        };
        sqlx::query(INSERT)
            .bind($api)
            .bind($digest)
            .bind(column(|entry| entry.kind))
            .bind(column(|entry| &entry.name))
            .bind(column(|entry| &entry.method))
            .bind(column(|entry| &entry.title))
            .bind(column(|entry| &entry.about))
            .bind(column(|entry| &entry.names))
            .bind(column(|entry| &entry.text))
    }};
}

impl Tx {
    /// Makes exactly these things of an API findable.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_search_entries(&mut self, api: ApiId, entries: &[SearchEntry]) -> Result<()> {
        sqlx::query("delete from search_entries where api_id = $1")
            .bind(api.uuid())
            .execute(self.conn())
            .await?;
        insert!(api.uuid(), None::<String>, entries).execute(self.conn()).await?;
        Ok(())
    }
}

impl Store {
    /// Makes exactly these things that are read from files findable; nothing is done where they are the same as before.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_searched_files(&self, digest: &str, entries: &[SearchEntry]) -> Result<()> {
        let are_there = "select exists (select from search_entries where digest = $1)";
        let known: bool = sqlx::query_scalar(are_there).bind(digest).fetch_one(&self.pool).await?;
        if known {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        sqlx::query("select pg_advisory_xact_lock(hashtextextended('searched files', 0))")
            .execute(tx.conn())
            .await?;
        sqlx::query("delete from search_entries where api_id is null").execute(tx.conn()).await?;
        insert!(None::<uuid::Uuid>, digest, entries).execute(tx.conn()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// APIs with operations of whose document nothing can be found.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_apis_not_findable(&self) -> Result<Vec<ApiId>> {
        let ids: Vec<uuid::Uuid> = sqlx::query_scalar(
            "select a.id from apis a
             where not exists (select from search_entries e where e.api_id = a.id)
                 and exists (select from routes r where r.api_id = a.id)",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(ApiId::from).collect())
    }

    /// What a viewer may see that has all of these words, or words that begin so: the best of each kind, at most `most` of
    /// one. Words are letters and digits only; `question` is what was typed, for what is called exactly so.
    ///
    /// # Errors
    /// The database failed.
    pub async fn search(
        &self,
        viewer: Viewer,
        question: &str,
        words: &[String],
        most: i64,
    ) -> Result<Vec<HitRow>> {
        let text = format!(
            "with asked as (
                 select string_agg(nullif('(' || concat_ws(' | ',
                     nullif(to_tsquery('simple', word || ':*')::text, ''),
                     nullif(plainto_tsquery('english', word)::text, ''),
                     nullif(plainto_tsquery('german', word)::text, '')) || ')', '()'), ' & ')::tsquery as query
                 from unnest($4::text[]) word),
             seen as (select p.* from products p where p.state = 'published' and {SEES}),
             served as (
                 select distinct on (a.id) a.id, a.slug, a.name, a.summary, a.words, p.slug as product
                 from seen p join product_apis m on m.product_id = p.id join apis a on a.id = m.api_id
                 where a.state = 'published'
                     or a.state = 'deprecated' and (a.sunset_at is null or now() < a.sunset_at)
                 order by a.id, p.id),
             found as (
                 select e.kind, e.name, e.method, e.title, e.about, coalesce(s.product, '') as product,
                     coalesce(s.slug, '') as api, coalesce(s.name, '') as api_name, e.head, e.words
                 from asked, search_entries e left join served s on s.id = e.api_id
                 where e.words @@ asked.query and (e.api_id is null or s.id is not null)
                 union all
                 select 'api', s.slug, '', s.name, s.summary, s.product, s.slug, s.name, s.words, s.words
                 from asked, served s where s.words @@ asked.query
                 union all
                 select 'product', p.slug, '', p.name, p.summary, '', '', '', p.words, p.words
                 from asked, seen p where p.words @@ asked.query
                 union all
                 select 'page', g.slug, '', g.title, '', '', '', '', g.words, g.words
                 from asked, pages g where g.words @@ asked.query),
             ranked as (
                 select f.*, query, count(*) over (partition by kind) as of_kind, called,
                     row_number() over (partition by kind order by called desc, ts_rank({WEIGHTS}, head, query) desc,
                         length(title), title, name) as place
                 from asked, found f, lateral (select lower(title) = lower($3) or lower(name) = lower($3) as called) c),
             read as (
                 select *, row_number() over (partition by kind order by called desc,
                     ts_rank({WEIGHTS}, words, query) desc, length(title), title, name) as at
                 from ranked where place <= $5 * {READ})
             select kind, name, method, title, about, product, api, api_name, of_kind
             from read where at <= $5 order by kind, at"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(text))
            .bind(viewer.signed_in)
            .bind(viewer.organization.map(OrganizationId::uuid))
            .bind(question)
            .bind(words)
            .bind(most)
            .fetch_all(&self.pool)
            .await?)
    }
}
