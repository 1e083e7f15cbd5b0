//! Lists as scripts and admins ask for them: filtered, searched, sorted, a page at a time.

use sqlx::postgres::PgRow;
use sqlx::{FromRow, Postgres, QueryBuilder};
use tollgate_domain::Scope;
use uuid::Uuid;

use crate::{
    ApiRow, ApplicationRow, CertificateRow, CredentialRow, OrganizationRow, PlanRow, ProductRow, Result,
    ServiceRow, Store, SubscriptionRow, apis, certificates, credentials, products, services,
};

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// When things were made; their ids say so.
    #[default]
    Created,
    /// By name, upper and lower case alike.
    Name,
    /// By slug.
    Slug,
}

/// A column that a list can be narrowed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// State.
    State,
    /// Who sees it.
    Visibility,
    /// Live or test.
    Environment,
    /// The tenant.
    Organization,
    /// The application.
    Application,
    /// The service.
    Service,
    /// The product.
    Product,
    /// The plan.
    Plan,
    /// Where a certificate comes from.
    Source,
}

/// What a column must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This id.
    Id(Uuid),
    /// One of these words.
    Words(Vec<String>),
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The last row's id.
    pub id: Uuid,
    /// Its name or slug, where the list is sorted by one.
    pub text: String,
}

/// Which rows of a list.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Only those of which every word begins a word of name or slug; or that have this id; or a key that begins so.
    pub search: Option<String>,
    /// Only those of which all these columns hold what is wanted.
    pub filters: Vec<(Column, Wanted)>,
    /// The order.
    pub sort: SortBy,
    /// From the end.
    pub descending: bool,
    /// Behind this row.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: i64,
}

/// What a search may find before the list is walked instead of what was found.
const FOUND_MAX: i64 = 2_000;

/// A table as it can be listed.
struct Listed {
    select: &'static str,
    from: &'static str,
    alias: &'static str,
    /// What holds for all rows that are shown.
    always: &'static str,
    /// The tenant's column, where rows have one.
    tenant: Option<&'static str>,
    /// What is searched by words, as its index has it; nothing where there is no name.
    words: &'static str,
}

const fn published(
    select: &'static str,
    from: &'static str,
    alias: &'static str,
    words: &'static str,
) -> Listed {
    Listed { select, from, alias, always: "true", tenant: None, words }
}

impl Store {
    /// Services.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_services(&self, listing: &Listing) -> Result<Vec<ServiceRow>> {
        self.listed(
            &published(services::COLUMNS, "services s", "s", "s.name || ' ' || s.slug"),
            Scope::Operator,
            listing,
        )
        .await
    }

    /// APIs.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_apis(&self, listing: &Listing) -> Result<Vec<ApiRow>> {
        self.listed(
            &published(apis::COLUMNS, "apis a", "a", "a.name || ' ' || a.slug || ' ' || a.base_path"),
            Scope::Operator,
            listing,
        )
        .await
    }

    /// Products, drafts and retired ones too.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_products(&self, listing: &Listing) -> Result<Vec<ProductRow>> {
        self.listed(
            &published(products::COLUMNS, "products p", "p", "p.name || ' ' || p.slug"),
            Scope::Operator,
            listing,
        )
        .await
    }

    /// Certificates, found by the words of slug and hosts.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_certificates(&self, listing: &Listing) -> Result<Vec<CertificateRow>> {
        self.listed(
            &published(
                certificates::COLUMNS,
                "certificates c",
                "c",
                "c.slug || ' ' || joined_names(c.names)",
            ),
            Scope::Operator,
            listing,
        )
        .await
    }

    /// Plans.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_plans(&self, listing: &Listing) -> Result<Vec<PlanRow>> {
        self.listed(
            &published("select p.* from plans p", "plans p", "p", "p.name || ' ' || p.slug"),
            Scope::Operator,
            listing,
        )
        .await
    }

    /// Tenants that the scope may see.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_organizations(&self, scope: Scope, listing: &Listing) -> Result<Vec<OrganizationRow>> {
        let table = Listed {
            always: "o.deleted_at is null",
            tenant: Some("id"),
            ..published(
                "select o.id, o.name, o.slug, o.version, o.created_at from organizations o",
                "organizations o",
                "o",
                "o.name || ' ' || o.slug",
            )
        };
        self.listed(&table, scope, listing).await
    }

    /// Applications that the scope may see.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_applications(&self, scope: Scope, listing: &Listing) -> Result<Vec<ApplicationRow>> {
        let table = Listed {
            select: "select a.* from applications a",
            from: "applications a",
            alias: "a",
            always: "a.deleted_at is null",
            tenant: Some("organization_id"),
            words: "a.name",
        };
        self.listed(&table, scope, listing).await
    }

    /// Subscriptions that the scope may see, those that have ended too.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_subscriptions(&self, scope: Scope, listing: &Listing) -> Result<Vec<SubscriptionRow>> {
        let table = Listed {
            select: "select s.* from subscriptions s",
            from: "subscriptions s",
            alias: "s",
            always: "true",
            tenant: Some("organization_id"),
            words: "",
        };
        self.listed(&table, scope, listing).await
    }

    /// Keys that the scope may see, those that are over too.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_credentials(&self, scope: Scope, listing: &Listing) -> Result<Vec<CredentialRow>> {
        let table = Listed {
            select: credentials::COLUMNS,
            from: "credentials",
            alias: "credentials",
            always: "true",
            tenant: Some("organization_id"),
            words: "credentials.name",
        };
        self.listed(&table, scope, listing).await
    }

    async fn listed<T>(&self, table: &Listed, scope: Scope, listing: &Listing) -> Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        // Written anew for what is asked, so that each question finds its index.
        let mut query = QueryBuilder::<Postgres>::new(table.select);
        query.push(" where ").push(table.always);
        if let (Some(column), Some(tenant)) = (table.tenant, scope.organization()) {
            query.push(format!(" and {}.{column} = ", table.alias)).push_bind(tenant.uuid());
        }
        for (column, wanted) in &listing.filters {
            push_filter(&mut query, table, *column, wanted);
        }
        if let Some(text) = &listing.search {
            match self.found(table, text).await? {
                Some(ids) => query.push(format!(" and {}.id = any(", table.alias)).push_bind(ids).push(")"),
                None => push_search(&mut query, table, text),
            };
        }
        push_order(&mut query, table, listing);
        query.push(" limit ").push_bind(listing.limit);
        Ok(query.build_query_as().persistent(false).fetch_all(&self.pool).await?)
    }
}

impl Store {
    /// What a search finds; none where it is so much that walking the list finds a page soon. Asked for first, because the
    /// planner takes every word for a common one and would walk the whole list for what is rare.
    async fn found(&self, table: &Listed, text: &str) -> Result<Option<Vec<Uuid>>> {
        // With what always holds, or an index of those rows alone would not be taken.
        let mut query = QueryBuilder::<Postgres>::new(format!(
            "select {}.id from {} where {}",
            table.alias, table.from, table.always
        ));
        push_search(&mut query, table, text);
        query.push(" limit ").push_bind(FOUND_MAX + 1);
        let ids: Vec<Uuid> = query.build_query_scalar().persistent(false).fetch_all(&self.pool).await?;
        Ok((ids.len() as i64 <= FOUND_MAX).then_some(ids))
    }
}

fn push_filter(query: &mut QueryBuilder<Postgres>, table: &Listed, column: Column, wanted: &Wanted) {
    let alias = table.alias;
    let column = match column {
        // A key has no column for its state.
        Column::State if alias == "credentials" => {
            "case when credentials.revoked_at is null then 'active' else 'revoked' end".to_owned()
        }
        Column::State => format!("{alias}.state"),
        Column::Visibility => format!("{alias}.visibility"),
        Column::Environment => format!("{alias}.environment"),
        Column::Organization => format!("{alias}.organization_id"),
        Column::Application => format!("{alias}.application_id"),
        Column::Service => format!("{alias}.service_id"),
        Column::Product => format!("{alias}.product_id"),
        Column::Plan => format!("{alias}.plan_id"),
        Column::Source => format!("{alias}.source"),
    };
    query.push(format!(" and {column} = "));
    match wanted {
        Wanted::Id(id) => query.push_bind(*id),
        Wanted::Words(words) => match &words[..] {
            // One word may find a partial index.
            [word] if word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => {
                query.push(format!("'{word}'"))
            }
            _ => query.push("any(").push_bind(words.clone()).push(")"),
        },
    };
}

fn push_search<'q>(
    query: &'q mut QueryBuilder<Postgres>,
    table: &Listed,
    text: &str,
) -> &'q mut QueryBuilder<Postgres> {
    let alias = table.alias;
    query.push(" and (false");
    if let Some(id) = text.split_once('_').and_then(|(_, id)| id_of(id)) {
        query.push(format!(" or {alias}.id = ")).push_bind(id);
    }
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(8)
        .map(|word| format!("{word}:*"))
        .collect();
    if !table.words.is_empty() && !words.is_empty() {
        query.push(format!(" or search_words({}) @@ to_tsquery('simple', ", table.words));
        query.push_bind(words.join(" & ")).push(")");
    }
    if alias == "credentials" {
        // Both ends, because the planner sees no range in `starts_with` of a parameter.
        query.push(" or (display_prefix collate \"C\" >= ").push_bind(text.to_owned());
        query.push(" and display_prefix collate \"C\" < ").push_bind(format!("{text}\u{10ffff}")).push(")");
    }
    query.push(")")
}

/// The id in a text like `app_01ks…`.
fn id_of(tail: &str) -> Option<Uuid> {
    format!("{}_{tail}", tollgate_domain::ApplicationId::PREFIX)
        .parse::<tollgate_domain::ApplicationId>()
        .ok()
        .map(tollgate_domain::ApplicationId::uuid)
}

fn push_order(query: &mut QueryBuilder<Postgres>, table: &Listed, listing: &Listing) {
    let alias = table.alias;
    let (behind, direction) = if listing.descending { ("<", "desc") } else { (">", "asc") };
    let key = match listing.sort {
        SortBy::Created => None,
        SortBy::Name => Some(format!("lower({alias}.name)")),
        SortBy::Slug => Some(format!("{alias}.slug")),
    };
    match (&key, &listing.after) {
        (None, Some(place)) => {
            query.push(format!(" and {alias}.id {behind} ")).push_bind(place.id);
        }
        (Some(key), Some(place)) => {
            query.push(format!(" and ({key}, {alias}.id) {behind} (lower(")).push_bind(place.text.clone());
            query.push("), ").push_bind(place.id).push(")");
        }
        (_, None) => {}
    }
    match key {
        None => query.push(format!(" order by {alias}.id {direction}")),
        Some(key) => query.push(format!(" order by {key} {direction}, {alias}.id {direction}")),
    };
}
