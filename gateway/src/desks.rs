//! Which worker serves a caller: the one that has the fewest.
//!
//! All workers accept from one socket, and the first to wake takes a whole burst of callers. Connections are kept for long,
//! so they would all lie on that worker's core while the others idle. Hence a worker that has more callers than another
//! brings the next one to that one's desk; once served, a caller stays where it is.

use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::places::Place;

/// One desk for each worker.
pub(crate) struct Desks(Box<[Desk]>);

struct Desk {
    callers: AtomicUsize,
    bring: UnboundedSender<Brought>,
}

/// A caller that another worker accepted. There are never more than there are places.
pub(crate) struct Brought {
    pub(crate) stream: TcpStream,
    pub(crate) address: IpAddr,
    pub(crate) place: Place,
    pub(crate) speaks_tls: bool,
    pub(crate) seat: Seat,
    /// It is waited for from now on, as one that is served.
    pub(crate) awaited: TaskTrackerToken,
}

/// One caller more at a desk, as long as it lives.
pub(crate) struct Seat {
    desks: Arc<Desks>,
    at: usize,
}

impl Desks {
    /// Desks for so many workers, and what is brought to each.
    pub(crate) fn new(workers: usize) -> (Arc<Self>, Vec<UnboundedReceiver<Brought>>) {
        let (desks, brought): (Vec<Desk>, Vec<_>) = (0..workers)
            .map(|_| {
                let (bring, brought) = unbounded_channel();
                (Desk { callers: AtomicUsize::new(0), bring }, brought)
            })
            .unzip();
        (Arc::new(Self(desks.into())), brought)
    }

    /// A seat at the desk with the fewest callers; at one's own where no other has fewer. A worker that has stopped gets
    /// none.
    pub(crate) fn seat(self: &Arc<Self>, own: usize) -> Seat {
        let callers = |at: usize| self.0[at].callers.load(Ordering::Relaxed);
        let open = (0..self.0.len()).filter(|at| *at == own || !self.0[*at].bring.is_closed());
        let fewest = open.min_by_key(|at| (callers(*at), *at != own)).unwrap_or(own);
        self.0[fewest].callers.fetch_add(1, Ordering::Relaxed);
        Seat { desks: Arc::clone(self), at: fewest }
    }
}

impl Seat {
    /// Whether it is at this worker's desk.
    pub(crate) const fn is_at(&self, desk: usize) -> bool {
        self.at == desk
    }
}

impl Brought {
    /// Brings a caller to where its seat is; a worker that has stopped serves nobody, and neither does anybody else.
    pub(crate) fn go(self) {
        let desks = Arc::clone(&self.seat.desks);
        let _ = desks.0[self.seat.at].bring.send(self);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.desks.0[self.at].callers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_shared_out_and_whoever_leaves_makes_room() {
        let (desks, mut brought) = Desks::new(3);
        let mut seats: Vec<Seat> = (0..9).map(|_| desks.seat(1)).collect();
        let at = |seats: &[Seat], desk| seats.iter().filter(|seat| seat.is_at(desk)).count();
        assert_eq!([0, 1, 2].map(|desk| at(&seats, desk)), [3, 3, 3]);
        assert!(seats[0].is_at(1), "among equals one's own");
        seats.retain(|seat| !seat.is_at(2));
        assert!(desks.seat(1).is_at(2));
        brought.pop();
        assert!(desks.seat(1).is_at(1), "the third has stopped");
    }
}
