//! Work that follows from changes: what there is, how it is queued, and how often the periodic ones come round.

mod figures;
mod letters;
mod news;
mod payments;
pub(crate) mod worker;

use std::time::Duration;

use chrono::{DateTime, Utc};
pub(crate) use figures::Figures;
pub(crate) use letters::reads;
pub(crate) use news::{of_events, of_team};
use serde::{Deserialize, Serialize};
use tollgate_domain::{
    ApiId, CertificateId, CredentialId, InvoiceId, MemberRole, OperatorRole, OrganizationId, SubscriptionId,
    UserId, WebhookId,
};
use tollgate_store::{Lane, NewJob, NewProviderEvent, Store, Tx};
use uuid::Uuid;

use crate::{Control, Error, Result};

/// One piece of work. Its name is the row's kind, its fields are the row's payload; fields that an older version wrote
/// must stay readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "payload", rename_all = "snake_case", deny_unknown_fields)]
pub enum Job {
    /// Ask a new account's owner whether the address is theirs.
    VerifyEmail {
        /// Whose.
        user_id: UserId,
    },
    /// Send an operator one of the letters, with made-up content.
    SampleLetter {
        /// Whom.
        user_id: UserId,
        /// Which, as [`crate::mail::samples`] calls it.
        name: String,
    },
    /// Send whoever has this address a link that sets a new password.
    ResetPassword {
        /// Lower case; perhaps nobody's.
        email: String,
    },
    /// Tell somebody that their password was changed.
    PasswordChanged {
        /// Whose.
        user_id: UserId,
    },
    /// Ask whoever has a new address whether an account is to have it.
    ConfirmEmailChange {
        /// Whose account.
        user_id: UserId,
    },
    /// Tell somebody that another address was asked for.
    EmailChangeAsked {
        /// Whom.
        user_id: UserId,
    },
    /// Tell the address that an account had that it has another now.
    EmailChanged {
        /// Whose account.
        user_id: UserId,
        /// The address that is told.
        before: String,
    },
    /// Tell somebody that a key ends soon.
    KeyExpires {
        /// Which.
        credential_id: CredentialId,
        /// Whom.
        user_id: UserId,
        /// Days left, at most.
        days: i32,
    },
    /// Look for keys that end soon, and end those whose successors are in use.
    LookAfterKeys {},
    /// Tell somebody how much of a quota is used.
    QuotaUsed {
        /// Whose.
        subscription_id: SubscriptionId,
        /// Whom.
        user_id: UserId,
        /// So much of it.
        percent: i32,
        /// When it opens again; with the month where it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opens: Option<DateTime<Utc>>,
        /// Whether calls go on beyond it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        soft: bool,
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quota: Option<String>,
    },
    /// Tell somebody that a request of theirs was approved or rejected.
    SubscriptionDecided {
        /// Which.
        subscription_id: SubscriptionId,
        /// Whom.
        user_id: UserId,
    },
    /// Tell somebody that a trial ends soon.
    TrialEnds {
        /// Of which subscription.
        subscription_id: SubscriptionId,
        /// Whom.
        user_id: UserId,
    },
    /// Look for trials that end soon.
    LookAfterTrials {},
    /// Look for quotas that are half, mostly or wholly used.
    LookAfterQuotas {},
    /// Tell somebody how much of a spend cap is spent.
    SpendReached {
        /// Whose.
        subscription_id: SubscriptionId,
        /// Whom.
        user_id: UserId,
        /// So much of it.
        percent: i32,
    },
    /// Tell somebody that credits run low.
    CreditsLow {
        /// Whose.
        organization_id: OrganizationId,
        /// Whom.
        user_id: UserId,
        /// What was left then.
        left: String,
        /// Whether nothing is.
        used_up: bool,
    },
    /// Work out how many calls spend caps and credits still allow.
    LookAfterFunds {},
    /// Sum usage by hour and day.
    SumUsage {},
    /// Send an invitation.
    Invite {
        /// Which.
        invitation_id: Uuid,
    },
    /// Ask somebody to run the platform.
    InviteOperator {
        /// Lower case.
        email: String,
        /// In this role.
        role: OperatorRole,
    },
    /// Tell somebody that a webhook was switched off because it does not work.
    WebhookDisabled {
        /// Which.
        webhook_id: WebhookId,
        /// Whom.
        user_id: UserId,
    },
    /// Order a certificate from its authority.
    OrderCertificate {
        /// Which.
        certificate_id: CertificateId,
    },
    /// Look for certificates that are to be ordered, renewed or tried again.
    LookAfterCertificates {},
    /// Forget what is over.
    Housekeeping {},
    /// Move and end subscriptions as was planned for a month that is over.
    MakePlannedChanges {},
    /// Retire APIs whose sunset is past.
    RetireApis {},
    /// Look for APIs that end soon.
    LookAfterApis {},
    /// Look for APIs that fail calls.
    LookAfterHealth {},
    /// Write the bills of months that are over.
    CloseMonths {},
    /// Give a bill to the payment provider, and collect it.
    CollectInvoice {
        /// Which.
        invoice_id: InvoiceId,
    },
    /// Tell the provider that a bill was settled elsewhere.
    CloseAtProvider {
        /// Which.
        invoice_id: InvoiceId,
    },
    /// Do what an event of the provider asks for.
    TakeEvent {
        /// Which, by the provider's name.
        event_id: String,
    },
    /// Ask the provider what became of a visit to its page.
    FollowCheckout {
        /// Which.
        checkout_id: Uuid,
    },
    /// Give money back.
    Refund {
        /// The refund.
        payment_id: Uuid,
    },
    /// Give money of bought credits back.
    RefundCredits {
        /// The refund.
        refund_id: Uuid,
    },
    /// Lower a bill at the provider.
    Credit {
        /// The credit note.
        payment_id: Uuid,
    },
    /// Tell somebody that a bill could not be collected.
    PaymentFailed {
        /// Which.
        invoice_id: InvoiceId,
        /// Whom.
        user_id: UserId,
    },
    /// Tell somebody that calls are refused or throttled for an unpaid bill.
    AccessLanded {
        /// Which.
        invoice_id: InvoiceId,
        /// Whom.
        user_id: UserId,
    },
    /// Tell those who pay that an invoice was written.
    TellOfInvoice {
        /// Which.
        invoice_id: InvoiceId,
    },
    /// Tell those who may call an API that it will go.
    TellOfApi {
        /// Which.
        api_id: ApiId,
    },
    /// Remind those who still call an API that it ends soon.
    RemindOfApi {
        /// Which.
        api_id: ApiId,
    },
    /// Tell an organization's owners that its team changed.
    TellOfTeam {
        /// Whose.
        organization_id: OrganizationId,
        /// Who joined, left, or may do other things.
        user_id: UserId,
        /// What happened.
        change: TeamChange,
        /// Who did it, and needs no mail about it.
        by: Option<UserId>,
    },
    /// Tell somebody that an invoice was written.
    InvoiceReady {
        /// Which.
        invoice_id: InvoiceId,
        /// Whom.
        user_id: UserId,
    },
    /// Tell somebody that an API will go.
    ApiEnds {
        /// Which.
        api_id: ApiId,
        /// As a member of.
        organization_id: OrganizationId,
        /// Whom.
        user_id: UserId,
    },
    /// Remind somebody that an API which they still call ends soon.
    ApiEndsSoon {
        /// Which.
        api_id: ApiId,
        /// As a member of.
        organization_id: OrganizationId,
        /// Whom.
        user_id: UserId,
    },
    /// Tell an owner that the team changed.
    TeamChanged {
        /// Whose.
        organization_id: OrganizationId,
        /// Whom.
        user_id: UserId,
        /// The address of who joined, left, or may do other things.
        email: String,
        /// What happened.
        change: TeamChange,
    },
    /// Look for bills that are due to be tried again, or whose grace is over.
    LookAfterPayments {},
    /// Compare our bills with the provider's.
    Reconcile {},
    /// Compare what was allowed, metered and invoiced.
    ProveUsage {},
}

/// What happened to a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamChange {
    /// Somebody joined.
    Joined {
        /// As what.
        role: MemberRole,
    },
    /// Somebody has another role.
    Role {
        /// Which.
        role: MemberRole,
    },
    /// Somebody left.
    Left {},
    /// Somebody was taken out.
    Removed {},
}

/// What comes round by itself.
const PERIODIC: &[(Job, Duration)] = &[
    (Job::Housekeeping {}, Duration::from_secs(600)),
    (Job::MakePlannedChanges {}, Duration::from_secs(60)),
    (Job::RetireApis {}, Duration::from_secs(60)),
    (Job::LookAfterApis {}, Duration::from_secs(3_600)),
    (Job::LookAfterHealth {}, Duration::from_secs(30)),
    (Job::CloseMonths {}, Duration::from_secs(600)),
    (Job::LookAfterPayments {}, Duration::from_secs(60)),
    (Job::Reconcile {}, Duration::from_secs(86_400)),
    (Job::ProveUsage {}, Duration::from_secs(86_400)),
    (Job::LookAfterKeys {}, Duration::from_secs(60)),
    (Job::LookAfterFunds {}, Duration::from_secs(5)),
    (Job::LookAfterQuotas {}, Duration::from_secs(120)),
    (Job::LookAfterTrials {}, Duration::from_secs(3_600)),
    (Job::LookAfterCertificates {}, Duration::from_secs(30)),
    (Job::SumUsage {}, Duration::from_secs(300)),
];

/// A job as its row has it.
#[derive(Serialize, Deserialize)]
struct Written {
    kind: String,
    payload: serde_json::Value,
}

impl Job {
    fn written(&self) -> Result<Written> {
        let written = serde_json::to_value(self).and_then(serde_json::from_value);
        written.map_err(|error| Error::Internal(Box::new(error)))
    }

    fn read(kind: &str, payload: &serde_json::Value) -> std::result::Result<Self, serde_json::Error> {
        serde_json::from_value(serde_json::json!({ "kind": kind, "payload": payload }))
    }

    /// Where it waits. Ten thousand invoices are as many mails, and as many talks with the payment provider: they are in
    /// nobody's way but each other's.
    const fn lane(&self) -> Lane {
        match self {
            Self::Housekeeping {}
            | Self::CloseMonths {}
            | Self::Reconcile {}
            | Self::ProveUsage {}
            | Self::SumUsage {} => Lane::Long,
            Self::CollectInvoice { .. }
            | Self::TellOfInvoice { .. }
            | Self::InvoiceReady { .. }
            | Self::PaymentFailed { .. }
            | Self::AccessLanded { .. }
            | Self::TellOfApi { .. }
            | Self::ApiEnds { .. }
            | Self::RemindOfApi { .. }
            | Self::ApiEndsSoon { .. } => Lane::Many,
            _ => Lane::Prompt,
        }
    }

    fn period(&self) -> Option<Duration> {
        PERIODIC.iter().find(|(job, _)| job == self).map(|(_, period)| *period)
    }
}

/// Queues work in the transaction of the change that causes it.
pub async fn queue(tx: &mut Tx, job: &Job) -> Result<()> {
    let Written { kind, payload } = job.written()?;
    let lane = job.lane();
    tx.insert_job(&NewJob { kind: &kind, lane, payload: &payload, once: None, run_at: None }).await?;
    Ok(())
}

/// Queues work of one kind for many, done only if the transaction commits.
pub(crate) async fn queue_all(tx: &mut Tx, jobs: &[Job]) -> Result<()> {
    let Some(lane) = jobs.first().map(Job::lane) else { return Ok(()) };
    let written = jobs.iter().map(Job::written).collect::<Result<Vec<_>>>()?;
    let Some(kind) = written.first().map(|job| job.kind.clone()) else { return Ok(()) };
    let payloads: Vec<_> = written.into_iter().map(|job| job.payload).collect();
    tx.insert_jobs(&kind, lane, &payloads).await?;
    Ok(())
}

/// Keeps an event of the payment provider with the work that it asks for. False where it was kept before.
pub(crate) async fn keep_event(
    store: &Store,
    event: &NewProviderEvent<'_>,
    job: Option<&Job>,
) -> Result<bool> {
    let written = job.map(Job::written).transpose()?;
    let lane = job.map(Job::lane).unwrap_or_default();
    let job = written.as_ref().map(|Written { kind, payload }| NewJob {
        kind,
        lane,
        payload,
        once: None,
        run_at: None,
    });
    let mut tx = store.begin().await?;
    let taken = tx.insert_provider_event(event, job.as_ref()).await?;
    tx.commit().await?;
    Ok(taken)
}

impl Control {
    /// Queues work that follows from no other change; with `once`, at most once in a hundred days.
    pub(crate) async fn queue(
        &self,
        job: &Job,
        once: Option<&str>,
        run_at: Option<DateTime<Utc>>,
    ) -> Result<bool> {
        let Written { kind, payload } = job.written()?;
        let lane = job.lane();
        Ok(self.store.insert_job(&NewJob { kind: &kind, lane, payload: &payload, once, run_at }).await?)
    }

    async fn queue_periodic(&self) -> Result<()> {
        for (job, _) in PERIODIC {
            let kind = job.written()?.kind;
            self.queue(job, Some(&format!("periodic:{kind}")), None).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_read_as_it_was_written() {
        let user_id = UserId::from(uuid::Uuid::from_u128(1));
        for job in [Job::Housekeeping {}, Job::VerifyEmail { user_id }] {
            let written = job.written().expect("it can be written");
            assert_eq!(Job::read(&written.kind, &written.payload).expect("it can be read"), job);
        }
        let written = Job::VerifyEmail { user_id }.written().expect("it can be written");
        assert_eq!(written.kind, "verify_email");
        assert!(Job::read("no_such_kind", &serde_json::json!({})).is_err());
    }
}
