//! The ledger's write side: cumulative counts in, quota sums moved with them.

use chrono::{DateTime, Utc};
use tollgate_domain::UsageCount;
use uuid::Uuid;

use crate::quota::lock_boot;
use crate::{Result, Store};

impl Store {
    /// Stores cumulative counts. A count that is not larger than the stored one changes nothing, so a batch may
    /// be sent again, late or out of order. The quota sums move in the same statement by exactly the growth.
    ///
    /// # Errors
    /// The database failed; nothing of the batch was stored.
    pub async fn record_usage(&self, counts: &[UsageCount]) -> Result<()> {
        if counts.is_empty() {
            return Ok(());
        }
        let mut tx = self.pool().begin().await?;
        // One writer at a time per gateway process, so that the growth seen below is the growth stored.
        let mut boots: Vec<Uuid> = counts.iter().map(|count| count.boot_id).collect();
        boots.sort_unstable();
        boots.dedup();
        for boot in boots {
            lock_boot(&mut tx, boot).await?;
        }
        let uuids = |pick: fn(&UsageCount) -> Uuid| counts.iter().map(pick).collect::<Vec<_>>();
        let numbers = |pick: fn(&UsageCount) -> u64| {
            counts.iter().map(|count| i64::try_from(pick(count)).unwrap_or(i64::MAX)).collect::<Vec<_>>()
        };
        let minutes: Vec<DateTime<Utc>> = counts.iter().map(|count| minute_start(count.key.minute)).collect();
        sqlx::query(RECORD)
            .bind(uuids(|c| c.boot_id))
            .bind(uuids(|c| c.key.credential_id.uuid()))
            .bind(uuids(|c| c.key.subscription_id.uuid()))
            .bind(uuids(|c| c.key.route_id.uuid()))
            .bind(counts.iter().map(|c| c.key.status.cast_signed()).collect::<Vec<i16>>())
            .bind(counts.iter().map(|c| c.key.outcome.code()).collect::<Vec<i16>>())
            .bind(minutes)
            .bind(numbers(|c| c.calls))
            .bind(numbers(|c| c.charged))
            .bind(numbers(|c| c.bytes_in))
            .bind(numbers(|c| c.bytes_out))
            .bind(numbers(|c| c.duration_us))
            .bind(numbers(|c| c.units))
            .bind(numbers(|c| c.readings[0]))
            .bind(numbers(|c| c.readings[1]))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

fn minute_start(minute: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(i64::from(minute) * 60, 0).unwrap_or_default()
}

/// All sub-statements see the rows as they were before this statement; that is what makes `growth` right.
const RECORD: &str = "
with incoming as (
    select boot_id, credential_id, subscription_id, route_id, status, outcome, minute,
           max(calls) as calls, max(charged) as charged, max(bytes_in) as bytes_in,
           max(bytes_out) as bytes_out, max(duration_us) as duration_us,
           max(units) as units, max(reading_1) as reading_1, max(reading_2) as reading_2
    from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::smallint[], $6::smallint[], $7::timestamptz[],
                $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],
                $14::bigint[], $15::bigint[])
      as t (boot_id, credential_id, subscription_id, route_id, status, outcome, minute,
            calls, charged, bytes_in, bytes_out, duration_us, units, reading_1, reading_2)
    group by 1, 2, 3, 4, 5, 6, 7
), growth as (
    select i.subscription_id, i.boot_id, date_trunc('month', i.minute at time zone 'UTC')::date as month,
           sum(greatest(i.units - coalesce(u.units, 0), 0))::bigint as charged
    from incoming i left join usage_counters u
      using (boot_id, minute, credential_id, subscription_id, route_id, status, outcome)
    group by 1, 2, 3
), stored as (
    insert into usage_counters as u (boot_id, credential_id, subscription_id, route_id, status, outcome, minute,
        calls, charged, bytes_in, bytes_out, duration_us, units, reading_1, reading_2, organization_id, application_id)
    select i.*, s.organization_id, s.application_id
    from incoming i left join subscriptions s on s.id = i.subscription_id
    on conflict (boot_id, minute, credential_id, subscription_id, route_id, status, outcome) do update set
        calls = greatest(u.calls, excluded.calls), charged = greatest(u.charged, excluded.charged),
        bytes_in = greatest(u.bytes_in, excluded.bytes_in), bytes_out = greatest(u.bytes_out, excluded.bytes_out),
        duration_us = greatest(u.duration_us, excluded.duration_us), units = greatest(u.units, excluded.units),
        reading_1 = greatest(u.reading_1, excluded.reading_1), reading_2 = greatest(u.reading_2, excluded.reading_2)
    where excluded.calls > u.calls or excluded.charged > u.charged or excluded.bytes_in > u.bytes_in
       or excluded.bytes_out > u.bytes_out or excluded.duration_us > u.duration_us or excluded.units > u.units
       or excluded.reading_1 > u.reading_1 or excluded.reading_2 > u.reading_2
), late as (
    -- Of a month that is over: the next bill looks at it again. Told in one order, so that no two wait for each other.
    insert into late_counts (organization_id, month)
    select s.organization_id, date_trunc('month', i.minute at time zone 'UTC')::date
    from incoming i join subscriptions s on s.id = i.subscription_id
    where i.minute < date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'
    group by 1, 2 order by 1, 2
    on conflict (organization_id, month) do update set noted_at = now()
)
insert into quota_usage as q (subscription_id, boot_id, month, charged)
select subscription_id, boot_id, month, charged from growth where charged > 0
on conflict (month, subscription_id, boot_id) do update
    set charged = q.charged + excluded.charged, updated_at = now(), changed_in = pg_current_xact_id()::text::bigint";
