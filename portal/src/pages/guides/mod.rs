//! Guides and the changelog.

pub mod changelog;
pub mod list;
pub mod show;
