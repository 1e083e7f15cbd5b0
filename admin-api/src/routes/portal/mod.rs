//! The developer portal: how it looks, the publisher's own pages in it, and what its status page tells.

pub mod incidents;
pub mod look;
pub mod pages;
