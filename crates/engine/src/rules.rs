//! What a key is held to, ready to be asked: compiled once, when the key comes, and looked at by calls of such keys alone.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use tollgate_domain::{KeyScope, Network, Restrictions, Site};

use crate::denial::Denial;

/// What is asked of a call only where something is held to it, so that all others pay nothing for it: where it comes
/// from, and fields by which APIs are told apart.
pub trait Whence: fmt::Debug {
    /// The caller's address, through whichever proxies are trusted; none where it is not known.
    fn address(&self) -> Option<IpAddr>;
    /// The origin of the page that calls; none where it is no page's.
    fn origin(&self) -> Option<&[u8]>;
    /// The value of a field by its name in lower case; none where it is not there, or more than once.
    fn field(&self, name: &str) -> Option<&[u8]>;
}

/// From nowhere in particular, and without a field.
#[derive(Debug, Clone, Copy)]
pub struct Nowhere;

impl Whence for Nowhere {
    fn address(&self) -> Option<IpAddr> {
        None
    }

    fn origin(&self) -> Option<&[u8]> {
        None
    }

    fn field(&self, _: &str) -> Option<&[u8]> {
        None
    }
}

/// What an operation is called in scopes.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) operation_id: Box<str>,
    pub(crate) tags: Box<[Box<str>]>,
}

/// What a key is held to. An entry that cannot be read allows nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    source: Restrictions,
    /// None where nothing is asked.
    scopes: Option<Box<[KeyScope]>>,
    networks: Option<Box<[Network]>>,
    origins: Option<Box<[Site]>>,
}

impl Rules {
    pub(crate) fn of(source: &Restrictions) -> Self {
        Self {
            scopes: read(&source.scopes),
            networks: read(&source.networks),
            origins: read(&source.origins),
            source: source.clone(),
        }
    }

    /// What it was made of.
    pub(crate) const fn source(&self) -> &Restrictions {
        &self.source
    }

    /// Whether a call may be made. What the portal calls for the key's owner comes from nowhere in particular.
    pub(crate) fn check(&self, api: &str, names: &Names, whence: Option<&dyn Whence>) -> Result<(), Denial> {
        let tags = || names.tags.iter().map(|tag| &**tag);
        if let Some(scopes) = &self.scopes
            && !scopes.iter().any(|scope| scope.allows(api, &names.operation_id, tags()))
        {
            return Err(Denial::ScopeMissing { scope: format!("{api}/{}", names.operation_id).into() });
        }
        let Some(whence) = whence else { return Ok(()) };
        if let Some(networks) = &self.networks {
            let address = whence.address();
            if !address.is_some_and(|address| networks.iter().any(|network| network.contains(address))) {
                return Err(Denial::AddressNotAllowed(None));
            }
        }
        if let Some(origins) = &self.origins {
            let origin = whence.origin();
            if !origin.is_some_and(|origin| origins.iter().any(|site| site.allows(origin))) {
                return Err(Denial::KeyOriginNotAllowed);
            }
        }
        Ok(())
    }
}

fn read<T: FromStr>(entries: &[String]) -> Option<Box<[T]>> {
    (!entries.is_empty()).then(|| entries.iter().filter_map(|entry| entry.parse().ok()).collect())
}

/// Rules of the keys of one shard.
pub(crate) type RulesOfShard = std::collections::HashMap<
    tollgate_domain::CredentialId,
    Arc<Rules>,
    std::hash::BuildHasherDefault<crate::snapshot::IdHasher>,
>;
