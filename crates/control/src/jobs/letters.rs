//! What each job does: mostly finds out whether a letter is still due, and sends it.

use chrono::{DateTime, Utc};
use tollgate_domain::{
    Amount, CalendarMonth, CredentialId, LimitKind, OrganizationId, Scope, SubscriptionId, SubscriptionState,
    UserId, WebhookId,
};
use tollgate_language::{Language, Said};
use tollgate_store::UserRow;
use uuid::Uuid;

use super::Job;
use super::worker::Failure;
use crate::links::Purpose;
use crate::mail::{self, Letter, Post};
use crate::{Control, events};

/// How much of which quota is used.
struct QuotaUsed {
    subscription_id: SubscriptionId,
    percent: i32,
    opens: DateTime<Utc>,
    /// Whether calls go on beyond it.
    soft: bool,
    quota: Option<String>,
}

/// What a person's mails are written in.
pub(crate) fn reads(user: &UserRow) -> Language {
    user.language.as_deref().and_then(Language::named).unwrap_or_default()
}

impl Control {
    /// Does one job; `id` is the job's.
    pub(super) async fn run(&self, id: Uuid, job: Job, post: &Post<'_>) -> Result<(), Failure> {
        match job {
            Job::VerifyEmail { user_id } => self.send_verification(id, user_id, post).await,
            Job::SampleLetter { user_id, name } => self.send_sample(id, user_id, &name, post).await,
            Job::ResetPassword { email } => self.send_reset(id, &email, post).await,
            Job::PasswordChanged { user_id } => self.send_password_changed(id, user_id, post).await,
            Job::ConfirmEmailChange { user_id } => self.send_email_confirmation(id, user_id, post).await,
            Job::EmailChangeAsked { user_id } => self.send_email_change_asked(id, user_id, post).await,
            Job::EmailChanged { user_id, before } => {
                self.send_email_changed(id, user_id, &before, post).await
            }
            Job::KeyExpires { credential_id, user_id, days } => {
                self.send_key_expires(id, credential_id, user_id, days, post).await
            }
            Job::LookAfterKeys {} => {
                self.retire_replaced_keys().await?;
                Ok(self.look_after_keys().await?)
            }
            Job::QuotaUsed { subscription_id, user_id, percent, opens, soft, quota } => {
                let opens = opens.unwrap_or_else(|| CalendarMonth::of(Utc::now()).end());
                let used = QuotaUsed { subscription_id, percent, opens, soft, quota };
                self.send_quota_used(id, used, user_id, post).await
            }
            Job::LookAfterQuotas {} => {
                self.expire_overrides().await?;
                Ok(self.look_after_quotas().await?)
            }
            Job::SubscriptionDecided { subscription_id, user_id } => {
                self.send_decision(id, subscription_id, user_id, post).await
            }
            Job::TrialEnds { subscription_id, user_id } => {
                self.send_trial_ends(id, subscription_id, user_id, post).await
            }
            Job::LookAfterTrials {} => Ok(self.look_after_trials().await?),
            Job::SpendReached { subscription_id, user_id, percent } => {
                self.send_spend_reached(id, subscription_id, user_id, percent, post).await
            }
            Job::CreditsLow { organization_id, user_id, left, used_up } => {
                self.send_credits_low(id, (organization_id, user_id), (&left, used_up), post).await
            }
            Job::LookAfterFunds {} => {
                self.store.reclaim_leases().await?;
                self.look_after_spend_caps(Utc::now()).await?;
                Ok(self.look_after_credits(Utc::now()).await?)
            }
            Job::SumUsage {} => Ok(self.store.sum_usage().await.map(drop)?),
            Job::Invite { invitation_id } => self.send_invitation(id, invitation_id, post).await,
            Job::InviteOperator { email, role } => {
                let token = self.invitation_link(&email, role).await?;
                let link = format!("{}/setup/{}", post.url(), token.reveal());
                Ok(post
                    .send(id, &email, &mail::invite_operator(Language::English, role.as_str(), &link))
                    .await?)
            }
            Job::WebhookDisabled { webhook_id, user_id } => {
                self.send_webhook_disabled(id, webhook_id, user_id, post).await
            }
            Job::OrderCertificate { certificate_id } => Ok(self.work_on_order(certificate_id).await?),
            Job::LookAfterCertificates {} => Ok(self.look_after_certificates().await?),
            Job::Housekeeping {} => Ok(self.sweep().await?),
            Job::MakePlannedChanges {} => Ok(self.make_planned_changes(Utc::now()).await.map(drop)?),
            Job::RetireApis {} => Ok(self.retire_apis().await.map(drop)?),
            Job::ProveUsage {} => Ok(self.prove_usage(Utc::now()).await.map(drop)?),
            Job::CloseMonths {} => Ok(self.close_months(Utc::now()).await.map(drop)?),
            Job::PaymentFailed { invoice_id, user_id } => {
                self.send_payment_failed(id, invoice_id, user_id, post).await
            }
            Job::AccessLanded { invoice_id, user_id } => {
                self.send_access_landed(id, invoice_id, user_id, post).await
            }
            Job::TellOfInvoice { invoice_id } => Ok(self.tell_of_invoice(invoice_id).await?),
            Job::TellOfApi { api_id } => Ok(self.tell_of_api(api_id).await?),
            Job::LookAfterApis {} => Ok(self.look_after_apis(Utc::now()).await?),
            Job::LookAfterHealth {} => Ok(self.look_after_health(Utc::now()).await?),
            Job::RemindOfApi { api_id } => Ok(self.remind_of_api(id, api_id).await?),
            Job::ApiEndsSoon { api_id, organization_id, user_id } => {
                self.send_api_ends_soon(id, api_id, (organization_id, user_id), post).await
            }
            Job::TellOfTeam { organization_id, user_id, change, by } => {
                Ok(self.tell_of_team(id, organization_id, user_id, &change, by).await?)
            }
            Job::InvoiceReady { invoice_id, user_id } => {
                self.send_invoice_ready(id, invoice_id, user_id, post).await
            }
            Job::ApiEnds { api_id, organization_id, user_id } => {
                self.send_api_ends(id, api_id, (organization_id, user_id), post).await
            }
            Job::TeamChanged { organization_id, user_id, email, change } => {
                self.send_team_changed(id, (organization_id, user_id), &email, &change, post).await
            }
            other => Ok(self.work_on_payments(other).await?),
        }
    }

    /// Whom a letter is for; nobody who is gone or may not sign in is written to.
    pub(super) async fn reader(&self, id: UserId) -> tollgate_store::Result<Option<UserRow>> {
        Ok(self.store.find_user(id).await?.filter(|user| user.disabled_at.is_none()))
    }

    async fn send_sample(
        &self,
        id: Uuid,
        user_id: UserId,
        name: &str,
        post: &Post<'_>,
    ) -> Result<(), Failure> {
        let letter = mail::samples().into_iter().find(|(known, _)| known == name);
        match (self.reader(user_id).await?, letter) {
            (Some(user), Some((_, letter))) => Ok(post.send(id, &user.email, &letter).await?),
            _ => Ok(()),
        }
    }

    /// Hands a letter over to a member of an organization, who may have switched its topic off.
    pub(super) async fn write(
        &self,
        id: Uuid,
        user: &UserRow,
        organization: Option<OrganizationId>,
        letter: &Letter,
        post: &Post<'_>,
    ) -> Result<(), Failure> {
        if let (Some(topic), Some(organization)) = (letter.topic, organization)
            && self.store.is_muted(organization, user.id, topic).await?
        {
            return Ok(());
        }
        Ok(post.send(id, &user.email, letter).await?)
    }

    async fn send_verification(&self, id: Uuid, user_id: UserId, post: &Post<'_>) -> Result<(), Failure> {
        let user = self.reader(user_id).await?.filter(|user| user.email_verified_at.is_none());
        let Some(user) = user else { return Ok(()) };
        let url = post.url();
        // Beside an account whose address is proven, nothing is left to prove: its owner is told instead.
        let owner = self.store.find_user_by_email(&user.email).await?;
        let taken = owner.is_some_and(|owner| owner.id != user.id && owner.email_verified_at.is_some());
        let letter = if taken {
            mail::sign_up_again(reads(&user), &format!("{url}/signin"))
        } else {
            let token = self.make_link(user.id, Purpose::Verify).await?;
            mail::verify_email(reads(&user), &user.email, &format!("{url}/verify/{}", token.reveal()))
        };
        Ok(post.send(id, &user.email, &letter).await?)
    }

    async fn send_reset(&self, id: Uuid, email: &str, post: &Post<'_>) -> Result<(), Failure> {
        let user = self.store.find_user_by_email(email).await?;
        let Some(user) = user.filter(|user| user.disabled_at.is_none()) else { return Ok(()) };
        let token = self.make_link(user.id, Purpose::Reset).await?;
        let link = format!("{}/password/new/{}", post.url(), token.reveal());
        Ok(post.send(id, &user.email, &mail::reset_password(reads(&user), &link)).await?)
    }

    async fn send_password_changed(&self, id: Uuid, user_id: UserId, post: &Post<'_>) -> Result<(), Failure> {
        let Some(user) = self.reader(user_id).await? else { return Ok(()) };
        let link = format!("{}/password/forgotten", post.url());
        Ok(post.send(id, &user.email, &mail::password_changed(reads(&user), &link)).await?)
    }

    /// Ends keys whose successors have come into use, when it is time.
    ///
    /// # Errors
    /// The database is away.
    pub async fn retire_replaced_keys(&self) -> crate::Result<u64> {
        Ok(self.store.retire_replaced().await?)
    }

    /// Queues a reminder each at 14, 3 and 1 days before the end, to everybody who may renew the key.
    ///
    /// # Errors
    /// The database is away.
    pub async fn look_after_keys(&self) -> crate::Result<()> {
        for row in self.store.list_expiring().await? {
            if let Some(user_id) = row.user() {
                let job = Job::KeyExpires { credential_id: row.credential_id, user_id, days: row.days };
                let once = format!("key_expires:{}:{user_id}:{}", row.credential_id, row.days);
                self.queue(&job, Some(&once), None).await?;
            }
            let event = events::of_expiring_key(&self.store, row.credential_id, row.days).await?;
            self.emit_once(&event, &format!("key.expiring:{}:{}", row.credential_id, row.days)).await?;
        }
        Ok(())
    }

    async fn send_key_expires(
        &self,
        id: Uuid,
        credential: CredentialId,
        user_id: UserId,
        days: i32,
        post: &Post<'_>,
    ) -> Result<(), Failure> {
        let Some(user) = self.reader(user_id).await? else { return Ok(()) };
        let key = self.store.get_credential(Scope::Operator, credential).await?;
        let over = key.revoked_at.is_some() || key.replaced_by.is_some();
        let Some(ends) = key.expires_at.filter(|_| !over) else { return Ok(()) };
        let application = self.store.get_application(Scope::Operator, key.application_id).await?;
        let url = post.url();
        let link = format!("{url}/applications/{}/keys/{}/rotate", key.application_id, key.id);
        let letter = mail::key_expires(reads(&user), (&key.name, &application.name), days, ends, &link);
        self.write(id, &user, Some(key.organization_id), &letter, post).await
    }

    /// Queues one mail each at the thresholds of each quota.
    ///
    /// # Errors
    /// The database is away.
    pub async fn look_after_quotas(&self) -> crate::Result<()> {
        let month = CalendarMonth::of(Utc::now());
        for row in self.store.list_quota_alerts(month).await? {
            let (subscription_id, percent) = (row.subscription_id, row.percent);
            if let Some(user_id) = row.user() {
                let quota = Some(row.quota.clone());
                let job =
                    Job::QuotaUsed { subscription_id, user_id, percent, opens: None, soft: false, quota };
                let once = format!("quota_used:{subscription_id}:{}:{percent}:{user_id}", month.first_day());
                self.queue(&job, Some(&once), None).await?;
            }
            let (month, about) = (month.to_string(), format!("{subscription_id}:{month}:{percent}"));
            let event = events::of_quota(&self.store, subscription_id, &row.quota, percent, &month).await?;
            self.emit_once(&event, &format!("quota.threshold_reached:{about}")).await?;
        }
        self.look_after_budgets().await
    }

    async fn send_quota_used(
        &self,
        id: Uuid,
        used: QuotaUsed,
        user_id: UserId,
        post: &Post<'_>,
    ) -> Result<(), Failure> {
        let Some(user) = self.reader(user_id).await? else { return Ok(()) };
        let subscription = self.store.get_subscription(Scope::Operator, used.subscription_id).await?;
        let product = self.store.get_product(subscription.product_id).await?.name;
        let plan = self.store.get_plan(subscription.plan_id).await?;
        // Where there are several, it is said which.
        let several = plan.limits.iter().filter(|limit| limit.kind == LimitKind::Quota).count() > 1;
        let about = match used.quota.filter(|_| several) {
            Some(quota) => format!("{product} ({quota})"),
            None => product,
        };
        let link = format!("{}/limits", post.url());
        let letter = mail::quota_used(reads(&user), &about, used.percent, used.opens, used.soft, &link);
        self.write(id, &user, Some(subscription.organization_id), &letter, post).await
    }

    async fn send_decision(
        &self,
        id: Uuid,
        subscription_id: SubscriptionId,
        user_id: UserId,
        post: &Post<'_>,
    ) -> Result<(), Failure> {
        let Some(user) = self.reader(user_id).await? else { return Ok(()) };
        let row = self.store.get_subscription(Scope::Operator, subscription_id).await?;
        let product = self.store.get_product(row.product_id).await?;
        let plan = self.store.get_plan(row.plan_id).await?;
        let application = self.store.get_application(Scope::Operator, row.application_id).await?;
        let approved = row.state != SubscriptionState::Ended;
        let link = format!("{}/subscriptions/{subscription_id}", post.url());
        let about = Said::new(reads(&user), "mail-decided-about")
            .with("product", &product.name)
            .with("plan", &plan.name)
            .with("application", &application.name)
            .to_string();
        let letter =
            mail::decided(reads(&user), (&product.name, &about), approved, row.decision.as_deref(), &link);
        self.write(id, &user, Some(row.organization_id), &letter, post).await
    }

    async fn send_trial_ends(
        &self,
        id: Uuid,
        subscription_id: SubscriptionId,
        user_id: UserId,
        post: &Post<'_>,
    ) -> Result<(), Failure> {
        let Some(user) = self.reader(user_id).await? else { return Ok(()) };
        let row = self.store.get_subscription(Scope::Operator, subscription_id).await?;
        let (tariff, ends) = self.subscription_tariff(subscription_id, row.plan_id).await?;
        // It may have moved or ended since the mail was queued.
        let ends = ends.filter(|ends| *ends > Utc::now() && row.state == SubscriptionState::Active);
        let Some(ends) = ends else { return Ok(()) };
        let product = self.store.get_product(row.product_id).await?;
        let plan = self.store.get_plan(row.plan_id).await?;
        let amount = |minor| Amount { minor, currency: tariff.currency };
        let said = |key| Said::new(reads(&user), key);
        let mut costs = vec![said("product-a-month").sum("total", amount(tariff.base_minor)).to_string()];
        if tariff.setup_minor > 0 {
            costs.push(said("mail-trial-once").sum("amount", amount(tariff.setup_minor)).to_string());
        }
        if !tariff.meters.is_empty() {
            costs.push(said("mail-trial-use").to_string());
        }
        let link = format!("{}/subscriptions/{subscription_id}", post.url());
        let letter =
            mail::trial_ends(reads(&user), (&product.name, &plan.name), &costs.join(", "), ends, &link);
        self.write(id, &user, Some(row.organization_id), &letter, post).await
    }

    async fn send_webhook_disabled(
        &self,
        id: Uuid,
        webhook: WebhookId,
        user_id: UserId,
        post: &Post<'_>,
    ) -> Result<(), Failure> {
        let Some(user) = self.reader(user_id).await? else { return Ok(()) };
        let webhook = self.store.get_webhook(Scope::Operator, webhook).await;
        let webhook = match webhook {
            Err(tollgate_store::Error::NotFound(_)) => return Ok(()),
            other => other?,
        };
        if webhook.is_active() {
            return Ok(());
        }
        let place = if webhook.organization_id().is_some() { "webhooks" } else { "admin/webhooks" };
        let link = format!("{}/{place}/{}", post.url(), webhook.id);
        let host = webhook.url.split('/').nth(2).unwrap_or_default();
        let letter = mail::webhook_disabled(
            reads(&user),
            host,
            webhook.disabled_because.as_deref() == Some("gone"),
            &link,
        );
        self.write(id, &user, webhook.organization_id(), &letter, post).await
    }

    async fn send_invitation(&self, id: Uuid, invitation: Uuid, post: &Post<'_>) -> Result<(), Failure> {
        let Some(row) = self.store.find_invitation(invitation).await? else { return Ok(()) };
        let token = self.make_invitation_link(row.id).await?;
        let link = format!("{}/invitations/{}", post.url(), token.reveal());
        let known = self.store.find_user_by_email(&row.email).await?;
        let language = known.as_ref().map(reads).unwrap_or_default();
        let letter = mail::invitation(language, &row.organization, &row.invited_by, row.role, &link);
        Ok(post.send(id, &row.email, &letter).await?)
    }
}
