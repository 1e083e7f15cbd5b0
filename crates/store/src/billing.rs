//! What is to be billed: who was on which tariff for how long, and what they used meanwhile.
//!
//! Use is counted by the minute and terms change at any second: a minute belongs to the terms that were in force at its
//! end, and the minute in which a subscription ended to those that ended. Calls with test keys are never billed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value;
use sqlx::{FromRow, PgExecutor};
use tollgate_domain::{CalendarMonth, Currency, OrganizationId, PlanId, ReadingName, Scope, SubscriptionId};
use uuid::Uuid;

use crate::{Result, Store, Tx};

/// Sums over charged calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow, Deserialize)]
#[serde(default)]
pub struct Used {
    /// Calls.
    pub calls: i64,
    /// Calls, each weighted by what its operation costs.
    pub units: i64,
    /// Bytes of their request bodies.
    pub bytes_in: i64,
    /// Bytes of their response bodies.
    pub bytes_out: i64,
    /// Numbers that were read from their answers, by meter.
    #[sqlx(json)]
    pub readings: BTreeMap<ReadingName, u64>,
}

/// A subscription on one tariff in one month.
#[derive(Debug, Clone, FromRow)]
pub struct BillableRow {
    /// Whose.
    #[sqlx(try_from = "Uuid")]
    pub organization_id: OrganizationId,
    /// Which subscription.
    #[sqlx(try_from = "Uuid")]
    pub subscription_id: SubscriptionId,
    /// Which plan it was on.
    #[sqlx(try_from = "Uuid")]
    pub plan_id: PlanId,
    /// At which of its tariffs.
    pub tariff: i32,
    /// What that says.
    pub terms: Value,
    /// In which of its currencies.
    #[sqlx(try_from = "String")]
    pub currency: Currency,
    /// The application's name.
    pub application: String,
    /// The product's name.
    pub product: String,
    /// The plan's name.
    pub plan: String,
    /// For how many seconds of the month; those to come count where it is still in force.
    pub seconds: i64,
    /// Of them, in a trial.
    pub trial_seconds: i64,
    /// Whether the one-time fee falls into the month.
    pub setup: bool,
    /// What was used.
    #[sqlx(flatten)]
    pub used: Used,
    /// Of that, in a trial.
    #[sqlx(json)]
    pub tried: Used,
}

/// Calls of one day to one operation.
#[derive(Debug, Clone, FromRow)]
pub struct BillableDayRow {
    /// Of which subscription.
    #[sqlx(try_from = "Uuid")]
    pub subscription_id: SubscriptionId,
    /// On which plan.
    #[sqlx(try_from = "Uuid")]
    pub plan_id: PlanId,
    /// At which of its tariffs.
    pub tariff: i32,
    /// The day, in UTC.
    pub day: NaiveDate,
    /// The operation.
    pub route_id: Uuid,
    /// What was used.
    #[sqlx(flatten)]
    pub used: Used,
}

/// Organizations that are asked about with one statement: a month of all of them may take longer than a statement may.
const TOGETHER: usize = 200;

/// The terms of a month of some organizations, and the minutes that belong to each. Written so that a plan that is made
/// once finds the index: planning takes ten times as long as the question of one.
fn terms() -> String {
    format!("terms as (select t.*, {BOUNDS} where t.organization_id = any($1)), {USED}")
}

const BOUNDS: &str = "greatest(t.begins, $2) as from_at, least(coalesce(t.ends, $3), $3) as to_at,
        greatest(date_trunc('minute', t.begins), $2) as minute_from,
        least(coalesce(least(
            date_trunc('minute', t.ends + interval '59.999999 seconds'),
            date_trunc('minute', lead(t.begins) over (partition by t.subscription_id order by t.begins))
        ), $3), $3) as minute_to
    from subscription_terms t";

const USED: &str = "used as (
    select t.subscription_id, t.plan_id, t.tariff, u.minute, u.route_id, u.charged, u.units, u.bytes_in,
        u.bytes_out, u.reading_1, u.reading_2, coalesce(u.minute < t.trial_ends, false) as in_trial
    from terms t join usage_counters u on u.organization_id = t.organization_id
        and u.subscription_id = t.subscription_id and u.minute >= t.minute_from and u.minute < t.minute_to
    join credentials c on c.id = u.credential_id and c.environment = 'live'
    where t.from_at < t.to_at and u.charged > 0
), readings as (
    select u.subscription_id, u.plan_id, u.tariff, (u.minute at time zone 'UTC')::date as day, u.route_id, r.meter,
        u.in_trial, sum(case p.position when 1 then u.reading_1 else u.reading_2 end)::bigint as number
    from used u cross join (values (1::smallint), (2::smallint)) p (position)
    cross join lateral (
        select h.meter from route_readings h where h.route_id = u.route_id and h.position = p.position
            and h.since < u.minute + interval '1 minute' order by h.since desc limit 1
    ) r
    where case p.position when 1 then u.reading_1 else u.reading_2 end > 0 and r.meter is not null
    group by 1, 2, 3, 4, 5, 6, 7
)";

/// The sums of a [`Used`] over `used`, but for its readings.
const SUMS: &str =
    "sum(charged)::bigint as calls, sum(units)::bigint as units, sum(bytes_in)::bigint as bytes_in,
    sum(bytes_out)::bigint as bytes_out";

fn uuids(organizations: &[OrganizationId]) -> Vec<Uuid> {
    organizations.iter().map(|one| one.uuid()).collect()
}

async fn billable(
    executor: impl PgExecutor<'_>,
    organizations: &[OrganizationId],
    month: CalendarMonth,
) -> Result<Vec<BillableRow>> {
    let terms = terms();
    let sql = format!(
        "with {terms}, spans as (
            select organization_id, subscription_id, plan_id, tariff, min(begins) as began,
                (array_agg(currency order by begins desc))[1] as currency,
                sum(extract(epoch from to_at - from_at))::bigint as seconds,
                sum(case when trial_ends is null then 0
                    else greatest(extract(epoch from least(to_at, trial_ends) - from_at), 0) end)::bigint as trial_seconds
            from terms where from_at < to_at group by 1, 2, 3, 4
        ), setups as (
            -- The one-time fee of a plan is due once, when its trial is over and the subscription still on it.
            select distinct on (subscription_id, plan_id) subscription_id, plan_id, tariff,
                greatest(begins, coalesce(trial_ends, begins)) as at
            from terms where ends is null or ends > greatest(begins, coalesce(trial_ends, begins))
            order by subscription_id, plan_id, begins
        ), sums as (
            select subscription_id, plan_id, tariff, {SUMS} from used group by 1, 2, 3
        ), tried as (
            select subscription_id, plan_id, tariff, jsonb_build_object('calls', sum(charged), 'units', sum(units),
                'bytes_in', sum(bytes_in), 'bytes_out', sum(bytes_out)) as tried
            from used where in_trial group by 1, 2, 3
        ), named as (
            select subscription_id, plan_id, tariff, jsonb_object_agg(meter, number) as readings,
                jsonb_object_agg(meter, tried) as tried
            from (select subscription_id, plan_id, tariff, meter, sum(number)::bigint as number,
                    coalesce(sum(number) filter (where in_trial), 0)::bigint as tried
                  from readings group by 1, 2, 3, 4) n group by 1, 2, 3
        )
        select s.organization_id, s.subscription_id, s.plan_id, s.tariff, f.terms, s.currency, a.name as application, r.name as product,
            p.name as plan, s.seconds, s.trial_seconds,
            exists (select from setups u where u.subscription_id = s.subscription_id and u.plan_id = s.plan_id
                and u.tariff = s.tariff and u.at >= $2 and u.at < $3) as setup,
            coalesce(y.tried, '{{}}') || jsonb_build_object('readings', coalesce(n.tried, '{{}}')) as tried,
            coalesce(m.calls, 0) as calls, coalesce(m.units, 0) as units, coalesce(m.bytes_in, 0) as bytes_in,
            coalesce(m.bytes_out, 0) as bytes_out, coalesce(n.readings, '{{}}') as readings
        from spans s
        join tariffs f on f.plan_id = s.plan_id and f.number = s.tariff
        join subscriptions b on b.id = s.subscription_id
        join applications a on a.id = b.application_id
        join plans p on p.id = s.plan_id join products r on r.id = p.product_id
        left join sums m on m.subscription_id = s.subscription_id and m.plan_id = s.plan_id and m.tariff = s.tariff
        left join tried y on y.subscription_id = s.subscription_id and y.plan_id = s.plan_id and y.tariff = s.tariff
        left join named n on n.subscription_id = s.subscription_id and n.plan_id = s.plan_id and n.tariff = s.tariff
        order by a.name, r.name, s.began, s.subscription_id"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(uuids(organizations))
        .bind(month.start())
        .bind(month.end())
        .fetch_all(executor)
        .await?)
}

impl Store {
    /// What a month comes to so far, for every subscription that was active in it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_billable(&self, scope: Scope, month: CalendarMonth) -> Result<Vec<BillableRow>> {
        if let Some(one) = scope.organization() {
            return billable(&self.pool, &[one], month).await;
        }
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "select distinct organization_id from subscription_terms
             where begins < $2 and coalesce(ends, 'infinity') > $1 order by 1",
        )
        .bind(month.start())
        .bind(month.end())
        .fetch_all(&self.pool)
        .await?;
        let organizations: Vec<OrganizationId> = ids.into_iter().map(OrganizationId::from).collect();
        let mut rows = Vec::new();
        for some in organizations.chunks(TOGETHER) {
            rows.extend(billable(&self.pool, some, month).await?);
        }
        Ok(rows)
    }
}

impl Tx {
    /// As [`Store::list_billable`], of one organization.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_billable(
        &mut self,
        organization: OrganizationId,
        month: CalendarMonth,
    ) -> Result<Vec<BillableRow>> {
        self.list_billable_of(&[organization], month).await
    }

    /// As [`Store::list_billable`], of some organizations.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_billable_of(
        &mut self,
        organizations: &[OrganizationId],
        month: CalendarMonth,
    ) -> Result<Vec<BillableRow>> {
        billable(self.conn(), organizations, month).await
    }

    /// The calls of the billable rows of some organizations by day and operation; their sums are those rows' `used`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_billable_days(
        &mut self,
        organizations: &[OrganizationId],
        month: CalendarMonth,
    ) -> Result<Vec<BillableDayRow>> {
        let terms = terms();
        // Put together without a join: where one row is expected, its other side is summed again for each that comes.
        let sql = format!(
            "with {terms}, parts as (
                select subscription_id, plan_id, tariff, (minute at time zone 'UTC')::date as day, route_id,
                    null as meter, {SUMS}, null::bigint as number
                from used group by 1, 2, 3, 4, 5
                union all
                select subscription_id, plan_id, tariff, day, route_id, meter, 0, 0, 0, 0, sum(number)::bigint
                from readings group by 1, 2, 3, 4, 5, 6
            )
            select subscription_id, plan_id, tariff, day, route_id, sum(calls)::bigint as calls,
                sum(units)::bigint as units, sum(bytes_in)::bigint as bytes_in, sum(bytes_out)::bigint as bytes_out,
                coalesce(jsonb_object_agg(meter, number) filter (where meter is not null), '{{}}') as readings
            from parts group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(uuids(organizations))
            .bind(month.start())
            .bind(month.end())
            .fetch_all(self.conn())
            .await?)
    }
}
