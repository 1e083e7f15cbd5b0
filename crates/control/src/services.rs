//! Services: systems we forward to.

use std::net::IpAddr;

use serde_json::{Value, json};
use tollgate_domain::{ServiceId, ServiceProtocol, Slug, Target};
use tollgate_store::{NewService, ServiceRow};
use uuid::Uuid;

use crate::change::{Subject, before_after, check_version};
use crate::{Action, Actor, Control, Error, FieldFault, Result};

/// What a service is made from.
#[derive(Debug, Clone)]
pub struct ServiceInput {
    /// Its name in URLs.
    pub slug: Slug,
    /// Its name.
    pub name: String,
    /// Milliseconds to open a connection, 1 to 60,000.
    pub connect_timeout_ms: i32,
    /// Milliseconds to wait for bytes of an answer, 1 to 3,600,000.
    pub read_timeout_ms: i32,
    /// How it is spoken to.
    pub protocol: ServiceProtocol,
    /// Its addresses, at least one.
    pub targets: Vec<Target>,
}

/// What to change about a service; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ServicePatch {
    /// Its name in URLs.
    pub slug: Option<Slug>,
    /// Its name.
    pub name: Option<String>,
    /// Milliseconds to open a connection.
    pub connect_timeout_ms: Option<i32>,
    /// Milliseconds to wait for bytes of an answer.
    pub read_timeout_ms: Option<i32>,
    /// How it is spoken to.
    pub protocol: Option<ServiceProtocol>,
    /// Its addresses.
    pub targets: Option<Vec<Target>>,
}

impl From<ServiceInput> for ServicePatch {
    /// Replaces everything.
    fn from(input: ServiceInput) -> Self {
        Self {
            slug: Some(input.slug),
            name: Some(input.name),
            connect_timeout_ms: Some(input.connect_timeout_ms),
            read_timeout_ms: Some(input.read_timeout_ms),
            protocol: Some(input.protocol),
            targets: Some(input.targets),
        }
    }
}

impl ServiceInput {
    /// Two seconds to connect, thirty to answer.
    #[must_use]
    pub const fn new(slug: Slug, name: String, targets: Vec<Target>) -> Self {
        Self {
            slug,
            name,
            connect_timeout_ms: 2_000,
            read_timeout_ms: 30_000,
            protocol: ServiceProtocol::H1,
            targets,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let mut faults = Vec::new();
        check_name(&self.name, "/name", &mut faults);
        if !(1..=60_000).contains(&self.connect_timeout_ms) {
            faults.push(FieldFault::new("/connect_timeout_ms", "between 1 and 60000 milliseconds"));
        }
        if !(1..=3_600_000).contains(&self.read_timeout_ms) {
            faults.push(FieldFault::new("/read_timeout_ms", "between 1 and 3600000 milliseconds"));
        }
        if !(1..=64).contains(&self.targets.len()) {
            faults.push(FieldFault::new("/targets", "a service has 1 to 64 targets"));
        }
        for (index, target) in self.targets.iter().enumerate() {
            let pointer = format!("/targets/{index}");
            match tollgate_engine::parse_target(&target.url, target.weight) {
                Err(message) => faults.push(FieldFault::new(format!("{pointer}/url"), message)),
                Ok(parsed) if is_metadata_service(&parsed.host) => {
                    let message =
                        "link-local addresses hold a cloud's metadata service and are never an upstream";
                    faults.push(FieldFault::new(format!("{pointer}/url"), message));
                }
                Ok(_) => {}
            }
            if let Some(scheme) = self.protocol.scheme()
                && !target.url.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
            {
                let message =
                    format!("a service of protocol {} has targets that begin with {scheme}", self.protocol);
                faults.push(FieldFault::new(format!("{pointer}/url"), message));
            }
            if target.weight > 1_000 {
                faults.push(FieldFault::new(format!("{pointer}/weight"), "between 0 and 1000"));
            }
            if self.targets[..index].iter().any(|earlier| earlier.url == target.url) {
                faults.push(FieldFault::new(format!("{pointer}/url"), "listed twice"));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }

    pub(crate) fn row(&self, id: ServiceId) -> NewService<'_> {
        NewService {
            id,
            slug: &self.slug,
            name: &self.name,
            connect_timeout_ms: self.connect_timeout_ms,
            read_timeout_ms: self.read_timeout_ms,
            protocol: self.protocol,
            targets: &self.targets,
        }
    }

    pub(crate) fn audit(&self) -> Value {
        json!({
            "slug": self.slug, "name": self.name, "connect_timeout_ms": self.connect_timeout_ms,
            "read_timeout_ms": self.read_timeout_ms, "protocol": self.protocol, "targets": self.targets,
        })
    }
}

impl From<&ServiceRow> for ServiceInput {
    fn from(row: &ServiceRow) -> Self {
        Self {
            slug: row.slug.clone(),
            name: row.name.clone(),
            connect_timeout_ms: row.connect_timeout_ms,
            read_timeout_ms: row.read_timeout_ms,
            protocol: row.protocol,
            targets: row.targets.clone(),
        }
    }
}

/// Whether a host is link-local (RFC 3927, RFC 4291), where clouds keep credentials for whoever asks.
fn is_metadata_service(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host == "metadata.google.internal" {
        return true;
    }
    host.parse().is_ok_and(is_metadata_address)
}

/// As [`is_metadata_service`], of an address that a name was resolved to.
pub(crate) fn is_metadata_address(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local() || v6.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
        }
    }
}

/// A name is 1 to 120 characters, without control characters, not only spaces.
pub fn check_name(name: &str, pointer: &str, faults: &mut Vec<FieldFault>) {
    if name.trim().is_empty() || name.chars().count() > 120 || name.chars().any(char::is_control) {
        faults.push(FieldFault::new(pointer, "1 to 120 characters, no line breaks"));
    }
}

impl Control {
    /// Adds a service.
    ///
    /// # Errors
    /// `Invalid`, or the actor may not.
    pub async fn create_service(&self, actor: &Actor, input: ServiceInput) -> Result<ServiceRow> {
        actor.authorize(Action::Publish)?;
        input.check()?;
        let id = ServiceId::from(Uuid::now_v7());
        let mut change = self.change(actor).await?;
        change.tx.insert_service(&input.row(id)).await?;
        change.compile_and_commit("service.create", subject(id), input.audit()).await?;
        Ok(self.store.get_service(id).await?)
    }

    /// Changes a service; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `VersionMismatch`, or the actor may not.
    pub async fn update_service(
        &self,
        actor: &Actor,
        id: ServiceId,
        expected: Option<i64>,
        patch: ServicePatch,
    ) -> Result<ServiceRow> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_service(id).await?;
        check_version(expected, row.version)?;
        let before = ServiceInput::from(&row);
        let after = ServiceInput {
            slug: patch.slug.unwrap_or_else(|| before.slug.clone()),
            name: patch.name.unwrap_or_else(|| before.name.clone()),
            connect_timeout_ms: patch.connect_timeout_ms.unwrap_or(before.connect_timeout_ms),
            read_timeout_ms: patch.read_timeout_ms.unwrap_or(before.read_timeout_ms),
            protocol: patch.protocol.unwrap_or(before.protocol),
            targets: patch.targets.unwrap_or_else(|| before.targets.clone()),
        };
        after.check()?;
        let (old, new) = (before.audit(), after.audit());
        if old == new {
            return Ok(row);
        }
        change.tx.update_service(&after.row(id)).await?;
        change.compile_and_commit("service.update", subject(id), before_after(&old, &new)).await?;
        Ok(self.store.get_service(id).await?)
    }

    /// Removes a service that no API uses; with `expected`, only where that is its version.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, `Conflict`, or the actor may not.
    pub async fn delete_service(&self, actor: &Actor, id: ServiceId, expected: Option<i64>) -> Result<()> {
        actor.authorize(Action::Publish)?;
        let mut change = self.change(actor).await?;
        let row = change.tx.lock_service(id).await?;
        check_version(expected, row.version)?;
        change.tx.delete_service(id).await?;
        let details = json!({ "before": ServiceInput::from(&row).audit() });
        change.compile_and_commit("service.delete", subject(id), details).await
    }
}

const fn subject(id: ServiceId) -> Subject {
    Subject { kind: "service", id: id.uuid(), organization: None }
}
