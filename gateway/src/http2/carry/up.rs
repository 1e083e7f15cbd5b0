//! The request's body on its way up in frames, and what the caller says behind it.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_engine::Denial;

use super::Carry;
use crate::downstream::{BodyFault, Downstream};
use crate::fields;
use crate::grpc::messages::BadMessage;
use crate::relay::Failure;

impl<D: Downstream> Carry<'_, D> {
    pub(super) fn go_up(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        while self.is_sending {
            let bytes = match self.caller.poll_body(cx) {
                Poll::Ready(Ok(Some(bytes))) => bytes,
                Poll::Ready(Ok(None)) => {
                    self.end_up(cx);
                    return Ok(());
                }
                Poll::Ready(Err(BodyFault::Malformed)) => return Err(Failure::BadRequest),
                Poll::Ready(Err(BodyFault::Gone)) => return Err(Failure::CallerGone),
                Poll::Pending => {
                    self.waits_body.waits();
                    self.exchange.waits_for_caller();
                    return Ok(());
                }
            };
            self.up.reserve_capacity(bytes.len());
            if self.up.capacity() == 0 {
                match self.up.poll_capacity(cx) {
                    Poll::Ready(Some(Ok(_))) => continue,
                    Poll::Ready(_) => self.is_sending = false,
                    Poll::Pending => {
                        self.waits_up.waits();
                        self.exchange.waits_for_upstream();
                    }
                }
                return Ok(());
            }
            let taken = bytes.len().min(self.up.capacity());
            if let Some(messages) = &mut self.asked.messages {
                messages.pass(&bytes[..taken]).map_err(|bad| {
                    Failure::Denied(match bad {
                        BadMessage::Compressed => Denial::GrpcMessage,
                        BadMessage::TooLarge { bytes_max } => Denial::BodyTooLarge { bytes_max },
                    })
                })?;
            }
            let sent = self.up.send_data(Bytes::copy_from_slice(&bytes[..taken]), false);
            self.caller.took(taken);
            self.waits_body.came(taken);
            self.waits_up.came(taken);
            self.is_sending = sent.is_ok();
            self.exchange.bytes_in += taken as u64;
            // A stream of messages may be as long as it likes; each of them may not.
            let bytes_max = self.exchange.body_bytes_max(self.terms.body_bytes_max);
            if self.asked.messages.is_none() && self.exchange.bytes_in > bytes_max {
                return Err(Failure::Denied(Denial::BodyTooLarge { bytes_max }));
            }
        }
        Ok(())
    }

    /// The body is over; what the caller says behind it goes on too.
    fn end_up(&mut self, cx: &mut Context<'_>) {
        let Poll::Ready(trailers) = self.caller.poll_trailers(cx) else {
            self.waits_body.waits();
            return;
        };
        self.waits_body.came(0);
        self.is_sending = false;
        self.exchange.waits_for_upstream();
        let said = trailers.unwrap_or_default();
        let said = said.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        let trailers: HeaderMap = fields::callers_trailers(said)
            .filter_map(|(name, value)| {
                Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
            })
            .collect();
        // It fails only where the upstream wants no more; its answer says why.
        let _ = match trailers.is_empty() {
            true => self.up.send_data(Bytes::new(), true),
            false => self.up.send_trailers(trailers),
        };
    }
}
