//! The developer portal: how it looks, and the publisher's own pages in it.

pub mod look;
pub mod pages;
