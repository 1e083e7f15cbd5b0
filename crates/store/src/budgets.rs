//! Budgets that gateways lease: what is granted of each, to whom, and never more than there is.
//!
//! A budget is one quota of one subscription in one window of time. Gateways ask for some units ahead, spend them without
//! asking, hand back what they do not need. `granted` may not exceed `amount`: the table says so, hence no code can lend
//! too much. What was used is not kept here: it is counted from `usage_counters`, as bills are.
//!
//! What a process that died had not spent is lent to nobody until it is known: once the process is gone for good and its
//! journal has been handed in, the rest of its leases is taken back.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tollgate_domain::{Funds, Limit, SubscriptionId, Window};
use uuid::Uuid;

use crate::{BudgetSubjectRow, Result, Store};

/// A gateway that needs more of a subscription's budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseAsk {
    /// Whose budgets.
    pub subscription_id: SubscriptionId,
    /// Units without which a call waits.
    pub needed: u64,
    /// Units that would last a while.
    pub wanted: u64,
}

/// What a gateway got of one budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseGrant {
    /// Whose budget.
    pub subscription_id: SubscriptionId,
    /// Its place among the leased quotas of the plan.
    pub cell: usize,
    /// Its name.
    pub name: String,
    /// The window that it is of.
    pub starts: DateTime<Utc>,
    /// The first instant after that window.
    pub ends: DateTime<Utc>,
    /// Units granted now; may be none.
    pub granted: u64,
    /// Units that nobody has.
    pub free: u64,
}

/// Units that a gateway hands back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseReturn {
    /// Whose budget.
    pub subscription_id: SubscriptionId,
    /// Its name.
    pub name: String,
    /// The window that they are of.
    pub starts: DateTime<Utc>,
    /// How many.
    pub units: u64,
}

/// One budget that is asked for.
struct Wanted {
    ask: LeaseAsk,
    cell: usize,
    limit: Limit,
    window: Window,
}

impl Wanted {
    /// What its plan says; below 0 where its row does.
    fn amount(&self) -> i64 {
        match self.limit.funds() {
            Funds::Units | Funds::Throttled => i64::try_from(self.limit.amount).unwrap_or(i64::MAX),
            Funds::SpendCap | Funds::Credits => -1,
        }
    }
}

impl Store {
    /// Lends a gateway process units of all leased budgets of some subscriptions. Those that are not active get none.
    ///
    /// # Errors
    /// The database failed; nothing was lent.
    pub async fn lease_budgets(&self, boot_id: Uuid, asks: &[LeaseAsk]) -> Result<Vec<LeaseGrant>> {
        let ids: Vec<Uuid> = asks.iter().map(|ask| ask.subscription_id.uuid()).collect();
        let subjects: HashMap<SubscriptionId, BudgetSubjectRow> = self
            .list_budget_subjects(&ids)
            .await?
            .into_iter()
            .map(|row| (row.subscription_id, row))
            .collect();
        let mut wanted = Vec::new();
        for ask in asks {
            let Some(subject) = subjects.get(&ask.subscription_id) else { continue };
            for (cell, limit) in subject.leased() {
                let Some(window) = subject.window(&limit, subject.now) else { continue };
                wanted.push(Wanted { ask: *ask, cell, limit, window });
            }
        }
        // Everybody locks in the same order.
        wanted.sort_by(|a, b| {
            (a.ask.subscription_id, &a.limit.name).cmp(&(b.ask.subscription_id, &b.limit.name))
        });
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut granted = self.grant(boot_id, &wanted).await?;
        if granted.len() < wanted.len() {
            self.open_budgets(&subjects, wanted.iter().filter(|one| !granted.contains_key(&place(one))))
                .await?;
            granted.extend(self.grant(boot_id, &wanted).await?);
        }
        let grants = wanted.into_iter().filter_map(|one| {
            let (granted, free) = *granted.get(&place(&one))?;
            Some(LeaseGrant {
                subscription_id: one.ask.subscription_id,
                cell: one.cell,
                name: one.limit.name,
                starts: one.window.starts,
                ends: one.window.ends,
                granted,
                free,
            })
        });
        Ok(grants.collect())
    }

    /// Takes back units that a gateway process did not spend. What it never had is not taken.
    ///
    /// # Errors
    /// The database failed; nothing was taken back.
    pub async fn return_leases(&self, boot_id: Uuid, returns: &[LeaseReturn]) -> Result<()> {
        let mut tx = self.pool().begin().await?;
        sqlx::query(
            "with back as (
                select * from unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::bigint[]) as t (subscription_id, name, starts, units)
             ), left_over as (
                update budget_leases l set granted = l.granted - b.units from back b
                where l.boot_id = $1 and l.subscription_id = b.subscription_id and l.name = b.name and l.starts = b.starts
                    and l.granted >= b.units
                returning l.subscription_id, l.name, l.starts, b.units
             )
             update budgets b set granted = b.granted - l.units from left_over l
             where b.subscription_id = l.subscription_id and b.name = l.name and b.starts = l.starts",
        )
        .bind(boot_id)
        .bind(returns.iter().map(|one| one.subscription_id.uuid()).collect::<Vec<_>>())
        .bind(returns.iter().map(|one| one.name.clone()).collect::<Vec<_>>())
        .bind(returns.iter().map(|one| one.starts).collect::<Vec<_>>())
        .bind(returns.iter().map(|one| i64::try_from(one.units).unwrap_or(i64::MAX)).collect::<Vec<_>>())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Forgets budgets whose windows ended long ago.
    ///
    /// # Errors
    /// The database failed.
    pub async fn sweep_budgets(&self) -> Result<()> {
        sqlx::query("delete from budgets where ends < now() - interval '100 days'")
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes back what processes that are gone for good had not spent. Returns how many leases were closed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn reclaim_leases(&self) -> Result<u64> {
        let closed = sqlx::query(RECLAIM).execute(&self.pool).await?;
        Ok(closed.rows_affected())
    }

    /// Makes budgets for windows in which nothing was lent yet. What was used of a window before somebody asked, under
    /// another plan perhaps, counts as lent.
    async fn open_budgets<'w>(
        &self,
        subjects: &HashMap<SubscriptionId, BudgetSubjectRow>,
        missing: impl Iterator<Item = &'w Wanted>,
    ) -> Result<()> {
        for one in missing {
            let id = one.ask.subscription_id;
            let Some(subject) = subjects.get(&id) else { continue };
            // What money allows is worked out beside; a free plan's quota begins anew when a cap is reached.
            let (used, amount) = match one.limit.funds() {
                Funds::Units => (self.units_used(id, one.window).await?, one.limit.amount),
                Funds::SpendCap => {
                    (self.weight_used(id, one.window).await?, subject.month_weight.unsigned_abs())
                }
                Funds::Credits => (self.weight_used(id, one.window).await?, 0),
                Funds::Throttled => (0, one.limit.amount),
            };
            let carried = match subject.before(&one.limit, one.window) {
                Some(before) if one.limit.budget.rollover > 0 && subject.created_at < before.ends => {
                    let had = one.limit.amount + self.units_carried(id, &one.limit.name, before).await?;
                    had.saturating_sub(self.units_used(id, before).await?).min(one.limit.budget.rollover)
                }
                _ => 0,
            };
            sqlx::query(
                "insert into budgets (subscription_id, name, starts, ends, carried, amount, granted)
                 values ($1, $2, $3, $4, $5, greatest($6, $7), $7) on conflict do nothing",
            )
            .bind(id.uuid())
            .bind(&one.limit.name)
            .bind(one.window.starts)
            .bind(one.window.ends)
            .bind(carried.cast_signed())
            .bind((amount + carried).cast_signed())
            .bind(used.cast_signed())
            .execute(&self.pool)
            .await?;
        }
        Ok(())
    }

    /// Grants of those budgets that are there, with what is free of each.
    async fn grant(&self, boot_id: Uuid, wanted: &[Wanted]) -> Result<HashMap<Budget, (u64, u64)>> {
        let mut tx = self.pool().begin().await?;
        // Locked by one statement and changed by the next, which sees what was committed meanwhile. A budget that appears
        // between the two is not ours to lend from: others may, in the same instant.
        let locked = lock(&mut tx, wanted).await?;
        let wanted: Vec<&Wanted> = wanted.iter().filter(|one| locked.contains(&place(one))).collect();
        let (ids, names, starts) = columns(wanted.iter().copied());
        let numbers = |pick: fn(&Wanted) -> u64| -> Vec<i64> {
            wanted.iter().map(|one| i64::try_from(pick(one)).unwrap_or(i64::MAX)).collect()
        };
        let rows: Vec<(Uuid, String, DateTime<Utc>, i64, i64)> = sqlx::query_as(GRANT)
            .bind(boot_id)
            .bind(&ids)
            .bind(&names)
            .bind(&starts)
            .bind(wanted.iter().map(|one| one.amount()).collect::<Vec<_>>())
            .bind(numbers(|one| one.ask.needed.max(1)))
            .bind(numbers(|one| one.ask.wanted))
            .fetch_all(&mut *tx)
            .await?;
        tx.commit().await?;
        let of = rows.into_iter().map(|(id, name, starts, granted, free)| {
            ((id.into(), name, starts), (granted.unsigned_abs(), free.unsigned_abs()))
        });
        Ok(of.collect())
    }
}

type Budget = (SubscriptionId, String, DateTime<Utc>);

/// Locks those budgets that are there, and says which.
async fn lock(tx: &mut PgConnection, wanted: &[Wanted]) -> Result<HashSet<Budget>> {
    let (ids, names, starts) = columns(wanted);
    let rows: Vec<(Uuid, String, DateTime<Utc>)> = sqlx::query_as(
        "select subscription_id, name, starts from budgets b
         join unnest($1::uuid[], $2::text[], $3::timestamptz[]) as t (subscription_id, name, starts) using (subscription_id, name, starts)
         order by subscription_id, name for update of b",
    )
    .bind(ids)
    .bind(names)
    .bind(starts)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|(id, name, starts)| (id.into(), name, starts)).collect())
}

fn columns<'w>(
    wanted: impl IntoIterator<Item = &'w Wanted>,
) -> (Vec<Uuid>, Vec<&'w str>, Vec<DateTime<Utc>>) {
    wanted
        .into_iter()
        .map(|one| (one.ask.subscription_id.uuid(), one.limit.name.as_str(), one.window.starts))
        .collect()
}

fn place(one: &Wanted) -> Budget {
    (one.ask.subscription_id, one.limit.name.clone(), one.window.starts)
}

/// A quarter of what is free, shared by all that serve, so that the last units are not lent to one who may not need them;
/// but never less than a waiting call needs, while there is so much. An amount that was lowered below what is lent already
/// stops further loans.
const GRANT: &str = "
with asked as (
    select * from unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::bigint[], $6::bigint[], $7::bigint[])
        as t (subscription_id, name, starts, amount, needed, wanted)
), serving as (
    select greatest(count(*), 1) as nodes from gateway_nodes
    where state = 'serving' and seen_at > now() - interval '1 minute'
), free as (
    select subscription_id, name, starts, total as amount, a.needed, a.wanted, greatest(total - b.granted, 0) as free
    from budgets b join asked a using (subscription_id, name, starts)
    cross join lateral (select case when a.amount < 0 then b.amount else a.amount + b.carried end) t (total)
), chunks as (
    select f.*, least(f.free, greatest(f.needed, least(f.wanted, f.free / (4 * s.nodes)))) as chunk
    from free f, serving s
), lent as (
    update budgets b set granted = b.granted + c.chunk, amount = greatest(c.amount, b.granted)
    from chunks c where b.subscription_id = c.subscription_id and b.name = c.name and b.starts = c.starts
), noted as (
    insert into budget_leases as l (subscription_id, name, starts, boot_id, granted)
    select subscription_id, name, starts, $1, chunk from chunks where chunk > 0
    on conflict (subscription_id, name, starts, boot_id) do update set granted = l.granted + excluded.granted
)
select subscription_id, name, starts, chunk, free - chunk from chunks";

/// Gone for good is who said goodbye, whose journal the next process on its disk handed in, or who was found silent a day
/// ago.
const RECLAIM: &str = "
with gone as (
    select l.* from budget_leases l join gateway_nodes n using (boot_id)
    where n.state = 'stopped' or n.silent_since < now() - interval '1 day'
), closed as (
    delete from budget_leases l using gone g
    where l.subscription_id = g.subscription_id and l.name = g.name and l.starts = g.starts and l.boot_id = g.boot_id
    returning l.*
), unspent as (
    select c.subscription_id, c.name, c.starts, sum(greatest(c.granted - coalesce((
        select sum(case c.name when '$cap' then greatest(u.units, u.charged) when '$credits' then greatest(u.units, u.charged)
            when '$throttled' then u.calls else u.units end)
        from usage_counters u join budgets w
            on w.subscription_id = c.subscription_id and w.name = c.name and w.starts = c.starts
        where u.boot_id = c.boot_id and u.subscription_id = c.subscription_id and u.minute >= w.starts and u.minute < w.ends
    ), 0), 0))::bigint as units
    from closed c group by 1, 2, 3
)
update budgets b set granted = b.granted - least(u.units, b.granted) from unspent u
where b.subscription_id = u.subscription_id and b.name = u.name and b.starts = u.starts and u.units > 0";
