//! Customers and plans whose calls fall into the same minute: each is billed for its own.

use tollgate_control::{Actor, CredentialInput, PlanInput, SubscriptionInput};
use tollgate_domain::{
    ApplicationId, CredentialId, Environment, OrganizationId, Outcome, PlanId, RouteId, SubscriptionId,
    UsageCount, UsageKey,
};
use uuid::Uuid;

use crate::billing::{Paying, at, euros, line, per_call};
use crate::fixture::plan_input;
use crate::prices::organization;

impl Paying {
    /// An application of an organization on a plan, with a key.
    async fn subscriber(
        &self,
        organization: OrganizationId,
        name: &str,
        plan_id: PlanId,
    ) -> (SubscriptionId, CredentialId) {
        let (control, system) = (&self.fixture.control, Actor::system());
        let application_id: ApplicationId =
            control.create_application(&system, organization, name).await.unwrap().id;
        let subscription =
            control.subscribe(&system, SubscriptionInput { application_id, plan_id }).await.unwrap();
        let input = CredentialInput {
            name: "Server".to_owned(),
            environment: Environment::Live,
            expires_at: None,
            restrictions: tollgate_domain::Restrictions::default(),
        };
        let key = control.create_credential(&system, application_id, input).await.unwrap();
        (subscription.id, key.id)
    }
}

fn count((subscription_id, credential_id): (SubscriptionId, CredentialId), calls: u64) -> UsageCount {
    UsageCount {
        // One gateway, one operation, one minute: only who called differs.
        boot_id: Uuid::from_u128(7),
        key: UsageKey {
            credential_id,
            subscription_id,
            route_id: RouteId::from(Uuid::from_u128(9)),
            status: 200,
            outcome: Outcome::Served,
            minute: u32::try_from(at("2026-04-10T12:00:00Z").timestamp() / 60).unwrap(),
        },
        calls,
        charged: calls,
        units: calls,
        readings: [0, 0],
        bytes_in: 0,
        bytes_out: 0,
        duration_us: 0,
    }
}

#[tokio::test]
async fn customers_and_plans_that_are_called_in_the_same_minute_are_billed_for_their_own_calls() {
    let paying = Paying::new().await;
    let (control, system) = (&paying.fixture.control, Actor::system());
    let input = PlanInput {
        slug: "dear".parse().unwrap(),
        price: euros(1_000),
        ..plan_input(&paying.published.product)
    };
    let dear = control.create_plan(&system, input).await.unwrap().id;
    control.price_plan(&system, dear, None, per_call(0, "10")).await.unwrap();
    let (carl, _) = paying.fixture.sign_up("carl@example.com").await;
    let (maria, carl) = (organization(&paying.member), organization(&carl));
    let subscribers = [
        (paying.subscription, paying.key),
        paying.subscriber(maria, "Second", dear).await,
        paying.subscriber(carl, "First", dear).await,
        paying.subscriber(carl, "Second", paying.plan).await,
    ];
    paying.sql("update subscription_terms set begins = '2026-04-01'").await;
    let counts: Vec<UsageCount> =
        subscribers.into_iter().zip([1_500, 3, 7, 2_000]).map(|(who, calls)| count(who, calls)).collect();
    control.store().record_usage(&counts).await.unwrap();

    assert_eq!(paying.close("2026-05-02T00:00:00Z").await, 2, "both in one go");
    for (whose, expected) in [
        (maria, [("base", 0, 2_900), ("usage", 1_500, 100), ("base", 0, 1_000), ("usage", 3, 30)]),
        (carl, [("base", 0, 1_000), ("usage", 7, 70), ("base", 0, 2_900), ("usage", 2_000, 200)]),
    ] {
        let invoices = paying.invoices().await;
        let [invoice] = &invoices.iter().filter(|one| one.organization_id == whose).collect::<Vec<_>>()[..]
        else {
            panic!("one bill each: {invoices:?}")
        };
        let mut lines = paying.lines(invoice).await;
        let mut expected = expected.map(|(kind, units, amount)| line(kind, units, amount)).to_vec();
        lines.sort();
        expected.sort();
        assert_eq!(lines, expected);
        let days = control.store().list_invoice_days(tollgate_domain::Scope::Operator, invoice.id, 100).await;
        assert_eq!(days.unwrap().len(), 2, "one operation on one day for each of two plans");
    }
    assert_eq!(control.prove_usage(at("2026-05-02T00:00:00Z")).await.unwrap(), 0);
}
