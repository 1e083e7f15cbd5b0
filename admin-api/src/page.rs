//! Lists in pages: `limit`, an opaque `cursor`, `sort`, `q`, filters, and `{data, next_cursor}`.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use tollgate_store::{Column, Listing as Rows, Page, Place, SortBy, Wanted};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::Refusal;
use crate::query::Params;

const LIMIT_DEFAULT: usize = 50;
/// The longest page.
pub const LIMIT_MAX: usize = 200;
const SEARCH_CHARS_MAX: usize = 100;
const CURSOR: &str = "a next_cursor of this list in this order, unchanged";

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listing<T> {
    /// The things of this page, in the order that was asked for.
    pub data: Vec<T>,
    /// What to send as `cursor` for the next page; `null` on the last.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Which page is asked for, of a list that has one order only.
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

/// What a row is placed by.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its name; empty where it has none.
    pub name: &'a str,
    /// Its slug; empty where it has none.
    pub slug: &'a str,
}

/// Which part of a list is asked for, in which order.
#[derive(Debug, Clone)]
pub struct ListQuery {
    rows: Rows,
    limit: usize,
}

impl ListQuery {
    /// Takes `sort`, `q`, `limit` and `cursor` out; `sorts` are the fields beside `created_at` that it can be sorted by.
    pub fn take(params: &mut Params, sorts: &[SortBy], searched: bool) -> Result<Self, Refusal> {
        let (sort, descending) = params
            .take(
                "sort",
                "created_at, or another field of the list, with - before it to begin at the end",
                |text| {
                    let (word, descending) =
                        text.strip_prefix('-').map_or((text, false), |word| (word, true));
                    let sort = match word {
                        "created_at" => SortBy::Created,
                        "name" => SortBy::Name,
                        "slug" => SortBy::Slug,
                        _ => return None,
                    };
                    (sort == SortBy::Created || sorts.contains(&sort)).then_some((sort, descending))
                },
            )?
            .unwrap_or_default();
        let search = match searched {
            true => params.take("q", "1 to 100 characters", |text| {
                let length = text.trim().chars().count();
                ((1..=SEARCH_CHARS_MAX).contains(&length) && !text.contains('\0'))
                    .then(|| text.trim().to_owned())
            })?,
            false => None,
        };
        let after = params.take("cursor", CURSOR, |text| place(text, sort != SortBy::Created))?;
        let limit = take_limit(params)?;
        let rows = Rows { search, filters: Vec::new(), sort, descending, after, limit: limit as i64 + 1 };
        Ok(Self { rows, limit })
    }

    /// Takes a filter by id out, named after its field.
    pub fn by_id<T: FromStr + Into<Uuid>>(
        mut self,
        params: &mut Params,
        name: &'static str,
        column: Column,
    ) -> Result<Self, Refusal> {
        if let Some(id) = params.id::<T>(name)? {
            self.rows.filters.push((column, Wanted::Id(id.into())));
        }
        Ok(self)
    }

    /// Takes a filter by words out: one of the field's, or several by commas.
    pub fn by_word<T: FromStr>(
        mut self,
        params: &mut Params,
        name: &'static str,
        column: Column,
    ) -> Result<Self, Refusal> {
        let words = params.take(name, "one of the field's values, or several by commas", |text| {
            let words: Option<Vec<String>> =
                text.split(',').map(|word| word.parse::<T>().ok().map(|_| word.to_owned())).collect();
            words.filter(|words| words.len() <= 10)
        })?;
        if let Some(words) = words {
            self.rows.filters.push((column, Wanted::Words(words)));
        }
        Ok(self)
    }

    /// What to ask the store for: one row more than is shown tells whether there is another page.
    pub const fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The page, made from the rows that came.
    pub fn listing<R, T>(
        &self,
        mut rows: Vec<R>,
        named: impl Fn(&R) -> Named<'_>,
        view: impl Fn(R) -> T,
    ) -> Listing<T> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next_cursor = rows.last().filter(|_| more).map(|row| {
            let named = named(row);
            let text = match self.rows.sort {
                SortBy::Created => "",
                SortBy::Name => named.name,
                SortBy::Slug => named.slug,
            };
            URL_SAFE_NO_PAD.encode([named.id.as_bytes(), text.as_bytes()].concat())
        });
        Listing { data: rows.into_iter().map(view).collect(), next_cursor }
    }
}

fn place(text: &str, with_text: bool) -> Option<Place> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (id, rest) = bytes.split_first_chunk::<16>()?;
    let text = String::from_utf8(rest.to_vec()).ok()?;
    (with_text != text.is_empty() && !text.contains('\0')).then(|| Place { id: Uuid::from_bytes(*id), text })
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
    #[param(pattern = "^[A-Za-z0-9_-]{22,800}$")]
    cursor: Option<String>,
}
