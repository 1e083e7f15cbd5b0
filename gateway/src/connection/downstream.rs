//! A request on an HTTP/1 connection as the chain sees it.

use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tollgate_engine::Familiar;
use tollgate_engine::head::Framing;

use super::answer::HELD_BYTES_MAX;
use super::{Connection, Going};
use crate::caller::Peer;
use crate::downstream::{Answer, BodyFault, Downstream, Leaving, Length};
use crate::intake::Next;

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Downstream for Connection<S> {
    fn peer(&self) -> &Peer {
        &self.peer
    }

    fn method(&self) -> &str {
        self.intake.head().0.method()
    }

    fn authority(&self) -> Option<&[u8]> {
        let (reader, head) = self.intake.head();
        reader.host(head)
    }

    fn target(&self) -> &[u8] {
        let (reader, head) = self.intake.head();
        reader.target(head)
    }

    fn fields(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> + Clone {
        let (reader, head) = self.intake.head();
        reader.fields().iter().map(move |field| (field.name(head), field.value(head)))
    }

    fn length(&self) -> Length {
        match self.intake.framing() {
            Framing::Empty => Length::None,
            Framing::Length(length) => Length::Known(length),
            Framing::Chunked => Length::Unknown,
        }
    }

    fn can_switch(&self) -> bool {
        !self.is_of_1_0() && self.intake.framing() == Framing::Empty
    }

    fn is_of_1_0(&self) -> bool {
        self.intake.head().0.is_of_1_0()
    }

    fn take_familiar(&mut self) -> Option<Familiar> {
        Some(mem::take(&mut self.familiar))
    }

    fn keep_familiar(&mut self, familiar: Familiar) {
        self.familiar = familiar;
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<&[u8]>, BodyFault>> {
        loop {
            match self.intake.next() {
                Ok(Next::Data(bytes)) => return Poll::Ready(Ok(Some(&self.intake.waiting()[..bytes]))),
                Ok(Next::End) => return Poll::Ready(Ok(None)),
                Err(_) => return Poll::Ready(Err(BodyFault::Malformed)),
                Ok(Next::More) => match ready!(self.poll_receive(cx)) {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => return Poll::Ready(Err(BodyFault::Gone)),
                },
            }
        }
    }

    fn took(&mut self, bytes: usize) {
        self.intake.took(bytes);
    }

    fn begin(&mut self, status: u16) {
        self.out.begin(status);
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.out.field(name, |out| out.extend_from_slice(value));
    }

    fn field_with(&mut self, name: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        self.out.field(name, write);
    }

    fn head_done(&mut self, follows: Answer) {
        if follows == Answer::Switched {
            self.going = Going::Closes;
            self.intake.switch();
        }
        // What is left of a request is read behind its answer, or the connection ends there.
        if follows != Answer::Interim
            && self.going == Going::On
            && !(self.intake.is_complete() || self.rest_is_small())
        {
            self.going = Going::Closes;
        }
        let closes = self.going != Going::On;
        let is_of_1_0 = self.is_of_1_0();
        if self.out.head_done(follows, closes, is_of_1_0) {
            self.going = Going::Closes;
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.out.unsent().len() < HELD_BYTES_MAX { Poll::Ready(Ok(())) } else { self.poll_flush(cx) }
    }

    fn data(&mut self, bytes: &[u8]) {
        self.out.data(bytes);
    }

    fn end<'t>(&mut self, trailers: impl Iterator<Item = (&'t [u8], &'t [u8])>) {
        self.out.end(trailers);
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unsent() == 0 {
            return Poll::Ready(Ok(()));
        }
        while !self.out.unsent().is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, self.out.unsent()))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.sent(written);
            self.unflushed = true;
        }
        // TLS writes into a buffer of its own; for TCP this is nothing.
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }

    fn unsent(&self) -> usize {
        self.out.unsent().len() + usize::from(self.unflushed)
    }

    fn close_after(&mut self) {
        if self.going == Going::On {
            self.going = Going::Closes;
        }
    }

    fn abort(&mut self) {
        self.going = Going::Cut;
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Leaving> {
        // What it sends ahead waits, and proves that it is there.
        if self.half_closed || self.intake.has_more() {
            return Poll::Pending;
        }
        match ready!(self.poll_receive(cx)) {
            Ok(0) => {
                self.half_closed = true;
                self.close_after();
                Poll::Ready(Leaving::HalfClosed)
            }
            Ok(_) => Poll::Pending,
            Err(_) => Poll::Ready(Leaving::Gone),
        }
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        self.alarm.poll_until(cx, due)
    }
}
