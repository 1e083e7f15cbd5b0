//! Trees of paths that only calls with certain fields can reach.

use tollgate_domain::HeaderMatch;

use crate::rules::Whence;

/// What a call must say to reach an API, in the order of the names; mostly nothing.
pub(crate) type Conditions = Box<[HeaderMatch]>;

type Tree = matchit::Router<u32>;
type Values = Box<[Box<[u8]>]>;

/// The trees of one host, or of any.
#[derive(Debug, Default)]
pub(super) struct Trees {
    /// Those that ask for more come first.
    conditional: Vec<Conditional>,
    plain: Tree,
}

/// Trees that are told apart by the values of the same fields.
#[derive(Debug)]
struct Conditional {
    names: Box<[Box<str>]>,
    /// By their values, in order.
    trees: Vec<(Values, Tree)>,
}

impl Trees {
    /// The trees that a call may be looked for in, in that order.
    pub(super) fn open_to(&self, whence: &dyn Whence) -> impl Iterator<Item = &Tree> {
        self.conditional.iter().filter_map(|one| one.of(whence)).chain([&self.plain])
    }

    /// Adds the tree of a set of conditions that has none yet.
    pub(super) fn add(&mut self, conditions: &[HeaderMatch], tree: Tree) {
        if conditions.is_empty() {
            self.plain = tree;
            return;
        }
        let names: Box<[Box<str>]> = conditions.iter().map(|one| one.name.as_str().into()).collect();
        let values: Values = conditions.iter().map(|one| one.value.as_bytes().into()).collect();
        let rank = |names: &[Box<str>]| (usize::MAX - names.len(), names.to_vec());
        let place = self.conditional.binary_search_by_key(&rank(&names), |one| rank(&one.names));
        let place = place.unwrap_or_else(|place| {
            self.conditional.insert(place, Conditional { names, trees: Vec::new() });
            place
        });
        let trees = &mut self.conditional[place].trees;
        let at = trees.partition_point(|(earlier, _)| *earlier < values);
        trees.insert(at, (values, tree));
    }
}

impl Conditional {
    /// The tree of the values that a call has; none where it lacks a field, or has one twice.
    fn of(&self, whence: &dyn Whence) -> Option<&Tree> {
        let mut given = [&[][..]; HeaderMatch::PER_API_MAX];
        for (value, name) in given.iter_mut().zip(&self.names) {
            *value = whence.field(name)?;
        }
        let given = &given[..self.names.len()];
        let compare = |values: &[Box<[u8]>]| values.iter().map(|value| &**value).cmp(given.iter().copied());
        let at = self.trees.binary_search_by(|(values, _)| compare(values)).ok()?;
        Some(&self.trees[at].1)
    }
}

/// Whether a call could meet both of two sets that ask for equally much: nobody could say whose it is.
pub(super) fn is_ambiguous(one: &[HeaderMatch], other: &[HeaderMatch]) -> bool {
    let excludes = |a: &HeaderMatch, b: &HeaderMatch| a.name == b.name && a.value != b.value;
    one.len() == other.len() && one != other && !one.iter().any(|a| other.iter().any(|b| excludes(a, b)))
}
