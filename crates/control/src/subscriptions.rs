//! Subscriptions: applications on plans.

use serde_json::json;
use tollgate_domain::{
    ApplicationId, MemberRole, OrganizationId, PlanId, PlanState, ProductState, Scope, SubscriptionId,
    SubscriptionState,
};
use tollgate_store::{NewSubscription, PlanRow, SubscriptionRow, Viewer};
use uuid::Uuid;

use crate::change::{Subject, before_after, check_version};
use crate::jobs::{self, Job};
use crate::{Action, Actor, Control, Error, Result, Who};

/// Of what is said with a decision.
const REASON_CHARS_MAX: usize = 500;

/// What a subscription is made from.
#[derive(Debug, Clone, Copy)]
pub struct SubscriptionInput {
    /// Which application.
    pub application_id: ApplicationId,
    /// On which plan.
    pub plan_id: PlanId,
}

/// What to change about a subscription; `None` stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct SubscriptionPatch {
    /// Another plan of the same product.
    pub plan_id: Option<PlanId>,
    /// The next state.
    pub state: Option<SubscriptionState>,
}

impl Control {
    /// Puts an application on a plan: active at once, or requested where the plan asks for approval. Operators
    /// may use plans that are not open, and need no approval.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where the application has one for the product; `Invalid` where the plan cannot be
    /// chosen; or the actor may not.
    pub async fn subscribe(&self, actor: &Actor, input: SubscriptionInput) -> Result<SubscriptionRow> {
        let (scope, application) = self.own_application(actor, input.application_id).await?;
        let plan = self.choosable_plan(actor, input.plan_id).await?;
        if self.store.has_landed(application.organization_id).await? {
            return Err(unpaid());
        }
        self.check_currency(application.organization_id, plan.id).await?;
        self.check_payer(actor, application.organization_id, &plan).await?;
        let needs_approval = plan.approval && matches!(actor.who, Who::Member { .. });
        let state = if needs_approval { SubscriptionState::Requested } else { SubscriptionState::Active };
        let id = SubscriptionId::from(Uuid::now_v7());
        let new = NewSubscription {
            id,
            organization_id: application.organization_id,
            application_id: application.id,
            product_id: plan.product_id,
            plan_id: plan.id,
            state,
        };
        let mut change = self.change(actor).await?;
        change.tx.insert_subscription(new).await?;
        let subject =
            Subject { kind: "subscription", id: id.uuid(), organization: Some(new.organization_id) };
        let details = json!({ "application_id": application.id, "plan_id": plan.id, "state": state });
        change.commit("subscription.create", subject, details).await?;
        Ok(self.store.get_subscription(scope, id).await?)
    }

    /// Moves a subscription to another plan of its product or another state. Members may only end theirs or
    /// change to an open plan; the rest is for operators.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`; `Invalid` where the step is not allowed; or the actor may not.
    pub async fn update_subscription(
        &self,
        actor: &Actor,
        id: SubscriptionId,
        expected: Option<i64>,
        patch: SubscriptionPatch,
    ) -> Result<SubscriptionRow> {
        self.decide_subscription(actor, id, expected, patch, "").await
    }

    /// The same with words for the developer, who is told of every decision about a request by mail.
    ///
    /// # Errors
    /// As [`Control::update_subscription`]; `Invalid` with `/reason` where there is nothing to give a reason for.
    pub async fn decide_subscription(
        &self,
        actor: &Actor,
        id: SubscriptionId,
        expected: Option<i64>,
        patch: SubscriptionPatch,
        reason: &str,
    ) -> Result<SubscriptionRow> {
        let reason = reason.trim();
        let scope = match actor.who {
            Who::Member { .. } => actor.tenants(true)?,
            _ => actor.authorize(Action::ManageSubscriptions)?,
        };
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_subscription(scope, id).await?;
        check_version(expected, row.version)?;
        let plan_id = patch.plan_id.unwrap_or(row.plan_id);
        if plan_id != row.plan_id {
            let plan = self.choosable_plan(actor, plan_id).await?;
            if plan.product_id != row.product_id {
                return Err(Error::invalid("/plan_id", "a plan of the same product"));
            }
            if plan.approval && matches!(actor.who, Who::Member { .. }) {
                return Err(Error::invalid("/plan_id", "this plan needs an approval"));
            }
            self.check_currency(row.organization_id, plan_id).await?;
            self.check_payer(actor, row.organization_id, &plan).await?;
        }
        let state = patch.state.unwrap_or(row.state);
        let by_operator = !matches!(actor.who, Who::Member { .. });
        let decided = by_operator && row.state == SubscriptionState::Requested && state != row.state;
        if !reason.is_empty() && (!decided || reason.chars().count() > REASON_CHARS_MAX) {
            let text = "at most 500 characters, with the decision about a request";
            return Err(Error::invalid("/reason", text));
        }
        if state != row.state {
            if !row.state.may_become(state) {
                let message = format!("{} cannot become {state}", row.state);
                return Err(Error::invalid("/state", message));
            }
            if matches!(actor.who, Who::Member { .. }) && state != SubscriptionState::Ended {
                return Err(Error::Forbidden);
            }
        } else if plan_id == row.plan_id {
            return Ok(row);
        }
        let moves = plan_id != row.plan_id && state == SubscriptionState::Active;
        let cap = if moves { self.cap_before_move(&mut change.tx, &row).await? } else { None };
        change.tx.update_subscription(id, plan_id, state).await?;
        if plan_id != row.plan_id || state == SubscriptionState::Ended {
            change.tx.delete_planned_change(id).await?;
        }
        self.keep_cap_of_moved(&mut change.tx, id, cap, matches!(actor.who, Who::Member { .. })).await?;
        let subject =
            Subject { kind: "subscription", id: id.uuid(), organization: Some(row.organization_id) };
        let mut details = before_after(
            &json!({ "plan_id": row.plan_id, "state": row.state }),
            &json!({ "plan_id": plan_id, "state": state }),
        );
        if decided {
            if !reason.is_empty() {
                change.tx.put_decision(id, reason).await?;
                details["reason"] = json!(reason);
            }
            for member in self.store.list_members(Scope::Organization(row.organization_id)).await? {
                if member.role != MemberRole::Viewer {
                    let job = Job::SubscriptionDecided { subscription_id: id, user_id: member.user_id };
                    jobs::queue(&mut change.tx, &job).await?;
                }
            }
        }
        change.commit("subscription.update", subject, details).await?;
        Ok(self.store.get_subscription(scope, id).await?)
    }

    /// Nobody puts themselves on another plan past an unpaid bill, nor on one that costs something where a provider collects
    /// and was left no way to pay. Plans that need an approval ask for one first; operators answer for what they do.
    pub(crate) async fn check_payer(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        plan: &PlanRow,
    ) -> Result<()> {
        if !matches!(actor.who, Who::Member { .. }) {
            return Ok(());
        }
        if self.store.has_landed(organization).await? {
            return Err(unpaid());
        }
        if !plan.approval && self.needs_method(organization, plan.id).await? {
            return Err(Error::Conflict("leave a way to pay first: this plan costs something".to_owned()));
        }
        Ok(())
    }

    /// A plan that the actor may put an application on.
    pub(crate) async fn choosable_plan(&self, actor: &Actor, id: PlanId) -> Result<PlanRow> {
        let plan = self.store.get_plan(id).await?;
        if let Who::Member { organization_id, .. } = actor.who {
            let product = self.store.get_product(plan.product_id).await?;
            let sees = self.store.sees_product(Viewer::of(organization_id), product.id).await?;
            if product.state == ProductState::Draft || !sees {
                return Err(Error::NotFound("plan"));
            }
            if product.state != ProductState::Published || plan.state != PlanState::Open {
                return Err(Error::invalid("/plan_id", "this plan cannot be chosen now"));
            }
        }
        Ok(plan)
    }
}

fn unpaid() -> Error {
    Error::Conflict("an invoice is unpaid past its grace; pay it first".to_owned())
}
