//! Lists of names that every field is looked up in.

/// Names of fields by their length: most fields are none of a list already by theirs.
pub(super) struct Names<const N: usize> {
    names: [&'static str; N],
    /// Where the names of each length begin.
    begins: [u8; LENGTHS + 1],
}

/// Longer than any name of a list.
const LENGTHS: usize = 32;

impl<const N: usize> Names<N> {
    /// The shortest names first.
    pub(super) const fn sorted(names: [&'static str; N]) -> Self {
        let mut begins = [0; LENGTHS + 1];
        let (mut length, mut at) = (0, 0);
        while length <= LENGTHS {
            while at < N && names[at].len() < length {
                at += 1;
            }
            begins[length] = at as u8;
            length += 1;
        }
        assert!(at == N, "the names are sorted by their length");
        Self { names, begins }
    }

    /// Those as long as this one.
    pub(super) fn as_long_as(&self, name: &[u8]) -> &[&'static str] {
        match self.begins.get(name.len()..name.len() + 2) {
            Some(&[from, to]) => &self.names[usize::from(from)..usize::from(to)],
            _ => &[],
        }
    }
}
