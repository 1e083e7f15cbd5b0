//! Whose rows a read may see.

use crate::OrganizationId;

/// No read of tenants' rows compiles without one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One tenant's own rows. Another tenant's thing is not found.
    Organization(OrganizationId),
    /// Every row: for operators, after they were authorised.
    Operator,
}

impl Scope {
    /// The tenant that rows are narrowed to; none for operators.
    #[must_use]
    pub const fn organization(self) -> Option<OrganizationId> {
        match self {
            Self::Organization(id) => Some(id),
            Self::Operator => None,
        }
    }
}
