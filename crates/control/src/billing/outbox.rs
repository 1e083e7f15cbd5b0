//! Calls that change something at the payment provider: written down before they are made, and made once.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};

use super::provider::{PaymentProvider, Provided, ProviderFault, Sought};
use crate::{Control, Error, Result};

/// Providers forget keys after a day. What is older is looked up before it is asked for again.
const KEY_LASTS: TimeDelta = TimeDelta::hours(23);

impl Control {
    /// The payment provider; an error where there is none.
    pub(crate) fn payment_provider(&self) -> Result<&Arc<dyn PaymentProvider>> {
        self.provider.as_ref().ok_or_else(|| Error::Conflict("no payment provider is set up".to_owned()))
    }

    /// Whether bills are collected by a payment provider.
    #[must_use]
    pub fn collects(&self) -> bool {
        self.provider.is_some()
    }

    /// Origins of the payment provider's pages: forms may lead there.
    #[must_use]
    pub fn payment_origins(&self) -> Vec<String> {
        self.provider.as_ref().map_or_else(Vec::new, |provider| provider.page_origins())
    }

    /// Makes a call for a purpose, once: a purpose that is served gives its answer again. `sought` is what an attempt of
    /// long ago may have made.
    pub(super) async fn once_at_provider<F>(
        &self,
        purpose: &str,
        sought: Option<Sought>,
        call: impl FnOnce(uuid::Uuid) -> F,
    ) -> Result<String>
    where
        F: Future<Output = Provided<String>>,
    {
        let slot = self.store.begin_provider_call(purpose).await?;
        if let Some(answer) = slot.answer {
            return Ok(answer);
        }
        let forgotten = slot.attempts > 1 && Utc::now() - slot.first_at > KEY_LASTS;
        let found = match sought.filter(|_| forgotten) {
            Some(sought) => self.payment_provider()?.find(&sought).await?,
            None => None,
        };
        let answer = match found {
            Some(answer) => Ok(answer),
            None => call(slot.key).await,
        };
        match answer {
            Ok(answer) => {
                self.store.finish_provider_call(purpose, &answer).await?;
                Ok(answer)
            }
            Err(fault) => {
                let answered = !matches!(fault, ProviderFault::Unavailable(_));
                self.store.fail_provider_call(purpose, &fault.to_string(), answered).await?;
                Err(fault.into())
            }
        }
    }
}

impl From<ProviderFault> for Error {
    fn from(fault: ProviderFault) -> Self {
        Self::Provider(fault)
    }
}
