//! Accounts: signing up with everything a first call needs, and signing in.

use std::net::IpAddr;

use serde_json::json;
use subtle::ConstantTimeEq;
use tollgate_domain::{
    ApplicationId, Environment, MemberRole, OrganizationId, ProductState, SubscriptionId, SubscriptionState,
    UserId, Visibility,
};
use tollgate_language::{Language, text};
use tollgate_store::{NewSubscription, NewUser, Page, PlanRow, Tx, UserRow, Viewer};
use uuid::Uuid;

use crate::change::Subject;
use crate::jobs::{self, Job};
use crate::oidc::FromProvider;
use crate::organizations::unique_slug;
use crate::password_rules;
use crate::throttle::Subjects;
use crate::{Actor, Control, CredentialInput, Error, FieldFault, MintedKey, Result};

/// What somebody types to sign up.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// Their e-mail.
    pub email: String,
    /// Their password.
    pub password: String,
    /// Slug of the product that they came for.
    pub product: Option<String>,
    /// Where they call from, for throttling.
    pub address: Option<IpAddr>,
    /// What they read in; none where nothing says so, and mails are in English.
    pub language: Option<Language>,
}

/// What somebody types to sign in.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Their e-mail.
    pub email: String,
    /// Their password.
    pub password: String,
    /// Where they call from, for throttling.
    pub address: Option<IpAddr>,
}

/// What signing up made.
#[derive(Debug, Clone)]
pub struct SignedUp {
    /// The user.
    pub user_id: UserId,
    /// Their own organization.
    pub organization_id: OrganizationId,
    /// Their first application.
    pub application_id: ApplicationId,
    /// Its first key; none where the person had an account already and was signed in instead.
    pub key: Option<MintedKey>,
}

impl Control {
    /// Makes user, organization, application, subscription to a free plan, and key in one transaction, and asks by mail
    /// whether the address is theirs. Somebody who types the e-mail and password of an account that exists is signed in
    /// to it. With another password they get an account like anybody else, so that nobody learns whose addresses are
    /// taken: it is a shadow, which the address never finds.
    ///
    /// # Errors
    /// `Invalid` with `/email` or `/password`; `TooManyTries`; `Busy`.
    pub async fn sign_up(&self, actor: &Actor, input: SignUp) -> Result<SignedUp> {
        let email = input.email.trim().to_lowercase();
        let mut faults = Vec::new();
        check_email(&email, &mut faults);
        password_rules::check_new(&input.password, &email, "/password", &mut faults);
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let subjects = Subjects::new(&email, input.address);
        // The same work whether the address is taken or not: a look, one hash, the same rows.
        let owner = self.store.find_user_by_email(&email).await?;
        self.check_guess(&subjects, owner.as_ref().map(|owner| owner.id)).await?;
        self.check_sign_ups(&subjects).await?;
        let plan = self.free_plan(input.product.as_deref()).await?;
        let password_hash = match &owner {
            None => self.passwords.hash(&input.password).await?,
            Some(owner) => self.passwords.hash_beside(&input.password, Some(&owner.password_hash)).await?,
        };
        if let Some(owner) = owner.as_ref().filter(|owner| is_of(owner, &password_hash)) {
            self.note_right_guess(&subjects, owner.id).await?;
            return self.known(owner).await;
        }
        let new = NewUser {
            id: UserId::from(Uuid::now_v7()),
            email: &email,
            password_hash: &password_hash,
            shadow_of: owner.map(|owner| owner.id),
            language: input.language.map(Language::tag),
        };
        match self.insert_newcomer(actor, &new, plan.as_ref(), None).await {
            Ok(made) => {
                self.note_right_guess(&subjects, made.user_id).await?;
                Ok(made)
            }
            // The same form was sent twice: what the first one made is there by now.
            Err(Error::Conflict(_)) => match self.store.find_user_by_email(&email).await? {
                Some(user) if self.passwords.verify(&input.password, Some(&user.password_hash)).await? => {
                    self.known(&user).await
                }
                _ => Err(Error::Busy),
            },
            refused => refused,
        }
    }

    /// Makes all that somebody new gets, who typed a password or came from a provider.
    pub(crate) async fn insert_newcomer(
        &self,
        actor: &Actor,
        new: &NewUser<'_>,
        plan: Option<&PlanRow>,
        from: Option<&FromProvider<'_>>,
    ) -> Result<SignedUp> {
        let organization_id = OrganizationId::from(Uuid::now_v7());
        let application_id = ApplicationId::from(Uuid::now_v7());
        let local = new.email.split('@').next().unwrap_or(new.email);
        let language = new.language.and_then(Language::named).unwrap_or_default();
        let mut change = self.change(actor).await?;
        let tx = &mut change.tx;
        tx.insert_user(new).await?;
        tx.insert_organization(organization_id, local, &unique_slug(local, organization_id.uuid())).await?;
        tx.insert_member(organization_id, new.id, MemberRole::Owner).await?;
        tx.insert_application(application_id, organization_id, text(language, "newcomer-application"))
            .await?;
        if let Some(plan) = plan {
            tx.insert_subscription(NewSubscription {
                id: SubscriptionId::from(Uuid::now_v7()),
                organization_id,
                application_id,
                product_id: plan.product_id,
                plan_id: plan.id,
                state: SubscriptionState::Active,
            })
            .await?;
        }
        let key = CredentialInput {
            name: text(language, "newcomer-key").to_owned(),
            environment: Environment::Test,
            expires_at: None,
            restrictions: tollgate_domain::Restrictions::default(),
        };
        let key = self.mint_key(&mut change.tx, organization_id, application_id, &key).await?;
        match from {
            Some(from) => self.settle_identity(&mut change, new, from).await?,
            None => jobs::queue(&mut change.tx, &Job::VerifyEmail { user_id: new.id }).await?,
        }
        let subject = Subject { kind: "user", id: new.id.uuid(), organization: Some(organization_id) };
        let details = json!({ "application_id": application_id, "plan_id": plan.map(|plan| plan.id), "key_id": key.id });
        change.commit("user.sign_up", subject, details).await?;
        Ok(SignedUp { user_id: new.id, organization_id, application_id, key: Some(key) })
    }

    /// Somebody who signed up though they could have signed in.
    async fn known(&self, user: &UserRow) -> Result<SignedUp> {
        let gone = || Error::invalid("/email", "this account belongs to no organization; sign in");
        let memberships = self.store.list_memberships(user.id).await?;
        let organization_id = memberships.first().ok_or_else(gone)?.organization_id;
        let scope = tollgate_domain::Scope::Organization(organization_id);
        let applications = self.store.list_applications(scope, Page { after: None, limit: 1 }).await?;
        let application_id = applications.first().ok_or_else(gone)?.id;
        Ok(SignedUp { user_id: user.id, organization_id, application_id, key: None })
    }

    /// Checks e-mail and password. Takes as long for an unknown e-mail as for a wrong password, and for a shadow as for
    /// the account that it stands behind.
    ///
    /// # Errors
    /// `WrongPassword`, `TooManyTries`, `Busy`.
    pub async fn sign_in(&self, input: &SignIn) -> Result<UserId> {
        let email = input.email.trim().to_lowercase();
        let subjects = Subjects::new(&email, input.address);
        let owner = self.store.find_user_by_email(&email).await?;
        self.check_guess(&subjects, owner.as_ref().map(|owner| owner.id)).await?;
        let shadows = match &owner {
            Some(owner) => self.store.list_shadows(owner.id).await?,
            None => Vec::new(),
        };
        let stored = owner.as_ref().map(|user| user.password_hash.as_str());
        let hash = self.passwords.hash_beside(&input.password, stored).await?;
        match owner.iter().chain(&shadows).find(|user| is_of(user, &hash)) {
            Some(user) => {
                self.figures.count_sign_in("password", true);
                self.note_right_guess(&subjects, user.id).await?;
                Ok(user.id)
            }
            None => {
                self.figures.count_sign_in("password", false);
                self.note_wrong_guess(&subjects).await?;
                Err(Error::WrongPassword)
            }
        }
    }

    /// The free, open plan without approval of a product, or of the first product that has one.
    pub(crate) async fn free_plan(&self, product: Option<&str>) -> Result<Option<PlanRow>> {
        let wanted = match product {
            Some(slug) => self.store.find_product_by_slug(slug).await?,
            None => None,
        };
        let products = match wanted {
            Some(product)
                if product.state == ProductState::Published && product.visibility != Visibility::Chosen =>
            {
                vec![product]
            }
            _ => self.store.list_offered_products(Viewer::SIGNED_IN).await?,
        };
        for product in products {
            let free = self.store.find_gratis_plan(product.id).await?;
            if free.is_some() {
                return Ok(free);
            }
        }
        Ok(None)
    }

    /// Makes a user with their own organization, inside an open change; for operators, whose address somebody vouches for.
    pub(crate) async fn insert_person(&self, tx: &mut Tx, new: &NewUser<'_>) -> Result<()> {
        tx.insert_user(new).await?;
        // Whoever starts the platform vouches for the address.
        tx.verify_user(new.id).await?;
        let organization_id = OrganizationId::from(Uuid::now_v7());
        let local = new.email.split('@').next().unwrap_or(new.email);
        tx.insert_organization(organization_id, local, &unique_slug(local, organization_id.uuid())).await?;
        Ok(tx.insert_member(organization_id, new.id, MemberRole::Owner).await?)
    }
}

/// An address that mail could be sent to, and nothing that could end a mail header.
pub fn check_email(email: &str, faults: &mut Vec<FieldFault>) {
    let ok = email.len() <= 254
        && email.split_once('@').is_some_and(|(local, domain)| {
            (1..=64).contains(&local.len())
                && (3..=253).contains(&domain.len())
                && domain.contains('.')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && !domain.contains("..")
                && !domain.contains('@')
        })
        && email.chars().all(|c| !c.is_control() && !c.is_whitespace() && !r#"<>(),;:\"[]"#.contains(c));
    if !ok {
        faults.push(FieldFault::new("/email", "an e-mail address, like name@example.com"));
    }
}

/// Whether a hash made beside the user's own is that one, and they may use it.
fn is_of(user: &UserRow, hash: &str) -> bool {
    user.disabled_at.is_none() && bool::from(user.password_hash.as_bytes().ct_eq(hash.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_pass_as_e_mail() {
        for (email, good) in [
            ("name@example.com", true),
            ("first.last+tag@sub.example.co", true),
            ("name@localhost", false),
            ("@example.com", false),
            ("name@", false),
            ("a b@example.com", false),
            ("a@b@example.com", false),
            ("name@example.com\r\nbcc: x@y.z", false),
            ("name@.example.com", false),
        ] {
            let mut faults = Vec::new();
            check_email(email, &mut faults);
            assert_eq!(faults.is_empty(), good, "{email}");
        }
    }
}
