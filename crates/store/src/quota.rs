//! What was used of quotas: told to gateways as changes, and folded where its counters are gone for good.
//!
//! `quota_usage` has a row per month, subscription and gateway process; what a gateway asks for is the sum over all
//! processes but itself.
//!
//! **Changes are not missed.** A row carries the transaction that last changed it (`changed_in`). An asker keeps a
//! [`QuotaMark`], the oldest transaction still running (`xmin`) before its question was answered: every transaction
//! below it had ended by then, so its rows were in the answer; every other one is at or above it, so its rows are in the
//! next answer, whenever it commits. Rows seen twice do no harm: an answer tells sums, not growth.
//!
//! **Folding changes no sum.** It moves what dead processes charged into the row of the nil UUID, in one transaction,
//! while it holds the lock that their writers need. What a journal of a dead process still brings later is compared
//! with `usage_counters`, which folding does not touch, so it counts by exactly its growth, in a new row, which the
//! next folding adds. For each process, its row plus what was folded of it is always the sum of its `usage_counters`. Hence
//! a process that comes back to life although it was taken for dead finds out what was folded of it, and takes it
//! out again before it is told a sum that contains its own calls.

use sqlx::{Postgres, Transaction};
use tollgate_domain::{CalendarMonth, SubscriptionId};
use uuid::Uuid;

use crate::{Result, Store};

/// Subscriptions per page of [`QuotaQuestion::All`].
const PAGE: i64 = 50_000;
/// Changed rows beyond which reading all in pages is cheaper than reading the changes at once.
const CHANGES_MAX: i64 = 50_000;
/// Rows folded per transaction.
const FOLD_ROWS: u64 = 50_000;

/// Up to where an asker has seen the changes of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaMark {
    /// The database; a restored backup has another.
    pub epoch: Uuid,
    /// All transactions below this one are seen.
    pub transaction: i64,
}

/// What a gateway asks about the quotas of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaQuestion {
    /// All sums, a page at a time, by subscription.
    All {
        /// The last subscription of the page before.
        after: Option<SubscriptionId>,
    },
    /// The sums that changed.
    Changed {
        /// The mark of the answer before.
        since: QuotaMark,
    },
}

/// What all other gateways charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaAnswer {
    /// From where to ask for changes next; of several pages, that of the first.
    pub mark: QuotaMark,
    /// Charged calls by subscription.
    pub used: Vec<(SubscriptionId, u64)>,
    /// Otherwise: more pages follow, or the changes cannot be told and all must be asked for.
    pub complete: bool,
}

impl Store {
    /// Charged calls of a month per subscription, counted by every gateway process but `boot_id`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn quota_used_elsewhere(
        &self,
        month: CalendarMonth,
        boot_id: Uuid,
        question: QuotaQuestion,
    ) -> Result<QuotaAnswer> {
        // Before the sums are read: what is committed in between is told twice rather than never.
        let (epoch, transaction, folded): (Uuid, i64, bool) = sqlx::query_as(
            "select epoch, pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
                exists (select from quota_folds where boot_id = $1)
             from config_head",
        )
        .bind(boot_id)
        .fetch_one(&self.pool)
        .await?;
        let mark = QuotaMark { epoch, transaction };
        if folded {
            self.unfold_quota_usage(boot_id).await?;
        }
        match question {
            QuotaQuestion::All { after } => {
                let after = after.map_or(Uuid::nil(), SubscriptionId::uuid);
                let rows: Vec<(Uuid, i64)> = sqlx::query_as(ALL)
                    .bind(month.first_day())
                    .bind(boot_id)
                    .bind(after)
                    .bind(PAGE)
                    .fetch_all(&self.pool)
                    .await?;
                let complete = i64::try_from(rows.len()).is_ok_and(|rows| rows < PAGE);
                Ok(QuotaAnswer { mark, used: used(rows.into_iter()), complete })
            }
            QuotaQuestion::Changed { since } if since.epoch == epoch && since.transaction <= transaction => {
                let rows: Vec<(Uuid, i64, i64)> = sqlx::query_as(CHANGED)
                    .bind(month.first_day())
                    .bind(boot_id)
                    .bind(since.transaction)
                    .bind(CHANGES_MAX)
                    .fetch_all(&self.pool)
                    .await?;
                let complete = rows.first().is_none_or(|(_, _, changed)| *changed < CHANGES_MAX);
                let used = used(rows.into_iter().map(|(id, charged, _)| (id, charged)));
                Ok(QuotaAnswer { mark, used, complete })
            }
            // Another database than the one that gave the mark, or an older state of it.
            QuotaQuestion::Changed { .. } => Ok(QuotaAnswer { mark, used: Vec::new(), complete: false }),
        }
    }

    /// Charged calls of a month for one subscription, by all gateways.
    ///
    /// # Errors
    /// The database failed.
    pub async fn quota_used(&self, subscription: SubscriptionId, month: CalendarMonth) -> Result<u64> {
        let used: i64 = sqlx::query_scalar(
            "select coalesce(sum(charged), 0)::bigint from quota_usage where month = $1 and subscription_id = $2",
        )
        .bind(month.first_day())
        .bind(subscription.uuid())
        .fetch_one(&self.pool)
        .await?;
        Ok(used.unsigned_abs())
    }

    /// Folds what dead gateway processes charged into one row per month and subscription, so that restarts do not
    /// make the exchange of quotas dearer for ever. Dead is who said goodbye, and who was found silent a day ago and
    /// did not speak since: a silence is measured from when it was noticed, so that an outage of the database itself,
    /// in which nobody could speak, kills nobody. Returns how many rows were folded.
    ///
    /// # Errors
    /// The database failed; what was folded until then stays folded.
    pub async fn fold_quota_usage(&self) -> Result<u64> {
        sqlx::query(
            "update gateway_nodes set silent_since = now()
             where silent_since is null and state <> 'stopped' and seen_at < now() - interval '10 minutes'",
        )
        .execute(&self.pool)
        .await?;
        let mut tx = self.patient().await?;
        let dead: Vec<Uuid> = sqlx::query_scalar(DEAD).fetch_all(&mut *tx).await?;
        tx.commit().await?;
        let mut folded = 0;
        for boot_id in dead {
            loop {
                let mut tx = self.patient().await?;
                lock(&mut tx, boot_id).await?;
                sqlx::query("insert into quota_folds (boot_id) values ($1) on conflict do nothing")
                    .bind(boot_id)
                    .execute(&mut *tx)
                    .await?;
                let rows = sqlx::query(FOLD)
                    .bind(boot_id)
                    .bind(FOLD_ROWS.cast_signed())
                    .execute(&mut *tx)
                    .await?
                    .rows_affected();
                tx.commit().await?;
                folded += rows;
                if rows < FOLD_ROWS {
                    break;
                }
            }
        }
        Ok(folded)
    }

    /// Undoes the folding of one process, from what is stored of its calls.
    async fn unfold_quota_usage(&self, boot_id: Uuid) -> Result<()> {
        let mut tx = self.patient().await?;
        lock(&mut tx, boot_id).await?;
        sqlx::query(UNFOLD).bind(boot_id).execute(&mut *tx).await?;
        sqlx::query("delete from quota_folds where boot_id = $1").bind(boot_id).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A transaction whose statements may take a minute.
    async fn patient(&self) -> Result<Transaction<'static, Postgres>> {
        let mut tx = self.pool().begin().await?;
        sqlx::query("set local statement_timeout = '60s'").execute(&mut *tx).await?;
        Ok(tx)
    }
}

/// One folder at a time, then the lock of the writers of the process, in this order everywhere.
async fn lock(tx: &mut Transaction<'static, Postgres>, boot_id: Uuid) -> Result<()> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('quota_fold', 0))").execute(&mut **tx).await?;
    lock_boot(tx, boot_id).await
}

/// One writer at a time per gateway process.
pub(crate) async fn lock_boot(tx: &mut Transaction<'static, Postgres>, boot_id: Uuid) -> Result<()> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('usage:' || $1::text, 0))")
        .bind(boot_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn used(rows: impl Iterator<Item = (Uuid, i64)>) -> Vec<(SubscriptionId, u64)> {
    rows.map(|(id, charged)| (id.into(), charged.unsigned_abs())).collect()
}

const ALL: &str = "
select subscription_id, least(sum(charged), 9223372036854775807)::bigint from quota_usage
where month = $1 and boot_id <> $2 and subscription_id > $3
group by subscription_id order by subscription_id limit $4";

/// Subscription by subscription, through the primary key: a join that reads the month is what this is to avoid.
const CHANGED: &str = "
with changed as materialized (
    select subscription_id from quota_usage where month = $1 and boot_id <> $2 and changed_in >= $3 limit $4
)
select c.subscription_id, q.charged, (select count(*) from changed)
from (select distinct subscription_id from changed) c
cross join lateral (
    select least(sum(charged), 9223372036854775807)::bigint as charged from quota_usage
    where month = $1 and subscription_id = c.subscription_id and boot_id <> $2
) q";

/// One that never spoke, but left a journal that another handed in, is dead when nothing was added for a day.
const DEAD: &str = "
select q.boot_id
from (select boot_id, max(updated_at) as added_at from quota_usage
      where boot_id <> '00000000-0000-0000-0000-000000000000' group by boot_id) q
left join gateway_nodes n using (boot_id)
where case when n.boot_id is null then q.added_at < now() - interval '1 day'
           else n.state = 'stopped' or n.silent_since < now() - interval '1 day' end
order by q.boot_id";

/// `changed_in` is kept: to all others no sum has changed, and who has not yet seen the row's last change finds it here.
const FOLD: &str = "
with gone as (
    delete from quota_usage where ctid in (select ctid from quota_usage where boot_id = $1 limit $2)
    returning subscription_id, month, charged, updated_at, changed_in
)
insert into quota_usage as q (subscription_id, month, boot_id, charged, updated_at, changed_in)
select subscription_id, month, '00000000-0000-0000-0000-000000000000', charged, updated_at, changed_in from gone
on conflict (month, subscription_id, boot_id) do update
    set charged = q.charged + excluded.charged, updated_at = greatest(q.updated_at, excluded.updated_at),
        changed_in = greatest(q.changed_in, excluded.changed_in)";

const UNFOLD: &str = "
with counted as (
    select subscription_id, date_trunc('month', minute at time zone 'UTC')::date as month, sum(units)::bigint as charged
    from usage_counters where boot_id = $1 group by 1, 2
), folded as (
    select c.subscription_id, c.month, c.charged - coalesce(q.charged, 0) as charged
    from counted c
    left join quota_usage q on q.month = c.month and q.subscription_id = c.subscription_id and q.boot_id = $1
    where c.charged > coalesce(q.charged, 0)
), taken as (
    update quota_usage q
    set charged = q.charged - f.charged, updated_at = now(), changed_in = pg_current_xact_id()::text::bigint
    from folded f
    where q.month = f.month and q.subscription_id = f.subscription_id
      and q.boot_id = '00000000-0000-0000-0000-000000000000'
)
insert into quota_usage as q (subscription_id, month, boot_id, charged)
select subscription_id, month, $1, charged from folded
on conflict (month, subscription_id, boot_id) do update
    set charged = q.charged + excluded.charged, updated_at = now(), changed_in = pg_current_xact_id()::text::bigint";

/// A quota that is half, mostly or wholly used, and whom to tell.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct QuotaAlertRow {
    /// The subscription.
    #[sqlx(try_from = "Uuid")]
    pub subscription_id: SubscriptionId,
    user_id: Option<Uuid>,
    /// The quota's name.
    pub quota: String,
    /// So much of it: one of its thresholds.
    pub percent: i32,
}

impl QuotaAlertRow {
    /// Somebody who looks after it, with a confirmed address; none where there is nobody to write to.
    #[must_use]
    pub fn user(&self) -> Option<tollgate_domain::UserId> {
        self.user_id.map(Into::into)
    }
}

impl Store {
    /// Quotas of which half, 80 % or all is used this month, with everybody who looks after them.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_quota_alerts(&self, month: CalendarMonth) -> Result<Vec<QuotaAlertRow>> {
        Ok(sqlx::query_as(
            "with used as (select subscription_id, sum(charged)::numeric as charged from quota_usage where month = $1
                group by 1)
             select s.id as subscription_id, m.user_id, q.name as quota,
                (select max(a.value::int) from jsonb_array_elements_text(coalesce(q.alerts, '[50, 80, 100]')) a
                 where u.charged * 100 >= q.amount * a.value::int) as percent
             from used u join subscriptions s on s.id = u.subscription_id and s.state = 'active'
             join plans p on p.id = s.plan_id
             join lateral (select l ->> 'name' as name, coalesce(v.amount, (l ->> 'amount')::numeric) as amount, l -> 'alerts' as alerts
                from jsonb_array_elements(p.limits) l
                left join limit_overrides v on v.subscription_id = s.id and v.name = l ->> 'name'
                where l ->> 'kind' = 'quota' and coalesce(l ->> 'enforcement', 'shared') = 'shared' limit 1
             ) q on exists (select from jsonb_array_elements_text(coalesce(q.alerts, '[50, 80, 100]')) a
                where u.charged * 100 >= q.amount * a.value::int)
             left join (members m join users x on x.id = m.user_id and x.disabled_at is null
                and x.email_verified_at is not null) on m.organization_id = s.organization_id and m.role <> 'viewer'
             limit 10000",
        )
        .bind(month.first_day())
        .fetch_all(&self.pool)
        .await?)
    }
}
