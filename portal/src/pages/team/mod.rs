//! The organization's people, and asking others in.

pub mod accept;
pub mod members;

use tollgate_domain::MemberRole;

use crate::say::t;

/// What each role may do, as forms send it, and the key of how it reads.
pub const ROLES: &[(&str, &str)] =
    &[("developer", "team-developer"), ("viewer", "team-viewer"), ("owner", "team-owner")];

/// What a role is called.
#[must_use]
pub fn called(role: MemberRole) -> &'static str {
    match role {
        MemberRole::Owner => t("role-owner"),
        MemberRole::Developer => t("role-developer"),
        MemberRole::Viewer => t("role-viewer"),
    }
}

/// A role that a form sent.
fn role(text: &str) -> Result<MemberRole, tollgate_control::Error> {
    let fault = || tollgate_control::FieldFault::new("/role", "one of the roles offered");
    text.parse().map_err(|_| tollgate_control::Error::Invalid(vec![fault()]))
}
