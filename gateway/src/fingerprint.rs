//! A number that two gateways share where they run the same configuration, however they came to it: loaded whole,
//! change by change, or from disk.

use std::fmt;
use std::io::{self, Write};

use tollgate_domain::{Blueprint, ConsumerApplication, Restrictions};
use uuid::Uuid;

/// Of a blueprint and its consumers. Each consumer's part is added to a sum, so that their order is of no matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// Of a blueprint without consumers. Its revision is left out: another may leave the blueprint as it is.
    pub(crate) fn of(epoch: Uuid, blueprint: &Blueprint) -> Self {
        let Blueprint { services, apis, retired, products, plans, certificates, challenges, .. } = blueprint;
        let mut hash = Fnv::new();
        // Writing into a hash does not fail, and the rows are plain values.
        let _ = serde_json::to_writer(
            &mut hash,
            &(epoch, services, apis, retired, products, plans, certificates, challenges),
        );
        Self(hash.finish())
    }

    /// Adds an application.
    pub(crate) fn add(&mut self, application: &ConsumerApplication) {
        let id = application.id.uuid();
        self.add_part(id, &[application.organization_id.uuid().as_bytes()]);
        for key in &application.credentials {
            let expires = key.expires_at.unwrap_or(i64::MAX).to_le_bytes();
            let (version, environment) = (key.pepper_version.to_le_bytes(), key.environment.as_str());
            self.add_part(
                id,
                &[key.id.uuid().as_bytes(), &key.tag, &version, environment.as_bytes(), &expires],
            );
            if let Some(Restrictions { scopes, networks, origins }) = key.restrictions.as_deref() {
                let words = [scopes, networks, origins].into_iter().flatten();
                let words: Vec<&[u8]> = words.flat_map(|word| [word.as_bytes(), b"\0"]).collect();
                self.add_part(key.id.uuid(), &words);
            }
        }
        for subscription in &application.subscriptions {
            let (product, plan) = (subscription.product_id.uuid(), subscription.plan_id.uuid());
            self.add_part(
                id,
                &[
                    subscription.id.uuid().as_bytes(),
                    product.as_bytes(),
                    plan.as_bytes(),
                    &[u8::from(subscription.suspended), u8::from(subscription.unpaid)],
                ],
            );
        }
    }

    fn add_part(&mut self, application: Uuid, parts: &[&[u8]]) {
        let mut hash = Fnv::new();
        hash.update(application.as_bytes());
        parts.iter().for_each(|part| hash.update(part));
        self.0 = self.0.wrapping_add(hash.finish());
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// FNV-1a, with its bits mixed once more at the end: parts are summed. It tells mistakes apart, it protects nothing.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0 =
            bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    }

    const fn finish(&self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 33)
    }
}

impl Write for Fnv {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_domain::{ConsumerCredential, ConsumerSubscription, Environment};

    fn application(n: u128) -> ConsumerApplication {
        let id = |part: u128| Uuid::from_u128(n * 10 + part);
        ConsumerApplication {
            id: id(0).into(),
            organization_id: id(1).into(),
            credentials: [2, 3]
                .map(|part| ConsumerCredential {
                    id: id(part).into(),
                    environment: Environment::Live,
                    tag: [part as u8; 16],
                    pepper_version: 1,
                    expires_at: None,
                    imported: false,
                    restrictions: None,
                })
                .into(),
            subscriptions: vec![ConsumerSubscription {
                id: id(4).into(),
                product_id: id(5).into(),
                plan_id: id(6).into(),
                suspended: false,
                unpaid: false,
            }],
        }
    }

    fn of(applications: &[ConsumerApplication]) -> Fingerprint {
        let mut fingerprint = Fingerprint::of(Uuid::nil(), &Blueprint::default());
        applications.iter().for_each(|application| fingerprint.add(application));
        fingerprint
    }

    #[test]
    fn order_is_of_no_matter_and_everything_else_is() {
        let both = [application(1), application(2)];
        let mut turned = [application(2), application(1)];
        turned[0].credentials.reverse();
        assert_eq!(of(&both), of(&turned));
        let mut changes: Vec<[ConsumerApplication; 2]> = vec![both.clone(); 8];
        changes[0][0].credentials[0].tag[15] ^= 1;
        changes[1][0].credentials[0].expires_at = Some(0);
        changes[2][0].subscriptions[0].suspended = true;
        changes[3][0].subscriptions[0].plan_id = Uuid::from_u128(99).into();
        changes[4][0].organization_id = Uuid::from_u128(99).into();
        changes[5][0].credentials.pop();
        changes[7][0].subscriptions[0].unpaid = true;
        let moved = changes[6][0].credentials.remove(0);
        changes[6][1].credentials.push(moved);
        for (at, changed) in changes.iter().enumerate() {
            assert_ne!(of(changed), of(&both), "{at}");
        }
    }
}
