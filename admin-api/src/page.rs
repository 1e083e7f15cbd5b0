//! Lists in pages: `limit`, an opaque `cursor`, and `{data, next_cursor}`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use tollgate_store::Page;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::Refusal;
use crate::query::Params;

const LIMIT_DEFAULT: usize = 50;
/// The longest page.
pub const LIMIT_MAX: usize = 200;

/// One page, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listing<T> {
    /// The things of this page, oldest first.
    pub data: Vec<T>,
    /// What to send as `cursor` for the next page; `null` on the last.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Which page is asked for.
#[derive(Debug, Clone, Copy)]
pub struct PageQuery {
    after: Option<Uuid>,
    limit: usize,
}

impl PageQuery {
    /// Takes `limit` and `cursor` out of the parameters.
    pub fn take(params: &mut Params) -> Result<Self, Refusal> {
        let after = params.take("cursor", "a next_cursor of this list, unchanged", |text| {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            Uuid::from_slice(&bytes).ok()
        })?;
        Ok(Self { after, limit: take_limit(params)? })
    }

    /// What to ask the store for: one row more than is shown tells whether there is another page.
    pub fn rows(self) -> Page {
        Page { after: self.after, limit: self.limit as i64 + 1 }
    }

    /// What the store would have given, out of rows that it gave whole: they are sorted by id.
    pub fn cut<R>(self, mut rows: Vec<R>, id: impl Fn(&R) -> Uuid) -> Vec<R> {
        rows.retain(|row| self.after.is_none_or(|after| id(row) > after));
        rows.truncate(self.limit + 1);
        rows
    }

    /// The page, made from the rows that came.
    pub fn listing<R, T>(
        self,
        mut rows: Vec<R>,
        id: impl Fn(&R) -> Uuid,
        view: impl Fn(R) -> T,
    ) -> Listing<T> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next_cursor = rows.last().filter(|_| more).map(|row| URL_SAFE_NO_PAD.encode(id(row)));
        Listing { data: rows.into_iter().map(view).collect(), next_cursor }
    }
}

/// Takes `limit` out.
pub fn take_limit(params: &mut Params) -> Result<usize, Refusal> {
    let limit = params.take("limit", "a whole number from 1 to 200", |text| {
        text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit))
    })?;
    Ok(limit.unwrap_or(LIMIT_DEFAULT))
}

/// `limit` and `cursor`, for the OpenAPI document.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub struct PageParams {
    /// How many things to answer at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// `next_cursor` of the page before, unchanged; absent for the first page.
    #[param(pattern = "^[A-Za-z0-9_-]{21}[AQgw]$")]
    cursor: Option<String>,
}
