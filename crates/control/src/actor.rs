//! Who acts, and the one place that says what they may do.

use std::net::IpAddr;

use tollgate_domain::{MemberRole, OperatorRole, OrganizationId, Scope, TokenId, TokenScope, UserId};
use uuid::Uuid;

use crate::{Error, Result};

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Tollgate itself: start-up, jobs.
    System,
    /// Somebody who has not signed in.
    Visitor,
    /// A user on their own account.
    Person {
        /// The user.
        user_id: UserId,
    },
    /// A user in their organization.
    Member {
        /// The user.
        user_id: UserId,
        /// The organization they act in.
        organization_id: OrganizationId,
        /// What they may do there.
        role: MemberRole,
    },
    /// A user who runs the platform.
    Operator {
        /// The user.
        user_id: UserId,
        /// What they may do.
        role: OperatorRole,
    },
    /// A service token of the admin API.
    Token {
        /// The token.
        token_id: TokenId,
        /// What it may do.
        role: OperatorRole,
        /// What it was narrowed to.
        scopes: Scopes,
    },
}

/// What a token was narrowed to; everything where it was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes(Option<u8>);

impl Scopes {
    /// Not narrowed.
    pub const ALL: Self = Self(None);

    /// Narrowed to these; to nothing where there is none.
    #[must_use]
    pub fn of(scopes: &[TokenScope]) -> Self {
        Self(Some(scopes.iter().fold(0, |bits, scope| bits | 1 << *scope as u8)))
    }

    const fn has(self, scope: TokenScope) -> bool {
        match self.0 {
            None => true,
            Some(bits) => bits & (1 << scope as u8) != 0,
        }
    }
}

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// See the platform's own things and every tenant's.
    ReadPlatform,
    /// See the audit log of the platform.
    ReadAudit,
    /// Change what is published: services, APIs, products, plans, certificates.
    Publish,
    /// Change organizations, and what other people's organizations have.
    ManageTenants,
    /// Approve, reject, suspend and end subscriptions of all organizations.
    ManageSubscriptions,
    /// Change who runs the platform: users, operators, tokens.
    ManagePeople,
    /// Say that bills are paid or given up, refund and credit them, agree on grace.
    SettleBills,
    /// Everything else that changes the platform.
    WritePlatform,
    /// See an organization's things.
    ReadOrganization(OrganizationId),
    /// Change an organization's applications, subscriptions and keys.
    WriteOrganization(OrganizationId),
}

/// Who acts, in which request.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Who.
    pub who: Who,
    /// The request that they act in, for the audit log.
    pub request_id: Option<String>,
    /// Where the request came from, for the audit log.
    pub origin: Origin,
}

/// Where a request came from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Through which face.
    pub face: Option<Face>,
    /// From which address.
    pub address: Option<IpAddr>,
    /// Sent by which program, as it called itself; at most 200 characters.
    pub user_agent: Option<String>,
}

/// Through which face somebody acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// The JSON face.
    AdminApi,
    /// The pages, of developers and of admins.
    Portal,
    /// A command on the server.
    Cli,
}

impl Face {
    /// As it stands in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AdminApi => "admin_api",
            Self::Portal => "portal",
            Self::Cli => "cli",
        }
    }
}

impl Origin {
    /// Through a face, from an address, by a program; what the program calls itself is cut to 200 characters.
    #[must_use]
    pub fn new(face: Face, address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let user_agent = user_agent.map(|name| name.chars().take(200).collect());
        Self { face: Some(face), address, user_agent }
    }
}

impl Actor {
    /// Tollgate itself.
    #[must_use]
    pub const fn system() -> Self {
        Self {
            who: Who::System,
            request_id: None,
            origin: Origin { face: None, address: None, user_agent: None },
        }
    }

    /// Somebody, in a request.
    #[must_use]
    pub const fn new(who: Who, request_id: Option<String>) -> Self {
        Self { who, request_id, origin: Origin { face: None, address: None, user_agent: None } }
    }

    /// The same actor, with where the request came from.
    #[must_use]
    pub fn from(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Whether the actor may do something; the answer is the scope of rows that it concerns.
    ///
    /// # Errors
    /// `Unauthenticated` for visitors; `NotFound` for another organization's things, so that nobody learns that
    /// they exist; `Forbidden` where the role is too small.
    pub fn authorize(&self, action: Action) -> Result<Scope> {
        match self.who {
            Who::System => of_operator(action, OperatorRole::Admin, Scopes::ALL),
            Who::Operator { role, .. } => of_operator(action, role, Scopes::ALL),
            Who::Token { role, scopes, .. } => of_operator(action, role, scopes),
            Who::Visitor => Err(Error::Unauthenticated),
            Who::Person { .. } => Err(Error::Forbidden),
            Who::Member { organization_id, role, .. } => match action {
                Action::ReadOrganization(id) | Action::WriteOrganization(id) if id != organization_id => {
                    Err(Error::NotFound("organization"))
                }
                Action::WriteOrganization(_) if role == MemberRole::Viewer => Err(Error::Forbidden),
                Action::ReadOrganization(id) | Action::WriteOrganization(id) => Ok(Scope::Organization(id)),
                _ => Err(Error::Forbidden),
            },
        }
    }

    /// Whether the actor may hand out what these scopes allow: a token that was narrowed gives nobody more than it has.
    ///
    /// # Errors
    /// `Forbidden`.
    pub(crate) fn may_hand_out(&self, wanted: Option<&[TokenScope]>) -> Result<()> {
        let Who::Token { scopes, .. } = self.who else { return Ok(()) };
        let within = match wanted {
            None => scopes == Scopes::ALL,
            Some(wanted) => wanted.iter().all(|scope| scopes.has(*scope)),
        };
        if within { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// Whether there is anything that the actor may change: for faces that refuse before they read a body.
    ///
    /// # Errors
    /// `Unauthenticated` for visitors, `Forbidden` for those who only read.
    pub fn may_write(&self) -> Result<()> {
        match self.who {
            Who::Member { organization_id, .. } => {
                self.authorize(Action::WriteOrganization(organization_id)).map(drop)
            }
            Who::Visitor => Err(Error::Unauthenticated),
            _ => [
                Action::Publish,
                Action::ManageTenants,
                Action::ManageSubscriptions,
                Action::ManagePeople,
                Action::SettleBills,
            ]
            .into_iter()
            .any(|action| self.authorize(action).is_ok())
            .then_some(())
            .ok_or(Error::Forbidden),
        }
    }

    /// The widest scope that the actor may read or, with `write`, change tenants' rows in.
    ///
    /// # Errors
    /// As [`Actor::authorize`].
    pub fn tenants(&self, write: bool) -> Result<Scope> {
        match self.who {
            Who::Member { organization_id, .. } if write => {
                self.authorize(Action::WriteOrganization(organization_id))
            }
            Who::Member { organization_id, .. } => self.authorize(Action::ReadOrganization(organization_id)),
            _ if write => self.authorize(Action::ManageTenants),
            _ => self.authorize(Action::ReadPlatform),
        }
    }

    /// Who acts, where it is somebody with an account.
    pub(crate) const fn user(&self) -> Option<UserId> {
        match self.who {
            Who::Person { user_id } | Who::Member { user_id, .. } | Who::Operator { user_id, .. } => {
                Some(user_id)
            }
            Who::System | Who::Visitor | Who::Token { .. } => None,
        }
    }

    /// For the audit log: kind and id.
    pub(crate) const fn audit_name(&self) -> (&'static str, Option<Uuid>) {
        match self.who {
            Who::System => ("system", None),
            Who::Visitor => ("visitor", None),
            Who::Person { user_id } | Who::Member { user_id, .. } => ("member", Some(user_id.uuid())),
            Who::Operator { user_id, .. } => ("operator", Some(user_id.uuid())),
            Who::Token { token_id, .. } => ("token", Some(token_id.uuid())),
        }
    }
}

/// What those who run the platform may do.
fn of_operator(action: Action, role: OperatorRole, scopes: Scopes) -> Result<Scope> {
    use OperatorRole::{Admin, Auditor, Finance, Publisher};
    let needed = match action {
        Action::ReadPlatform | Action::ReadAudit | Action::ReadOrganization(_) => TokenScope::Read,
        Action::Publish => TokenScope::Publish,
        Action::ManageTenants | Action::ManageSubscriptions | Action::WriteOrganization(_) => {
            TokenScope::Tenants
        }
        Action::ManagePeople => TokenScope::People,
        Action::SettleBills | Action::WritePlatform => TokenScope::People,
    };
    let allowed = match action {
        Action::ReadPlatform | Action::ReadOrganization(_) => true,
        Action::ReadAudit => matches!(role, Admin | Auditor),
        Action::Publish | Action::ManageSubscriptions => matches!(role, Admin | Publisher),
        Action::ManageTenants | Action::WriteOrganization(_) | Action::ManagePeople => role == Admin,
        Action::SettleBills => matches!(role, Admin | Finance) && scopes == Scopes::ALL,
        // Whatever has no name of its own is for tokens that were not narrowed.
        Action::WritePlatform => role == Admin && scopes == Scopes::ALL,
    };
    if !allowed || !scopes.has(needed) {
        return Err(Error::Forbidden);
    }
    Ok(match action {
        Action::ReadOrganization(id) | Action::WriteOrganization(id) => Scope::Organization(id),
        _ => Scope::Operator,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_actor_reaches_exactly_what_it_may() {
        let own = OrganizationId::from(Uuid::from_u128(1));
        let other = OrganizationId::from(Uuid::from_u128(2));
        let user_id = UserId::from(Uuid::from_u128(3));
        let token_id = TokenId::from(Uuid::from_u128(4));
        let member = |role| Who::Member { user_id, organization_id: own, role };
        let actions = [
            Action::ReadPlatform,
            Action::ReadAudit,
            Action::Publish,
            Action::ManageSubscriptions,
            Action::ManageTenants,
            Action::ManagePeople,
            Action::WritePlatform,
            Action::SettleBills,
            Action::ReadOrganization(own),
            Action::WriteOrganization(own),
            Action::ReadOrganization(other),
            Action::WriteOrganization(other),
        ];
        let token = |role, scopes| Who::Token { token_id, role, scopes };
        use OperatorRole::{Admin, Auditor, Finance, Publisher, Support};
        use TokenScope::{People, Publish, Read, Tenants};
        // y allowed, f forbidden, n not found, a unauthenticated
        for (who, expected) in [
            (Who::System, "yyyyyyyyyyyy"),
            (Who::Operator { user_id, role: Admin }, "yyyyyyyyyyyy"),
            (Who::Operator { user_id, role: Publisher }, "yfyyffffyfyf"),
            (Who::Operator { user_id, role: Support }, "yfffffffyfyf"),
            (Who::Operator { user_id, role: Finance }, "yffffffyyfyf"),
            (Who::Operator { user_id, role: Auditor }, "yyffffffyfyf"),
            (token(Admin, Scopes::ALL), "yyyyyyyyyyyy"),
            (token(Auditor, Scopes::ALL), "yyffffffyfyf"),
            (token(Admin, Scopes::of(&[Read])), "yyffffffyfyf"),
            (token(Admin, Scopes::of(&[Read, Publish])), "yyyfffffyfyf"),
            (token(Admin, Scopes::of(&[Tenants])), "fffyyffffyfy"),
            (token(Admin, Scopes::of(&[People])), "fffffyffffff"),
            (token(Support, Scopes::of(&[Read, Publish, Tenants, People])), "yfffffffyfyf"),
            (token(Admin, Scopes::of(&[])), "ffffffffffff"),
            (member(MemberRole::Owner), "ffffffffyynn"),
            (member(MemberRole::Developer), "ffffffffyynn"),
            (member(MemberRole::Viewer), "ffffffffyfnn"),
            (Who::Person { user_id }, "ffffffffffff"),
            (Who::Visitor, "aaaaaaaaaaaa"),
        ] {
            let actor = Actor::new(who, None);
            let found: String = actions
                .iter()
                .map(|action| match actor.authorize(*action) {
                    Ok(_) => 'y',
                    Err(Error::Forbidden) => 'f',
                    Err(Error::NotFound(_)) => 'n',
                    Err(Error::Unauthenticated) => 'a',
                    Err(other) => panic!("unexpected {other:?}"),
                })
                .collect();
            assert_eq!(found, expected, "{who:?}");
        }
    }
}
