//! A part of a period.

/// How much of a period something lasted, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    part: u64,
    whole: u64,
}

impl Share {
    /// The whole period.
    pub const WHOLE: Self = Self { part: 1, whole: 1 };

    /// So many seconds of so many; never more than the whole. A period without length is whole.
    #[must_use]
    pub const fn of(part: u64, whole: u64) -> Self {
        if whole == 0 {
            return Self::WHOLE;
        }
        Self { part: if part < whole { part } else { whole }, whole }
    }

    pub(crate) const fn parts(self) -> (u64, u64) {
        (self.part, self.whole)
    }

    /// This share of an amount, to the nearest minor unit, half up.
    #[must_use]
    pub fn of_amount(self, minor: u64) -> u64 {
        let (part, whole) = (u128::from(self.part), u128::from(self.whole));
        let doubled = 2 * u128::from(minor) * part + whole;
        u64::try_from(doubled / (2 * whole)).unwrap_or(u64::MAX)
    }

    /// This share of an allowance, rounded up in favour of who has it.
    #[must_use]
    pub fn of_allowance(self, units: u64) -> u64 {
        let share = (u128::from(units) * u128::from(self.part)).div_ceil(u128::from(self.whole));
        u64::try_from(share).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_period_is_half_the_price_and_half_the_allowance() {
        let half = Share::of(15, 30);
        assert_eq!((half.of_amount(2_000), half.of_amount(1), half.of_allowance(1_001)), (1_000, 1, 501));
        assert_eq!(Share::of(40, 30).of_amount(2_000), 2_000);
        assert_eq!(Share::of(1, 0).of_amount(2_000), 2_000);
        assert_eq!(Share::of(0, 30).of_allowance(1_000), 0);
    }
}
