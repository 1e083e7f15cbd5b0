//! What the organization's plans allow, and how much of it is used.

pub mod overview;
