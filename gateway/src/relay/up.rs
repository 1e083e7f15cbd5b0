//! The request's body on its way up.

use std::task::{Context, Poll};

use tollgate_engine::Denial;

use super::{Body, Failure, Relay};
use crate::connection::write_chunk;
use crate::downstream::{BodyFault, Downstream};

/// Of a request's body, no more is held back than this.
const HELD_BYTES_MAX: usize = 32 * 1024;

impl<D: Downstream> Relay<'_, D> {
    /// The request's body, up to where it has to wait.
    pub(super) fn go_up(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        if self.is_broken_up || matches!(self.body, Body::Over) {
            return Ok(());
        }
        loop {
            let mut waits = false;
            while self.is_sending && self.link.out.len() < HELD_BYTES_MAX {
                match self.caller.poll_body(cx) {
                    Poll::Ready(Ok(Some(bytes))) => {
                        let taken = bytes.len();
                        if self.is_chunked_up {
                            write_chunk(&mut self.link.out, bytes);
                        } else {
                            self.link.out.extend_from_slice(bytes);
                        }
                        self.caller.took(taken);
                        self.waits_body.came(taken);
                        self.exchange.bytes_in += taken as u64;
                        let bytes_max = self.exchange.body_bytes_max(self.terms.body_bytes_max);
                        if self.exchange.bytes_in > bytes_max {
                            return Err(Failure::Denied(Denial::BodyTooLarge { bytes_max }));
                        }
                    }
                    Poll::Ready(Ok(None)) => {
                        self.is_sending = false;
                        self.waits_body.came(0);
                        self.exchange.waits_for_upstream();
                        if self.is_chunked_up {
                            self.link.out.extend_from_slice(b"0\r\n\r\n");
                        }
                    }
                    Poll::Ready(Err(BodyFault::Malformed)) => return Err(Failure::BadRequest),
                    Poll::Ready(Err(BodyFault::Gone)) => return Err(Failure::CallerGone),
                    Poll::Pending => {
                        self.waits_body.waits();
                        waits = true;
                        break;
                    }
                }
            }
            let unsent = self.link.unsent();
            if unsent == 0 {
                if waits {
                    self.exchange.waits_for_caller();
                }
                return Ok(());
            }
            match self.link.poll_send(cx) {
                Poll::Ready(Ok(())) => self.waits_up.came(1),
                // It may have answered before it broke off.
                Poll::Ready(Err(_)) => {
                    self.is_broken_up = true;
                    self.link.drop_unsent();
                    self.waits_body.came(0);
                    self.waits_up.came(0);
                    return Ok(());
                }
                Poll::Pending => {
                    if self.link.unsent() < unsent {
                        self.waits_up.came(1);
                    }
                    self.waits_up.waits();
                    self.exchange.waits_for_upstream();
                    return Ok(());
                }
            }
            if waits {
                self.exchange.waits_for_caller();
            }
            if waits || !self.is_sending {
                return Ok(());
            }
        }
    }
}
