//! What a request's fields say to the gateway itself.

use tollgate_engine::head::CONNECTION_OPTIONS;
use tollgate_engine::websocket::{BadHandshake, check_handshake};
use tollgate_engine::{Denial, credential_of};

use super::{is, is_one_of, options};

/// What the head that goes on has to know of the fields that came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hop {
    /// Whether the caller wants trailers.
    pub(super) wants_trailers: bool,
    /// Whether `Connection` declares fields to be of this hop only.
    pub(super) names_fields: bool,
}

/// What a request's fields say to the gateway itself.
#[derive(Debug, Default)]
pub(crate) struct Said<'f> {
    authorization: [Option<&'f [u8]>; 2],
    api_key: [Option<&'f [u8]>; 2],
    request_id: [Option<&'f [u8]>; 2],
    /// Whether the caller holds its body back until it is asked for (RFC 9110 §10.1.1).
    pub(crate) waits_for_consent: bool,
    /// Whether it wants trailers.
    pub(crate) wants_trailers: bool,
    /// Whether `Connection` declares fields to be of this hop only.
    names_fields: bool,
    connection_upgrades: bool,
    upgrade: [Option<&'f [u8]>; 2],
    websocket_key: [Option<&'f [u8]>; 2],
    websocket_version: [Option<&'f [u8]>; 2],
}

impl<'f> Said<'f> {
    /// Reads all fields once.
    pub(crate) fn of(fields: impl Iterator<Item = (&'f [u8], &'f [u8])>) -> Self {
        let mut said = Self::default();
        for (name, value) in fields {
            match name.len() {
                2 if is(name, "te") => {
                    said.wants_trailers |=
                        options(value).any(|option| option.eq_ignore_ascii_case(b"trailers"));
                }
                6 if is(name, "expect") => {
                    said.waits_for_consent = value.eq_ignore_ascii_case(b"100-continue");
                }
                7 if is(name, "upgrade") => note(&mut said.upgrade, value),
                9 if is(name, "x-api-key") => note(&mut said.api_key, value),
                10 if is(name, "connection") => {
                    for option in options(value) {
                        said.names_fields |= !is_one_of(option, &CONNECTION_OPTIONS);
                        said.connection_upgrades |= is(option, "upgrade");
                    }
                }
                12 if is(name, "x-request-id") => note(&mut said.request_id, value),
                13 if is(name, "authorization") => note(&mut said.authorization, value),
                17 if is(name, "sec-websocket-key") => note(&mut said.websocket_key, value),
                21 if is(name, "sec-websocket-version") => note(&mut said.websocket_version, value),
                _ => {}
            }
        }
        said
    }

    /// What of it the head that goes on has to know.
    pub(crate) const fn hop(&self) -> Hop {
        Hop { wants_trailers: self.wants_trailers, names_fields: self.names_fields }
    }

    /// The key that the caller shows.
    pub(crate) fn credential(&self) -> Result<Option<&'f [u8]>, Denial> {
        credential_of(self.authorization.into_iter().flatten(), self.api_key.into_iter().flatten())
    }

    /// Whether a WebSocket is asked for; other upgrades are not heard.
    pub(crate) fn asks_for_websocket(&self) -> bool {
        let only = matches!(self.upgrade, [Some(token), None] if token.eq_ignore_ascii_case(b"websocket"));
        only && self.connection_upgrades
    }

    /// Whether its handshake is in order.
    pub(crate) fn check_websocket(&self) -> Result<(), Denial> {
        let (keys, versions) = (self.websocket_key.into_iter(), self.websocket_version.into_iter());
        check_handshake(keys.flatten(), versions.flatten()).map_err(|bad| match bad {
            BadHandshake::Key => Denial::WebSocketKey,
            BadHandshake::Version => Denial::WebSocketVersion,
        })
    }

    /// Its name for the call, where it gives exactly one.
    pub(crate) fn request_id(&self) -> Option<&'f [u8]> {
        match self.request_id {
            [Some(id), None] => Some(id),
            _ => None,
        }
    }
}

/// Keeps the first two: more than one is all that matters.
fn note<'f>(seen: &mut [Option<&'f [u8]>; 2], value: &'f [u8]) {
    let free = usize::from(seen[0].is_some());
    seen[free] = Some(value);
}
