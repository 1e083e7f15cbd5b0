//! Who may call, as gateways read it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use tollgate_domain::{
    ConsumerApplication, ConsumerCredential, ConsumerSubscription, Environment, OrganizationId, Restrictions,
};
use uuid::Uuid;

use super::rows;
use crate::Result;

const APPLICATIONS: &str = "
select a.id, a.organization_id from applications a join organizations o on o.id = a.organization_id
where a.deleted_at is null and o.deleted_at is null";

const CREDENTIALS: &str = "
select application_id, id, environment, digest, pepper_version, expires_at, imported, scopes, networks, origins
from credentials
where revoked_at is null and (expires_at is null or expires_at > now() - interval '30 days')";

const SUBSCRIPTIONS: &str = "
select s.application_id, s.id, s.product_id, coalesce(s.landed_plan_id,
    (select s.id where exists (select from limit_overrides v where v.subscription_id = s.id)),
    (select md5(s.plan_id::text || ':' || c.landing)::uuid from spend_caps c
     where c.subscription_id = s.id and c.landing <> 'notify'), s.plan_id) as plan_id,
    s.state = 'suspended' or a.state = 'suspended' as suspended, s.unpaid
from subscriptions s join applications a on a.id = s.application_id
where s.state in ('active', 'suspended')";

#[derive(FromRow)]
struct Credential {
    application_id: Uuid,
    id: Uuid,
    #[sqlx(try_from = "String")]
    environment: Environment,
    digest: Vec<u8>,
    pepper_version: i16,
    expires_at: Option<DateTime<Utc>>,
    imported: bool,
    scopes: Vec<String>,
    networks: Vec<String>,
    origins: Vec<String>,
}

#[derive(FromRow)]
struct Subscription {
    application_id: Uuid,
    id: Uuid,
    product_id: Uuid,
    plan_id: Uuid,
    suspended: bool,
    unpaid: bool,
}

/// All applications, or those of `ids`; in no order.
pub(super) async fn read_consumers(
    conn: &mut PgConnection,
    ids: Option<&[Uuid]>,
) -> Result<Vec<ConsumerApplication>> {
    let applications: Vec<(Uuid, Uuid)> = rows(conn, APPLICATIONS, "a.id", ids).await?;
    let credentials: Vec<Credential> = rows(conn, CREDENTIALS, "application_id", ids).await?;
    let subscriptions: Vec<Subscription> = rows(conn, SUBSCRIPTIONS, "s.application_id", ids).await?;

    let mut found: HashMap<Uuid, ConsumerApplication> = applications
        .into_iter()
        .map(|(id, organization)| {
            let application = ConsumerApplication {
                id: id.into(),
                organization_id: OrganizationId::from(organization),
                credentials: Vec::new(),
                subscriptions: Vec::new(),
            };
            (id, application)
        })
        .collect();
    for row in credentials {
        let Some((tag, _)) = row.digest.split_first_chunk() else { continue };
        let restrictions = Restrictions { scopes: row.scopes, networks: row.networks, origins: row.origins };
        if let Some(application) = found.get_mut(&row.application_id) {
            application.credentials.push(ConsumerCredential {
                id: row.id.into(),
                environment: row.environment,
                tag: *tag,
                pepper_version: row.pepper_version,
                expires_at: row.expires_at.map(|at| at.timestamp()),
                imported: row.imported,
                restrictions: (!restrictions.is_empty()).then(|| Box::new(restrictions)),
            });
        }
    }
    for row in subscriptions {
        if let Some(application) = found.get_mut(&row.application_id) {
            application.subscriptions.push(ConsumerSubscription {
                id: row.id.into(),
                product_id: row.product_id.into(),
                plan_id: row.plan_id.into(),
                suspended: row.suspended,
                unpaid: row.unpaid,
            });
        }
    }
    let mut found: Vec<_> = found.into_values().collect();
    for application in &mut found {
        // Of two that open the same product the first is taken: the same one on every gateway.
        application.subscriptions.sort_unstable_by_key(|subscription| subscription.id);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use sqlx::AssertSqlSafe;
    use tollgate_testkit::TestDatabase;

    use super::*;

    #[tokio::test]
    async fn some_applications_are_found_by_index_also_by_a_plan_that_is_kept() {
        let database = TestDatabase::create().await;
        let mut tx = database.pool().begin().await.unwrap();
        for setting in ["plan_cache_mode = force_generic_plan", "enable_seqscan = off"] {
            sqlx::query(AssertSqlSafe(format!("set local {setting}"))).execute(&mut *tx).await.unwrap();
        }
        read_consumers(&mut tx, Some(&[Uuid::now_v7()])).await.unwrap();
        let read_whole: Vec<String> = sqlx::query_scalar(
            "select relname::text from pg_stat_xact_user_tables
             where seq_scan > 0 and relname in ('applications', 'credentials', 'subscriptions')",
        )
        .fetch_all(&mut *tx)
        .await
        .unwrap();
        assert!(read_whole.is_empty(), "{read_whole:?}");
    }
}
