//! The currency that a customer pays in: one, from the first plan that costs something on.

use serde_json::json;
use tollgate_domain::{Currency, OrganizationId, PlanId, Scope};

use crate::change::{Subject, before_after};
use crate::{Action, Actor, Control, Error, Result};

impl Control {
    /// What an organization pays in; none while nothing it has costs anything and nobody chose.
    ///
    /// # Errors
    /// `NotFound`, the actor may not, or the database is away.
    pub async fn currency(&self, actor: &Actor, id: OrganizationId) -> Result<Option<Currency>> {
        let scope = actor.authorize(Action::ReadOrganization(id))?;
        Ok(self.store.get_currency(scope, id).await?)
    }

    /// Chooses what an organization pays in. Prices are never converted, so it is fixed once it had a plan that costs
    /// something.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where it is fixed already; or the actor may not.
    pub async fn choose_currency(&self, actor: &Actor, id: OrganizationId, currency: Currency) -> Result<()> {
        let scope = actor.authorize(Action::WriteOrganization(id))?;
        let mut change = self.change(actor).await?;
        change.tx.lock_organization(scope, id).await?;
        let before = change.tx.reads().get_currency(scope, id).await?;
        if before == Some(currency) {
            return Ok(());
        }
        if let Some(fixed) = before
            && change.tx.reads().pays(id).await?
        {
            return Err(Error::Conflict(format!(
                "{} is the currency that this organization pays in, and stays it",
                fixed.as_str()
            )));
        }
        change.tx.set_currency(id, currency).await?;
        let details = before_after(&json!({ "currency": before }), &json!({ "currency": currency }));
        let subject = Subject { kind: "organization", id: id.uuid(), organization: Some(id) };
        change.commit("organization.update", subject, details).await
    }

    /// That a plan has prices in the currency that an organization pays in.
    pub(crate) async fn check_currency(&self, id: OrganizationId, plan: PlanId) -> Result<()> {
        let Some(theirs) = self.store.get_currency(Scope::Operator, id).await? else { return Ok(()) };
        let tariff = self.plan_tariff(plan).await?.tariff;
        if tariff.is_free() || tariff.in_currency(theirs).is_some() {
            return Ok(());
        }
        let priced: Vec<String> = tariff.in_currencies().map(String::from).collect();
        Err(Error::invalid(
            "/plan_id",
            format!(
                "this plan has prices in {}, and this organization pays in {}",
                priced.join(", "),
                theirs.as_str()
            ),
        ))
    }
}
