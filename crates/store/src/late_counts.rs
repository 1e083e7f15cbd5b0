//! Counts that came when their month was over: which months are to be rated again.

use chrono::{DateTime, NaiveDate, Utc};
use tollgate_domain::{CalendarMonth, OrganizationId, SubscriptionId};
use uuid::Uuid;

use crate::{Result, Store, Tx};

impl Store {
    /// Subscriptions of which counts of a month came late and may not be billed yet.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_noted_late(&self, month: CalendarMonth) -> Result<Vec<SubscriptionId>> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "select s.id from late_counts l join subscriptions s on s.organization_id = l.organization_id where l.month = $1",
        )
        .bind(month.first_day())
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(SubscriptionId::from).collect())
    }

    /// Forgets what was billed with a month: noted well before that, and before the organization's bill was written. A
    /// count may be noted when it comes and be seen when its transaction ends: hence the minutes in between.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_late_counts(&self, month: CalendarMonth, began: DateTime<Utc>) -> Result<()> {
        sqlx::query(
            "delete from late_counts l where l.month <= $1 and l.noted_at < $2::timestamptz - interval '10 minutes'
                and not exists (select from invoices i where i.organization_id = l.organization_id and i.month = $1
                    and i.issued_at < l.noted_at + interval '10 minutes')",
        )
        .bind(month.first_day())
        .bind(began)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

impl Tx {
    /// Months before one that bills were written for and that counts of some organizations came for since; of those whose
    /// minutes are all there still.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_late_months(
        &mut self,
        organizations: &[OrganizationId],
        before: CalendarMonth,
    ) -> Result<Vec<(OrganizationId, CalendarMonth)>> {
        let rows: Vec<(Uuid, NaiveDate)> = sqlx::query_as(
            "select l.organization_id, l.month from late_counts l join billing_months b on b.month = l.month and b.billed
             where l.organization_id = any($1) and l.month < $2
                and l.month >= (select coalesce(begins, '-infinity') from usage_keep where grain = 'usage_counters')
             order by l.month",
        )
        .bind(organizations.iter().map(|one| one.uuid()).collect::<Vec<_>>())
        .bind(before.first_day())
        .fetch_all(self.conn())
        .await?;
        Ok(rows.into_iter().map(|(id, month)| (id.into(), month.into())).collect())
    }
}
