//! The head of a request as its upstream gets it.

use tollgate_engine::Admission;

use super::{Hop, comes_from_callers, is, options, write_number};
use crate::caller::Caller;
use crate::downstream::{Downstream, Length};
use crate::request_id::RequestId;
use crate::upstream::Destination;

/// The head of the request as the upstream gets it.
pub(crate) struct ToUpstream<'r, D> {
    pub(crate) request: &'r D,
    pub(crate) hop: Hop,
    pub(crate) admission: &'r Admission,
    pub(crate) destination: &'r Destination,
    /// What the gateway has in front of the upstream's own path.
    pub(crate) base_path: &'r str,
    pub(crate) request_id: &'r RequestId,
    pub(crate) caller: Caller<'r>,
    /// Whether a WebSocket is asked for.
    pub(crate) upgrades: bool,
}

impl<D: Downstream> ToUpstream<'_, D> {
    /// Appends the whole head.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.request.method().as_bytes());
        out.push(b' ');
        write_target(out, &self.destination.path_prefix, self.base_path, self.request.target());
        out.extend_from_slice(b" HTTP/1.1\r\n");
        line(out, "host", self.destination.authority.as_bytes());
        let reads_bodies = self.admission.matched.api().reads_bodies();
        for (name, value) in self.request.fields() {
            // A number in an answer that came compressed could not be read.
            if reads_bodies && is(name, "accept-encoding") {
                continue;
            }
            if !comes_from_callers(name) || (self.hop.names_fields && self.is_of_this_hop(name)) {
                continue;
            }
            out.extend_from_slice(name);
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        match self.request.length() {
            Length::None if matches!(self.request.method(), "POST" | "PUT" | "PATCH") => {
                // RFC 9110 §8.6: some servers wait for a body where these do not say that there is none.
                line(out, "content-length", b"0");
            }
            Length::None => {}
            Length::Known(length) => {
                out.extend_from_slice(b"content-length: ");
                write_number(out, length);
                out.extend_from_slice(b"\r\n");
            }
            Length::Unknown => line(out, "transfer-encoding", b"chunked"),
        }
        if self.upgrades {
            out.extend_from_slice(b"upgrade: websocket\r\nconnection: upgrade\r\n");
        } else if self.hop.wants_trailers {
            out.extend_from_slice(b"te: trailers\r\nconnection: te\r\n");
        }
        if crate::HAS_CHAIN {
            self.write_ours(out);
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Who calls, under what, and from where.
    fn write_ours(&self, out: &mut Vec<u8>) {
        let consumer = &self.admission.consumer;
        out.extend_from_slice(b"x-consumer-id: ");
        out.extend_from_slice(consumer.organization());
        out.extend_from_slice(b"\r\nx-application-id: ");
        out.extend_from_slice(consumer.application());
        out.extend_from_slice(b"\r\nx-subscription-id: ");
        out.extend_from_slice(consumer.subscription());
        out.extend_from_slice(b"\r\n");
        line(out, "x-plan", self.admission.plan().slug.as_bytes());
        line(out, "x-request-id", self.request_id.as_bytes());
        self.caller.write(out);
    }

    fn is_of_this_hop(&self, name: &[u8]) -> bool {
        let mut connection = self.request.fields().filter(|(said, _)| is(said, "connection"));
        connection.any(|(_, value)| options(value).any(|option| option.eq_ignore_ascii_case(name)))
    }
}

fn line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The target's own path, then the path without what the API has in front, then the query.
fn write_target(out: &mut Vec<u8>, prefix: &str, base_path: &str, target: &[u8]) {
    let rest = target.strip_prefix(base_path.as_bytes()).unwrap_or(target);
    out.extend_from_slice(prefix.as_bytes());
    if !rest.starts_with(b"/") && (prefix.is_empty() || !rest.is_empty()) {
        out.push(b'/');
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(prefix: &str, base_path: &str, target: &str) -> String {
        let mut out = Vec::new();
        write_target(&mut out, prefix, base_path, target.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_base_path_gives_way_to_the_targets_own() {
        assert_eq!(target("", "", "/a?q=1"), "/a?q=1");
        assert_eq!(target("", "/v1", "/v1/a?q=1"), "/a?q=1");
        assert_eq!(target("/up", "/v1", "/v1/a%20b/?q"), "/up/a%20b/?q");
        assert_eq!(target("/up", "", "/a"), "/up/a");
        assert_eq!(target("", "/v1", "/v1"), "/");
        assert_eq!(target("", "/v1", "/v1?q=1"), "/?q=1");
        assert_eq!(target("/up", "/v1", "/v1"), "/up");
    }
}
