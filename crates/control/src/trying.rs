//! Trying calls out: leave to call as a key whose text nobody holds, for members and for guests.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use tollgate_domain::{
    ApplicationId, CredentialId, Environment, OrganizationId, PlanId, ProductId, RouteId, SubscriptionId,
    SubscriptionState,
};
use tollgate_engine::Grant;
use tollgate_store::{GuestRow, GuestTerms, NewSubscription};
use uuid::Uuid;

use crate::change::Subject;
use crate::organizations::unique_slug;
use crate::throttle::Guests;
use crate::{Action, Actor, Control, CredentialInput, Error, Result, SecretText};

/// How long leave to call holds, in seconds.
const GRANT_SECONDS: u64 = 300;

const OTHER_TERMS: &str =
    "guests may try this product on the terms of another plan already; close it to guests first";

impl Control {
    /// Leave for one call of a route as a key of the actor's organization, for five minutes.
    ///
    /// # Errors
    /// `NotFound` where the key is not theirs or was revoked, or the actor may only look.
    pub async fn grant_call(&self, actor: &Actor, key: CredentialId, route: RouteId) -> Result<SecretText> {
        let scope = actor.tenants(true)?;
        let row = self.store.get_credential(scope, key).await?;
        if row.revoked_at.is_some() {
            return Err(Error::NotFound("key"));
        }
        Ok(self.signed(row.application_id, key, route))
    }

    /// Leave for one call of a route as a guest of a product. One network, and all guests together, have only so many
    /// calls an hour; each that is granted counts.
    ///
    /// # Errors
    /// `NotFound` where the product is closed to guests; `TooManyTries`.
    pub async fn grant_guest_call(
        &self,
        product: ProductId,
        route: RouteId,
        address: Option<IpAddr>,
    ) -> Result<SecretText> {
        let guest = self.store.find_guest(product).await?.ok_or(Error::NotFound("guest access"))?;
        self.take_guest_call(&Guests::new(address)).await?;
        Ok(self.signed(guest.application_id, guest.credential_id, route))
    }

    fn signed(
        &self,
        application_id: ApplicationId,
        credential_id: CredentialId,
        route_id: RouteId,
    ) -> SecretText {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let expires_at_s = u32::try_from(now + GRANT_SECONDS).unwrap_or(u32::MAX);
        let grant = Grant { application_id, credential_id, route_id, expires_at_s };
        SecretText::new(grant.sign(&self.peppers))
    }

    /// On which terms guests call a product; none where it is closed to them.
    ///
    /// # Errors
    /// The actor may not.
    pub async fn guest_terms(&self, actor: &Actor, product: ProductId) -> Result<Option<GuestTerms>> {
        actor.authorize(Action::ReadPlatform)?;
        Ok(self.store.find_guest_terms(product).await?)
    }

    /// Opens a product to guests on the terms of a plan of it. Their calls are counted for an application of their own.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` where the plan is another product's, `Conflict` where they have another plan already, or the
    /// actor may not.
    pub async fn open_to_guests(&self, actor: &Actor, product: ProductId, plan: PlanId) -> Result<()> {
        actor.authorize(Action::WritePlatform)?;
        let product = self.store.get_product(product).await?;
        let plan = self.store.get_plan(plan).await?;
        if plan.product_id != product.id {
            return Err(Error::invalid("/plan_id", "a plan of this product"));
        }
        if let Some(terms) = self.store.find_guest_terms(product.id).await? {
            return if terms.plan_id == plan.id {
                Ok(())
            } else {
                Err(Error::Conflict(OTHER_TERMS.to_owned()))
            };
        }
        let organization_id = OrganizationId::from(Uuid::now_v7());
        let application_id = ApplicationId::from(Uuid::now_v7());
        let mut change = self.change(actor).await?;
        let name = format!("Guests of {}", product.name).chars().take(120).collect::<String>();
        let slug = unique_slug("guests", organization_id.uuid());
        change.tx.insert_organization(organization_id, &name, &slug).await?;
        change.tx.insert_application(application_id, organization_id, "Portal").await?;
        let subscription = NewSubscription {
            id: SubscriptionId::from(Uuid::now_v7()),
            organization_id,
            application_id,
            product_id: product.id,
            plan_id: plan.id,
            state: SubscriptionState::Active,
        };
        change.tx.insert_subscription(subscription).await?;
        let input = CredentialInput {
            name: "Guests".to_owned(),
            environment: Environment::Test,
            expires_at: None,
            restrictions: tollgate_domain::Restrictions::default(),
        };
        // The text is dropped here: nobody will ever hold it.
        let key = self.mint_key(&mut change.tx, organization_id, application_id, &input).await?;
        change.tx.put_guest(product.id, GuestRow { application_id, credential_id: key.id }).await?;
        let subject = Subject { kind: "product", id: product.id.uuid(), organization: None };
        let details = json!({ "plan_id": plan.id, "application_id": application_id });
        change.commit("product.open_to_guests", subject, details).await
    }

    /// Closes a product to guests: their key is revoked. Closing what is closed is no error.
    ///
    /// # Errors
    /// `NotFound`, or the actor may not.
    pub async fn close_to_guests(&self, actor: &Actor, product: ProductId) -> Result<()> {
        let scope = actor.authorize(Action::WritePlatform)?;
        let product = self.store.get_product(product).await?;
        let mut change = self.change(actor).await?;
        let Some(guest) = change.tx.delete_guest(product.id).await? else { return Ok(()) };
        change.tx.revoke_credential(scope, guest.credential_id).await?;
        let subject = Subject { kind: "product", id: product.id.uuid(), organization: None };
        change.commit("product.close_to_guests", subject, json!({})).await
    }
}
