//! A plan's limits as they are read from its row: one that this release cannot read takes no page down with it.

use serde_json::Value;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::types::Json;
use sqlx::{Decode, Postgres, Type};
use tollgate_domain::Limit;

/// The list as it stands in the database.
#[derive(Debug)]
pub(crate) struct Written(Vec<Value>);

impl Type<Postgres> for Written {
    fn type_info() -> PgTypeInfo {
        <Json<Value> as Type<Postgres>>::type_info()
    }

    fn compatible(info: &PgTypeInfo) -> bool {
        <Json<Value> as Type<Postgres>>::compatible(info)
    }
}

impl<'r> Decode<'r, Postgres> for Written {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        // The database checks that it is a list.
        Ok(Self(<Json<Vec<Value>> as Decode<'r, Postgres>>::decode(value)?.0))
    }
}

impl From<Written> for Vec<Limit> {
    /// Those that can be read.
    fn from(Written(list): Written) -> Self {
        list.into_iter().filter_map(|one| serde_json::from_value(one).ok()).collect()
    }
}

impl From<Written> for bool {
    /// Whether all can be read.
    fn from(Written(list): Written) -> Self {
        list.into_iter().all(|one| serde_json::from_value::<Limit>(one).is_ok())
    }
}
