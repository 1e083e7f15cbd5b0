//! How the portal looks, and the publisher's own pages.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::FromRow;
use sqlx::types::Json;
use tollgate_domain::{Page, PageId, Portal, SiteLink, Slug, StartingTheme};
use uuid::Uuid;

use crate::{Error, Result, Store, Tx};

pub(crate) const PORTAL: &str =
    "select name, accent, accent_dark, theme, navigation, footer, logo, version from portal";
pub(crate) const PAGES: &str =
    "select id, slug, title, text, in_navigation, position, version, created_at, updated_at from pages";
/// As people read them.
const IN_ORDER: &str = "order by position, title, id";

#[derive(Debug, Clone, FromRow)]
pub(crate) struct PortalColumns {
    name: String,
    accent: Option<String>,
    accent_dark: Option<String>,
    #[sqlx(try_from = "String")]
    theme: StartingTheme,
    navigation: Json<Vec<SiteLink>>,
    footer: Json<Vec<SiteLink>>,
    logo: Option<String>,
    version: i64,
}

/// How the portal looks, and of which version that is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortalRow {
    /// How it looks.
    pub portal: Portal,
    /// Grows with every change; 0 where nobody has changed anything yet.
    pub version: i64,
}

impl From<PortalColumns> for PortalRow {
    fn from(row: PortalColumns) -> Self {
        let portal = Portal {
            name: row.name,
            accent: row.accent,
            accent_dark: row.accent_dark,
            theme: row.theme,
            navigation: row.navigation.0,
            footer: row.footer.0,
            logo: row.logo,
        };
        Self { portal, version: row.version }
    }
}

/// What every page shows of the portal's look; all of it none where nobody has changed anything.
#[derive(Debug, Clone, FromRow)]
pub struct LookRow {
    /// How the portal is called.
    pub name: Option<String>,
    /// The colour of what can be pressed.
    pub accent: Option<String>,
    /// The same in the dark theme.
    pub accent_dark: Option<String>,
    /// `auto`, `light` or `dark`.
    pub theme: Option<String>,
    navigation: Option<Json<Vec<SiteLink>>>,
    footer: Option<Json<Vec<SiteLink>>>,
    /// Names the picture, where there is one.
    pub logo_digest: Option<String>,
    pages: Json<Vec<(String, String)>>,
}

impl LookRow {
    /// Links in the header.
    #[must_use]
    pub fn navigation(&self) -> &[SiteLink] {
        self.navigation.as_ref().map_or(&[], |links| links.0.as_slice())
    }

    /// Links in the footer.
    #[must_use]
    pub fn footer(&self) -> &[SiteLink] {
        self.footer.as_ref().map_or(&[], |links| links.0.as_slice())
    }

    /// Slug and title of each page that the header leads to, in order.
    #[must_use]
    pub fn pages(&self) -> &[(String, String)] {
        &self.pages
    }
}

/// A page of the publisher's.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PageRow {
    /// Its id.
    #[sqlx(try_from = "Uuid")]
    pub id: PageId,
    /// Its name in addresses.
    #[sqlx(try_from = "String")]
    pub slug: Slug,
    /// Its heading.
    pub title: String,
    /// Markdown below the heading.
    pub text: String,
    /// Whether the header leads to it.
    pub in_navigation: bool,
    /// Its place among the pages.
    position: i16,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

impl From<PageRow> for Page {
    fn from(row: PageRow) -> Self {
        Self {
            position: row.position.unsigned_abs(),
            slug: row.slug,
            title: row.title,
            text: row.text,
            in_navigation: row.in_navigation,
        }
    }
}

impl Store {
    /// How the portal looks; the design's own where nobody has changed it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn get_portal(&self) -> Result<PortalRow> {
        let row: Option<PortalColumns> = sqlx::query_as(PORTAL).fetch_optional(&self.pool).await?;
        Ok(row.map(PortalRow::from).unwrap_or_default())
    }

    /// All pages, in the order in which they are read.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_pages(&self) -> Result<Vec<PageRow>> {
        let sql = sqlx::AssertSqlSafe(format!("{PAGES} {IN_ORDER} limit 1000"));
        Ok(sqlx::query_as(sql).fetch_all(&self.pool).await?)
    }

    /// What every page of the portal shows of its look, in one read and without the picture.
    ///
    /// # Errors
    /// The database failed.
    pub async fn get_look(&self) -> Result<LookRow> {
        Ok(sqlx::query_as(
            "select p.name, p.accent, p.accent_dark, p.theme, p.navigation, p.footer, p.logo_digest,
             (select coalesce(jsonb_agg(jsonb_build_array(slug, title) order by position, title, id), '[]')
              from pages where in_navigation) as pages
             from (select 1) one left join portal p on true",
        )
        .fetch_one(&self.pool)
        .await?)
    }

    /// A page by its id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_page_by_id(&self, id: PageId) -> Result<Option<PageRow>> {
        let sql = sqlx::AssertSqlSafe(format!("{PAGES} where id = $1"));
        Ok(sqlx::query_as(sql).bind(id.uuid()).fetch_optional(&self.pool).await?)
    }

    /// A page by its name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_page(&self, slug: &str) -> Result<Option<PageRow>> {
        let sql = sqlx::AssertSqlSafe(format!("{PAGES} where slug = $1"));
        Ok(sqlx::query_as(sql).bind(slug).fetch_optional(&self.pool).await?)
    }
}

impl Tx {
    /// Puts how the portal looks in place.
    ///
    /// # Errors
    /// The database failed.
    pub async fn put_portal(&mut self, portal: &Portal) -> Result<()> {
        sqlx::query(
            "insert into portal (name, accent, accent_dark, theme, navigation, footer, logo)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (is_the_one) do update set name = $1, accent = $2, accent_dark = $3, theme = $4,
             navigation = $5, footer = $6, logo = $7, version = portal.version + 1",
        )
        .bind(&portal.name)
        .bind(&portal.accent)
        .bind(&portal.accent_dark)
        .bind(portal.theme.as_str())
        .bind(json!(portal.navigation))
        .bind(json!(portal.footer))
        .bind(&portal.logo)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Gives the portal the design's own look back.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_portal(&mut self) -> Result<()> {
        sqlx::query("delete from portal").execute(self.conn()).await?;
        Ok(())
    }

    /// Locks a page and returns it.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn lock_page(&mut self, id: PageId) -> Result<PageRow> {
        sqlx::query_as(sqlx::AssertSqlSafe(format!("{PAGES} where id = $1 for update")))
            .bind(id.uuid())
            .fetch_optional(self.conn())
            .await?
            .ok_or(Error::NotFound("page"))
    }

    /// Adds a page.
    ///
    /// # Errors
    /// `Conflict` where the slug is taken, or the database failed.
    pub async fn insert_page(&mut self, id: PageId, page: &Page) -> Result<()> {
        sqlx::query(
            "insert into pages (id, slug, title, text, in_navigation, position) values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.uuid())
        .bind(page.slug.as_str())
        .bind(&page.title)
        .bind(&page.text)
        .bind(page.in_navigation)
        .bind(i16::try_from(page.position).unwrap_or(i16::MAX))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Replaces a page.
    ///
    /// # Errors
    /// As [`Tx::insert_page`].
    pub async fn update_page(&mut self, id: PageId, page: &Page) -> Result<()> {
        sqlx::query(
            "update pages set slug = $2, title = $3, text = $4, in_navigation = $5, position = $6,
             version = version + 1, updated_at = now() where id = $1",
        )
        .bind(id.uuid())
        .bind(page.slug.as_str())
        .bind(&page.title)
        .bind(&page.text)
        .bind(page.in_navigation)
        .bind(i16::try_from(page.position).unwrap_or(i16::MAX))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Removes a page.
    ///
    /// # Errors
    /// `NotFound`, or the database failed.
    pub async fn delete_page(&mut self, id: PageId) -> Result<()> {
        let done =
            sqlx::query("delete from pages where id = $1").bind(id.uuid()).execute(self.conn()).await?;
        if done.rows_affected() == 0 { Err(Error::NotFound("page")) } else { Ok(()) }
    }
}
