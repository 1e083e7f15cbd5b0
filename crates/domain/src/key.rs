//! What kind of traffic a credential is for.

use serde::{Deserialize, Serialize};

/// The environment a credential belongs to; it is spelled out inside the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Real traffic.
    Live,
    /// Sandbox traffic.
    Test,
}

impl Environment {
    /// As it stands in a key and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

impl TryFrom<String> for Environment {
    type Error = crate::state::UnknownState;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl std::str::FromStr for Environment {
    type Err = crate::state::UnknownState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "live" => Ok(Self::Live),
            "test" => Ok(Self::Test),
            other => Err(crate::state::UnknownState(other.to_owned())),
        }
    }
}
