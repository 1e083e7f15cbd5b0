//! The audit log's seals: made under a key that the database does not have, and checked.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tollgate_domain::bytes_of_hex;
use tollgate_store::{AuditRow, AuditSeal};

use crate::{Action, Actor, Control, Result};

/// What the key of the seals is made from a pepper with.
const LABEL: &str = "tollgate audit chain 1";
const ROWS_AT_ONCE: i64 = 1_000;

/// Where a log ended when somebody looked: `<sequence>:<seal in hex>`. Kept elsewhere, it shows later that the end was
/// cut off, which a chain by itself cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedHead {
    /// The place of the last entry.
    pub sequence: i64,
    /// Its seal.
    pub seal: [u8; 32],
}

impl fmt::Display for ExportedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.sequence)?;
        self.seal.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for ExportedHead {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        const FORM: &str = "a head is a number, a colon and 64 hexadecimal digits";
        let (sequence, hex) = text.trim().split_once(':').ok_or(FORM)?;
        let seal = bytes_of_hex(hex).ok_or(FORM)?;
        Ok(Self { sequence: sequence.parse().map_err(|_| FORM)?, seal })
    }
}

/// What a look at the whole chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditVerdict {
    /// Entries that were read.
    pub entries: i64,
    /// Of these, entries at the beginning that are older than the chain and have no seal.
    pub unsealed: i64,
    /// The first place where the log is not what was written, and what is wrong there.
    pub broken: Option<(i64, String)>,
    /// Where the log ends, where it ends well.
    pub head: Option<ExportedHead>,
}

/// Seals under one version's key.
pub(crate) struct Sealer {
    version: i16,
    key: [u8; 32],
}

impl AuditSeal for Sealer {
    fn key_version(&self) -> i16 {
        self.version
    }

    fn seal(&self, before: &[u8], canonical: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        // The seal before is empty or 32 bytes; its length keeps the two apart.
        mac.update(&[u8::try_from(before.len()).unwrap_or(u8::MAX)]);
        mac.update(before);
        mac.update(canonical);
        mac.finalize().into_bytes().into()
    }
}

impl Control {
    pub(crate) fn sealer(&self, version: i16) -> Option<Sealer> {
        self.peppers.digest(version, LABEL).map(|key| Sealer { version, key })
    }

    /// Where the audit log ends now; none while it is empty or has no seals yet.
    ///
    /// # Errors
    /// The actor may not, or the database failed.
    pub async fn audit_head(&self, actor: &Actor) -> Result<Option<ExportedHead>> {
        actor.authorize(Action::ReadAudit)?;
        Ok(self.store.audit_head().await?.and_then(|head| {
            let seal = <[u8; 32]>::try_from(head.seal?).ok()?;
            Some(ExportedHead { sequence: head.sequence, seal })
        }))
    }

    /// Reads the whole audit log and checks every seal; with a head that was exported earlier, also that the log still
    /// goes through it.
    ///
    /// # Errors
    /// The actor may not, or the database failed.
    pub async fn verify_audit(&self, actor: &Actor, exported: Option<&ExportedHead>) -> Result<AuditVerdict> {
        actor.authorize(Action::ReadAudit)?;
        let mut walk = Walk { control: self, exported, last: 0, seal: Vec::new(), unsealed: 0 };
        loop {
            let rows = self.store.audit_chain(walk.last, ROWS_AT_ONCE).await?;
            if rows.is_empty() {
                return Ok(walk.end());
            }
            for row in rows {
                if let Err((at, reason)) = walk.step(&row) {
                    let broken = Some((at, reason));
                    return Ok(AuditVerdict {
                        entries: walk.last,
                        unsealed: walk.unsealed,
                        broken,
                        head: None,
                    });
                }
            }
        }
    }
}

struct Walk<'a> {
    control: &'a Control,
    exported: Option<&'a ExportedHead>,
    last: i64,
    seal: Vec<u8>,
    unsealed: i64,
}

impl Walk<'_> {
    fn step(&mut self, row: &AuditRow) -> std::result::Result<(), (i64, String)> {
        let sealed = row.seal.is_some() || !self.seal.is_empty();
        // Logs older than the chain have gaps where a transaction was undone.
        if sealed && row.sequence != self.last + 1 {
            let missing = self.last + 1;
            return Err((missing, format!("the entry is missing; the next one is {}", row.sequence)));
        }
        self.last = row.sequence;
        let (Some(seal), Some(version)) = (&row.seal, row.key_version) else {
            if sealed {
                return Err((row.sequence, "its seal is gone".to_owned()));
            }
            self.unsealed += 1;
            return Ok(());
        };
        let Some(sealer) = self.control.sealer(version) else {
            return Err((
                row.sequence,
                format!("pepper {version}, which its seal was made with, is not here"),
            ));
        };
        let right = sealer.seal(&self.seal, &row.canonical());
        if !bool::from(right.as_slice().ct_eq(seal)) {
            return Err((row.sequence, "it is not what was written".to_owned()));
        }
        if self.exported.is_some_and(|head| head.sequence == row.sequence && head.seal != right) {
            return Err((row.sequence, "it is not the entry that the exported head names".to_owned()));
        }
        self.seal = right.to_vec();
        Ok(())
    }

    fn end(self) -> AuditVerdict {
        let cut = self.exported.filter(|head| head.sequence > self.last);
        let broken = cut.map(|head| {
            let reason =
                format!("the log ends here; it went on to {} when its head was exported", head.sequence);
            (self.last + 1, reason)
        });
        let head = <[u8; 32]>::try_from(self.seal)
            .ok()
            .filter(|_| broken.is_none())
            .map(|seal| ExportedHead { sequence: self.last, seal });
        AuditVerdict { entries: self.last, unsealed: self.unsealed, broken, head }
    }
}
