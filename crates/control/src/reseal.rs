//! Stored secrets under the newest pepper, so that older ones can be retired.

use serde_json::json;
use tollgate_domain::{Certificate, CredentialId, UserId, WebhookId};
use tollgate_store::SealedColumn;
use uuid::Uuid;

use crate::acme::CREDENTIALS_PLACE;
use crate::change::Subject;
use crate::{Action, Actor, Control, Error, Result, credentials, second_factor, webhooks};

/// Rows of one transaction.
const AT_ONCE: i64 = 200;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resealed {
    /// Secrets that are sealed under the newest pepper now and were not before.
    pub anew: u64,
    /// The pepper's version.
    pub version: i16,
}

/// What a row's secret is sealed for.
fn place(column: SealedColumn, id: Uuid) -> String {
    match column {
        SealedColumn::CertificateKeys => Certificate::key_place(id.into()),
        SealedColumn::AcmeAccount => CREDENTIALS_PLACE.to_owned(),
        SealedColumn::SandboxKeys => credentials::place(CredentialId::from(id)),
        SealedColumn::SecondFactors => second_factor::place(UserId::from(id)),
        SealedColumn::WebhookSecrets | SealedColumn::OldWebhookSecrets => {
            webhooks::place(WebhookId::from(id))
        }
    }
}

impl Control {
    /// Seals every stored secret anew that is sealed under an older pepper. Can be repeated and interrupted.
    ///
    /// # Errors
    /// `Conflict` where one does not open, because its pepper is not given; nothing of its batch is changed then. Or the
    /// actor may not.
    pub async fn reseal(&self, actor: &Actor) -> Result<Resealed> {
        actor.authorize(Action::WritePlatform)?;
        let mut done = Resealed { version: self.peppers.current(), ..Resealed::default() };
        for column in SealedColumn::ALL {
            loop {
                let mut change = self.change(actor).await?;
                let rows = change.tx.lock_sealed_otherwise(column, done.version, AT_ONCE).await?;
                if rows.is_empty() {
                    break;
                }
                let count = rows.len() as u64;
                for (id, sealed) in rows {
                    let place = place(column, id);
                    let secret = self.peppers.open(&place, &sealed).map_err(|_| {
                        Error::Conflict(format!("{place} does not open; is its pepper still given?"))
                    })?;
                    change.tx.put_sealed(column, id, &self.seal_for(&place, &secret)?).await?;
                }
                let subject = Subject { kind: "secrets", id: Uuid::nil(), organization: None };
                let what = format!("{column:?}");
                let details = json!({ "column": what, "count": count, "pepper": done.version });
                change.commit("secrets.reseal", subject, details).await?;
                done.anew += count;
            }
        }
        Ok(done)
    }

    /// Says in the log which secrets are sealed under a pepper that is not given, or will not be for long.
    ///
    /// # Errors
    /// The database is away.
    pub async fn look_at_seals(&self) -> Result<Vec<(i16, i64)>> {
        let counts = self.store.count_sealed().await?;
        let older: Vec<(i16, i64)> =
            counts.into_iter().filter(|(version, _)| *version != self.peppers.current()).collect();
        for (pepper, secrets) in &older {
            if self.peppers.versions().any(|known| known == *pepper) {
                tracing::info!(
                    pepper,
                    secrets,
                    "stored secrets are sealed under an older pepper; `tollgate reseal` seals them anew, so that it can be retired"
                );
            } else {
                tracing::warn!(
                    pepper,
                    secrets,
                    "stored secrets are sealed under a pepper that is not given any more and cannot be opened; give it again, and run `tollgate reseal` before it is retired"
                );
            }
        }
        Ok(older)
    }
}
