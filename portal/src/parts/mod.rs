//! What operators' pages are put together from: lists, facts, forms, and the sheet that holds them.
//!
//! A page says what it shows; how that looks, sorts, pages, exports and behaves at phone width is decided once, here and
//! in `templates/parts`.

pub mod asked;
pub mod csv;
pub mod input;
pub mod list;
pub mod sent;
pub mod sheet;
pub mod whole;

pub use asked::Asked;
pub use input::{Fieldset, FormPart, Input};
pub use list::{Cell, List};
pub use sent::{Reader, Sent};
pub use sheet::{Action, Notice, Section, Sheet};
