//! Lists of a large installation read little: 10,000 APIs with routes, 100,000 applications, keys and subscriptions.

use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use tollgate_domain::{OrganizationId, Scope};
use tollgate_store::{Column, Listing, Place, SortBy, Store, Wanted};
use tollgate_testkit::TestDatabase;
use uuid::Uuid;

/// Rows in the shape of a large installation. Names have a few common words and a rare one.
const ROWS: &str = "
insert into services (id, slug, name) values (gen_random_uuid(), 's', 'S');
insert into apis (id, slug, name, service_id, base_path, state)
    select gen_random_uuid(), 'api-' || i, 'Weather of region ' || i, (select id from services), '/a' || i,
        case when i % 10 = 0 then 'draft' else 'published' end from generate_series(1, 10000) i;
insert into routes (id, api_id, operation_id, method, path)
    select gen_random_uuid(), id, 'get', 'GET', '/x' from apis;
insert into products (id, slug, name, state) values (gen_random_uuid(), 'p', 'P', 'published');
insert into plans (id, product_id, slug, name, state)
    select gen_random_uuid(), id, 'free', 'Free', 'open' from products;
insert into organizations (id, name, slug)
    select gen_random_uuid(), 'Company number ' || i, 'company-' || i from generate_series(1, 1000) i;
insert into applications (id, organization_id, name)
    select gen_random_uuid(), (select array_agg(id) from organizations)[1 + i % 1000], 'Website build ' || i
    from generate_series(1, 100000) i;
insert into subscriptions (id, organization_id, application_id, product_id, plan_id, state)
    select gen_random_uuid(), a.organization_id, a.id, p.product_id, p.id, 'active' from applications a, plans p;
insert into credentials (id, organization_id, application_id, name, environment, display_prefix, display_last4, digest, pepper_version)
    select gen_random_uuid(), organization_id, id, 'Production', 'live', 'tg_live_' || left(md5(name), 4), 'abcd',
        sha256(name::bytea), 1 from applications;
analyze;
";

/// What a page of 50 may read of 100,000 rows; a whole table takes about 50 ms here.
const ROWS_MAX: i64 = 12_000;

async fn large() -> (TestDatabase, Store) {
    let database = TestDatabase::create().await;
    // Without the feed: nobody listens, and a hundred thousand notes of what changed are not what is measured.
    let sql =
        format!("set session_replication_role = replica; {ROWS} set session_replication_role = default;")
            .replace("(select array_agg(id) from organizations)[1 + i % 1000]", "(o.ids)[1 + i % 1000]")
            .replace(
                "from generate_series(1, 100000) i;",
                "from generate_series(1, 100000) i, (select array_agg(id) as ids from organizations) o;",
            );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(database.pool()).await.unwrap();
    // One connection, so that what it read can be asked for.
    let one = PgPoolOptions::new().max_connections(1).connect(database.url()).await.unwrap();
    (database, Store::from_pool(one))
}

#[tokio::test]
async fn no_page_of_any_list_reads_more_than_it_needs() {
    let (database, store) = large().await;
    let some: Uuid =
        sqlx::query_scalar("select organization_id from applications order by id limit 1 offset 50000")
            .fetch_one(database.pool())
            .await
            .unwrap();
    let middle = |text: &str, id| Some(Place { id, text: text.to_owned() });
    let half = Uuid::from_u128(u128::MAX / 2);
    let base = Listing { limit: 51, ..Listing::default() };
    let mut cases: Vec<(&str, Listing)> = vec![
        ("first page", base.clone()),
        ("from the middle", Listing { after: middle("", half), ..base.clone() }),
        ("latest first", Listing { descending: true, ..base.clone() }),
        ("a rare word", Listing { search: Some("77777".to_owned()), ..base.clone() }),
        ("no such word", Listing { search: Some("zebra".to_owned()), ..base.clone() }),
        ("a word of all", Listing { search: Some("web".to_owned()), ..base.clone() }),
        ("two words", Listing { search: Some("web 123".to_owned()), ..base.clone() }),
    ];
    let by_name = Listing { sort: SortBy::Name, ..base };
    cases.push(("by name", by_name.clone()));
    cases.push((
        "by name, from the middle",
        Listing { after: middle("Website build 5", half), ..by_name.clone() },
    ));
    cases
        .push(("by name, searched", Listing { descending: true, search: Some("web".to_owned()), ..by_name }));
    let mut greedy = Vec::new();
    let one = Scope::Organization(OrganizationId::from(some));
    for (name, listing) in &cases {
        let by_slug = Listing { sort: SortBy::Slug, ..listing.clone() };
        let drafts = (Column::State, Wanted::Words(vec!["draft".to_owned()]));
        let filtered = Listing { filters: vec![drafts], ..listing.clone() };
        let suspended = (Column::State, Wanted::Words(vec!["suspended".to_owned()]));
        let rare = Listing { filters: vec![suspended], ..listing.clone() };
        let unnamed = Listing { sort: SortBy::Created, search: None, ..listing.clone() };
        let requested = (Column::State, Wanted::Words(vec!["requested".to_owned()]));
        let waiting = Listing { filters: vec![requested], ..unnamed.clone() };
        for (what, rows) in [
            (
                "apis",
                rows_read(store.pool(), async || store.find_apis(listing).await.map(|rows| rows.len())).await,
            ),
            (
                "apis by slug",
                rows_read(store.pool(), async || store.find_apis(&by_slug).await.map(|rows| rows.len()))
                    .await,
            ),
            (
                "drafts",
                rows_read(store.pool(), async || store.find_apis(&filtered).await.map(|rows| rows.len()))
                    .await,
            ),
            (
                "organizations",
                rows_read(store.pool(), async || {
                    store.find_organizations(Scope::Operator, listing).await.map(|rows| rows.len())
                })
                .await,
            ),
            (
                "applications",
                rows_read(store.pool(), async || {
                    store.find_applications(Scope::Operator, listing).await.map(|rows| rows.len())
                })
                .await,
            ),
            (
                "one's applications",
                rows_read(store.pool(), async || {
                    store.find_applications(one, listing).await.map(|rows| rows.len())
                })
                .await,
            ),
            (
                "suspended applications",
                rows_read(store.pool(), async || {
                    store.find_applications(Scope::Operator, &rare).await.map(|rows| rows.len())
                })
                .await,
            ),
            (
                "subscriptions",
                rows_read(store.pool(), async || {
                    store.find_subscriptions(Scope::Operator, &unnamed).await.map(|rows| rows.len())
                })
                .await,
            ),
            (
                "waiting subscriptions",
                rows_read(store.pool(), async || {
                    store.find_subscriptions(Scope::Operator, &waiting).await.map(|rows| rows.len())
                })
                .await,
            ),
            (
                "keys",
                rows_read(store.pool(), async || {
                    store.find_credentials(Scope::Operator, listing).await.map(|rows| rows.len())
                })
                .await,
            ),
        ] {
            if rows > ROWS_MAX {
                greedy.push(format!("{what}, {name}: {rows}"));
            }
        }
    }
    assert_eq!(greedy, Vec::<String>::new(), "lists that read too many rows");
}

/// Rows that a statement fetched from tables, whether it showed them or not.
async fn rows_read(pool: &PgPool, list: impl AsyncFn() -> tollgate_store::Result<usize>) -> i64 {
    let count = async || {
        sqlx::query("select pg_stat_force_next_flush()").execute(pool).await.unwrap();
        let sql = "select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::bigint from pg_stat_user_tables";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(pool).await.unwrap()
    };
    let before = count().await;
    list().await.unwrap();
    count().await - before
}
