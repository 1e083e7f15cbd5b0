//! Typed identifiers: UUIDv7 inside, `prefix_` + 26 lower-case base-32 letters outside (TypeID 0.3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ENCODED_LEN: usize = 26;
/// Bytes of an id's text: every prefix has three letters.
pub const ID_TEXT_LEN: usize = 4 + ENCODED_LEN;

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id: expected {expected}_ followed by 26 base-32 characters")]
pub struct InvalidId {
    /// The prefix that the id should have carried.
    pub expected: &'static str,
}

fn encode(prefix: &str, uuid: Uuid) -> [u8; ID_TEXT_LEN] {
    let mut text = [b'_'; ID_TEXT_LEN];
    text[..3].copy_from_slice(prefix.as_bytes());
    let mut value = uuid.as_u128();
    for letter in text[4..].iter_mut().rev() {
        *letter = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    text
}

fn decode(text: &str) -> Option<Uuid> {
    let bytes = text.as_bytes();
    // 26 letters carry 130 bits; the first may only use its low three.
    if bytes.len() != ENCODED_LEN || bytes[0] > b'7' {
        return None;
    }
    bytes
        .iter()
        .try_fold(0u128, |value, byte| {
            let digit = ALPHABET.iter().position(|letter| letter == byte)?;
            Some((value << 5) | digit as u128)
        })
        .map(Uuid::from_u128)
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// What stands before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// The id as stored.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// Its text, in ASCII.
            #[must_use]
            pub fn text(self) -> [u8; ID_TEXT_LEN] {
                encode(Self::PREFIX, self.0)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(std::str::from_utf8(&self.text()).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(Self::PREFIX)
                    .and_then(|rest| rest.strip_prefix('_'))
                    .and_then(decode)
                    .map(Self)
                    .ok_or(InvalidId { expected: Self::PREFIX })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    Uuid::deserialize(deserializer).map(Self)
                }
            }
        }
    )+};
}

typed_ids! {
    /// A system we forward to.
    ServiceId = "svc";
    /// One address of a service.
    TargetId = "tgt";
    /// Something published.
    ApiId = "api";
    /// One method and path of an API.
    RouteId = "rte";
    /// A page of the publisher's.
    PageId = "pag";
    /// A time in which calls went wrong.
    IncidentId = "inc";
    /// APIs offered together.
    ProductId = "prd";
    /// The terms under which a product is used.
    PlanId = "pln";
    /// A tenant.
    OrganizationId = "org";
    /// A person.
    UserId = "usr";
    /// A developer's program.
    ApplicationId = "app";
    /// An application on a plan.
    SubscriptionId = "sub";
    /// What an application proves itself with.
    CredentialId = "key";
    /// A certificate that gateways present.
    CertificateId = "crt";
    /// An operator's service token for the admin API.
    TokenId = "tok";
    /// One line of the audit log.
    AuditId = "aud";
    /// A bill.
    InvoiceId = "inv";
    /// Something that happened, as webhooks tell it.
    EventId = "evt";
    /// Somebody who was asked to run the platform.
    OperatorInvitationId = "opi";
    /// An address that is told what happens.
    WebhookId = "whk";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_written() {
        for value in [0, 1, u128::MAX, 0x0190_a3f0_1111_7222_8333_4444_5555_6666] {
            let id = ServiceId::from(Uuid::from_u128(value));
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = ServiceId::from(Uuid::from_u128(7)).to_string();
        assert_eq!(id.parse::<ApiId>(), Err(InvalidId { expected: "api" }));
        for bad in ["", "svc", "svc_", "svc_zzzzzzzzzzzzzzzzzzzzzzzzzz", "svc_00000000000000000000000l00"] {
            assert!(bad.parse::<ServiceId>().is_err(), "{bad}");
        }
    }
}
