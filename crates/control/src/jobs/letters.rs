//! What each job does: mostly finds out whether a letter is still due, and sends it.

use chrono::Utc;
use tollgate_domain::UserId;
use uuid::Uuid;

use super::Job;
use super::worker::Failure;
use crate::Control;
use crate::links::Purpose;
use crate::mail::{self, Mailer};

impl Control {
    /// Does one job; `id` is the job's.
    pub(super) async fn run(&self, id: Uuid, job: Job, mailer: &Mailer) -> Result<(), Failure> {
        match job {
            Job::VerifyEmail { user_id } => self.send_verification(id, user_id, mailer).await,
            Job::ResetPassword { email } => self.send_reset(id, &email, mailer).await,
            Job::PasswordChanged { user_id } => self.send_password_changed(id, user_id, mailer).await,
            Job::Housekeeping {} => Ok(self.sweep().await?),
            Job::CloseMonths {} => Ok(self.close_months(Utc::now()).await.map(drop)?),
        }
    }

    async fn send_verification(&self, id: Uuid, user_id: UserId, mailer: &Mailer) -> Result<(), Failure> {
        let Some(user) = self.store.find_user(user_id).await? else { return Ok(()) };
        if user.email_verified_at.is_some() || user.disabled_at.is_some() {
            return Ok(());
        }
        let url = &mailer.site().portal_url;
        // Beside an account whose address is proven, nothing is left to prove: its owner is told instead.
        let owner = self.store.find_user_by_email(&user.email).await?;
        let taken = owner.is_some_and(|owner| owner.id != user.id && owner.email_verified_at.is_some());
        let letter = if taken {
            mail::sign_up_again(&format!("{url}/signin"))
        } else {
            let token = self.make_link(user.id, Purpose::Verify).await?;
            mail::verify_email(&user.email, &format!("{url}/verify/{}", token.reveal()))
        };
        Ok(mailer.send(id, &user.email, &letter).await?)
    }

    async fn send_reset(&self, id: Uuid, email: &str, mailer: &Mailer) -> Result<(), Failure> {
        let user = self.store.find_user_by_email(email).await?;
        let Some(user) = user.filter(|user| user.disabled_at.is_none()) else { return Ok(()) };
        let token = self.make_link(user.id, Purpose::Reset).await?;
        let link = format!("{}/password/new/{}", mailer.site().portal_url, token.reveal());
        Ok(mailer.send(id, &user.email, &mail::reset_password(&link)).await?)
    }

    async fn send_password_changed(&self, id: Uuid, user_id: UserId, mailer: &Mailer) -> Result<(), Failure> {
        let user = self.store.find_user(user_id).await?;
        let Some(user) = user.filter(|user| user.disabled_at.is_none()) else { return Ok(()) };
        let link = format!("{}/password/forgotten", mailer.site().portal_url);
        Ok(mailer.send(id, &user.email, &mail::password_changed(&link)).await?)
    }
}
