//! `PUT` with a name of the caller's choice: made where it is not there, replaced where it is.

use std::fmt::Display;

use axum::response::Response;
use http::HeaderValue;
use http::header::LOCATION;
use serde::Serialize;
use tollgate_control::{Control, FieldFault, Unit};
use tollgate_domain::Slug;
use tollgate_web::Problem;

use crate::answer;
use crate::auth::Writer;
use crate::path::Named;
use crate::precondition::{OptionalIfMatch, existence};
use crate::problem::{Refusal, invalid};

/// One `PUT`, alone with its name: two that would make the same thing take turns, and the second replaces.
pub struct Put {
    unit: Unit,
    condition: OptionalIfMatch,
}

impl Put {
    /// Begins; waits for its turn.
    pub async fn begin(
        writer: &Writer,
        kind: &str,
        slug: &Slug,
        condition: OptionalIfMatch,
    ) -> Result<Self, Refusal> {
        let unit = writer.control.open_unit().await?;
        unit.take_turn(&format!("{kind} {slug}")).await?;
        Ok(Self { unit, condition })
    }

    /// The brain inside the transaction.
    pub const fn control(&self) -> &Control {
        self.unit.control()
    }

    /// Before something that is there is replaced: the version that it must have, if any.
    pub fn replaces(&self) -> Result<Option<i64>, Refusal> {
        match self.condition.must_be_new {
            true => Err(existence("It exists already.").into()),
            false => Ok(self.condition.version),
        }
    }

    /// Before something is made: it must carry the slug that the path names.
    pub fn creates<T>(&self, name: &Named<T>, slug: &Slug) -> Result<(), Refusal> {
        match name {
            Named::Id(_) => Err(Problem::not_found().into()),
            Named::Slug(_) if self.condition.must_exist => Err(existence("It does not exist.").into()),
            Named::Slug(named) if named != slug => {
                let fault = FieldFault::new(
                    "/slug",
                    format!("\"{named}\", as in the path: there is nothing to rename"),
                );
                Err(invalid(vec![fault]).into())
            }
            Named::Slug(_) => Ok(()),
        }
    }

    /// Makes it last.
    pub async fn finish(self) -> Result<(), Refusal> {
        Ok(self.unit.commit().await?)
    }
}

/// 201 or 200, with the thing and its tag.
pub fn answered(
    created: bool,
    collection: &str,
    id: impl Display,
    version: i64,
    body: impl Serialize,
) -> Response {
    if created {
        return answer::tagged(version, answer::created(collection, id, body));
    }
    let mut response = answer::tagged(version, answer::ok(body));
    let location =
        HeaderValue::from_str(&format!("/v1/{collection}/{id}")).expect("ids are letters and digits");
    response.headers_mut().insert(http::header::CONTENT_LOCATION, location);
    debug_assert!(!response.headers().contains_key(LOCATION));
    response
}
