//! Sharing an amount out so that the parts make up the whole.

/// Shares `total` out by weight: each part is its exact share rounded up or down, and all of them add up to `total`
/// (largest remainders get what is left over, earlier ones first). Without any weight the first part has it all.
#[must_use]
pub fn apportion(total: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if sum == 0 {
        let mut parts = vec![0; weights.len()];
        if let Some(first) = parts.first_mut() {
            *first = total;
        }
        return parts;
    }
    let exact = |weight: &u64| u128::from(total) * u128::from(*weight);
    let mut parts: Vec<u64> =
        weights.iter().map(|weight| u64::try_from(exact(weight) / sum).unwrap_or(u64::MAX)).collect();
    let given: u64 = parts.iter().sum();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|index| std::cmp::Reverse(exact(&weights[*index]) % sum));
    let left = usize::try_from(total - given).unwrap_or(usize::MAX);
    for index in by_remainder.into_iter().take(left) {
        parts[index] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_left_over_goes_to_the_largest_remainders() {
        assert_eq!(apportion(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(apportion(10, &[5, 0, 1]), [8, 0, 2]);
        assert_eq!(apportion(7, &[0, 0]), [7, 0]);
        assert_eq!(apportion(7, &[]), [0u64; 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn parts_make_up_the_whole_and_none_is_off_by_one(
            total in 0..u64::MAX,
            weights in prop::collection::vec(0..u64::MAX / 64, 1..40),
        ) {
            let parts = apportion(total, &weights);
            prop_assert_eq!(parts.iter().map(|part| u128::from(*part)).sum::<u128>(), u128::from(total));
            let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let floor = (u128::from(total) * u128::from(*weight)).checked_div(sum);
                prop_assert!(floor.is_none_or(|floor| [floor, floor + 1].contains(&u128::from(*part))));
            }
        }
    }
}
