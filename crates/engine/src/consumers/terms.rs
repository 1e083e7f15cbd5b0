//! Product and plan of subscriptions, each pair kept once: many have the same.

use std::sync::OnceLock;

use tollgate_domain::{PlanId, ProductId};

/// A product and the plan it is had on.
pub(super) type Pair = (ProductId, PlanId);

/// Pairs by the number they were given. Numbers are never given anew: a pair that nobody has any more costs 40 bytes.
#[derive(Default)]
pub(super) struct Terms {
    /// Bucket `n` holds 2ⁿ pairs, so that nothing ever moves under a reader.
    buckets: [OnceLock<Box<[OnceLock<Pair>]>>; 30],
}

impl Terms {
    /// The pair of a number that [`Terms::set`] was told.
    pub(super) fn get(&self, number: u32) -> Pair {
        let (bucket, at) = place(number);
        let known = self.buckets[bucket].get().and_then(|pairs| pairs[at].get());
        *known.expect("rows carry numbers only after their pairs are set")
    }

    /// Gives the next number to a pair. For writers, who are alone.
    pub(super) fn set(&self, number: u32, pair: Pair) {
        let (bucket, at) = place(number);
        let pairs =
            self.buckets[bucket].get_or_init(|| (0..1usize << bucket).map(|_| OnceLock::new()).collect());
        // The number is new, so its place is empty.
        let _ = pairs[at].set(pair);
    }
}

fn place(number: u32) -> (usize, usize) {
    let from_one = number as usize + 1;
    let bucket = from_one.ilog2() as usize;
    (bucket, from_one - (1 << bucket))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::uuid;

    #[test]
    fn every_number_keeps_its_pair() {
        let terms = Terms::default();
        let pair = |n: u32| (uuid(n.into()).into(), uuid(u128::from(n) + 7).into());
        for number in 0..1_000 {
            terms.set(number, pair(number));
        }
        assert!((0..1_000).all(|number| terms.get(number) == pair(number)));
    }
}
