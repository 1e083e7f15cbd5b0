//! What a month comes to so far, and what it will if it goes on like this.

use chrono::{DateTime, Utc};
use tollgate_domain::{Amount, CalendarMonth, Currency, OrganizationId};
use tollgate_rating::{Bill, Span, Tariff, Usage, rate};
use tollgate_store::{BillableRow, Used};

use super::pricing::read_prices;
use crate::{Action, Actor, Control, Error, Result};

/// A subscription on one tariff in one month, rated.
#[derive(Debug, Clone)]
pub struct Charge {
    /// Who, on which plan, for how long, with which use.
    pub row: BillableRow,
    /// What the plan charges.
    pub tariff: Tariff,
    /// What it comes to.
    pub bill: Bill,
}

/// A month of one organization.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its month.
    pub month: CalendarMonth,
    /// By application and product.
    pub charges: Vec<Charge>,
    /// What they come to so far, by currency. Base fees are in it for as long as the subscriptions are in force, to the
    /// end of the month where no end is known.
    pub so_far: Vec<Amount>,
    /// What they will come to if usage goes on like this.
    pub projected: Vec<Amount>,
}

impl Charge {
    pub(super) fn of(row: BillableRow, month: CalendarMonth) -> Result<Self> {
        let tariff = read_prices(row.terms.clone(), row.currency)?;
        let bill = rate(&tariff, span(&row, month), &usage(&row.used));
        Ok(Self { row, tariff, bill })
    }

    /// The total if the use of a part of the month goes on for all of it.
    fn projected(&self, month: CalendarMonth, now: DateTime<Utc>) -> u64 {
        let whole = u128::from(month.seconds());
        let elapsed = (now - month.start()).num_seconds().clamp(1, i64::MAX).unsigned_abs();
        let grown = |whole: u128| {
            move |used: u64| {
                let grown = u128::from(used) * whole / u128::from(elapsed).min(whole).max(1);
                u64::try_from(grown).unwrap_or(u64::MAX)
            }
        };
        let of_month = usage(&self.row.used).map(grown(whole));
        let of_trial = usage(&self.row.tried).map(grown(u128::from(self.row.trial_seconds.unsigned_abs())));
        let span = span(&self.row, month).tried(self.row.trial_seconds.unsigned_abs(), of_trial);
        rate(&self.tariff, span, &of_month).total_minor
    }
}

/// What of a month a row is charged for.
pub(super) fn span(row: &BillableRow, month: CalendarMonth) -> Span {
    Span::of(row.seconds.unsigned_abs(), month.seconds())
        .tried(row.trial_seconds.unsigned_abs(), usage(&row.tried))
        .with_setup(row.setup)
}

pub(super) fn usage(used: &Used) -> Usage {
    Usage {
        calls: used.calls.unsigned_abs(),
        units: used.units.unsigned_abs(),
        bytes_in: used.bytes_in.unsigned_abs(),
        bytes_out: used.bytes_out.unsigned_abs(),
        readings: used.readings.clone(),
    }
}

impl Control {
    /// That the minutes of a month are there to be rated.
    pub(super) async fn check_kept(&self, month: CalendarMonth) -> Result<()> {
        match self.store.minutes_begin().await? {
            Some(first) if month.first_day() < first.first_day() => Err(Error::invalid(
                "/month",
                format!("use is kept by the minute since {first}; its invoice says what {month} came to"),
            )),
            _ => Ok(()),
        }
    }

    /// What a month of an organization comes to, as counted so far.
    ///
    /// # Errors
    /// The actor may not, or the database is away.
    pub async fn statement(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        month: CalendarMonth,
        now: DateTime<Utc>,
    ) -> Result<Statement> {
        let scope = actor.authorize(Action::ReadOrganization(organization))?;
        self.check_kept(month).await?;
        let rows = self.store.list_billable(scope, month).await?;
        let charges = rows.into_iter().map(|row| Charge::of(row, month)).collect::<Result<Vec<Charge>>>()?;
        let so_far = by_currency(charges.iter().map(|one| (one.tariff.currency, one.bill.total_minor)));
        let projected =
            by_currency(charges.iter().map(|one| (one.tariff.currency, one.projected(month, now))));
        Ok(Statement { month, charges, so_far, projected })
    }
}

/// Sums per currency, in the order in which the currencies come.
pub(super) fn by_currency(amounts: impl Iterator<Item = (Currency, u64)>) -> Vec<Amount> {
    let mut sums: Vec<Amount> = Vec::new();
    for (currency, minor) in amounts {
        match sums.iter_mut().find(|sum| sum.currency == currency) {
            Some(sum) => sum.minor = sum.minor.saturating_add(minor),
            None => sums.push(Amount { minor, currency }),
        }
    }
    sums
}
