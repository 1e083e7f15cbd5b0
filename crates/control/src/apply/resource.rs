//! What the kinds of declared things have in common, and where they stand in a state.

use serde::Serialize;
use tollgate_domain::declared::{Api, Plan, Product, Service};
use tollgate_domain::{Page, Policies, Portal};

/// One declared thing.
pub trait Resource: Serialize {
    /// Like `plan`.
    const KIND: &'static str;
    /// What it is found by: a slug, or `product/slug` for plans.
    fn name(&self) -> String;
}

impl Resource for Service {
    const KIND: &'static str = "service";
    fn name(&self) -> String {
        self.slug.to_string()
    }
}

impl Resource for Api {
    const KIND: &'static str = "api";
    fn name(&self) -> String {
        self.slug.to_string()
    }
}

impl Resource for Product {
    const KIND: &'static str = "product";
    fn name(&self) -> String {
        self.slug.to_string()
    }
}

impl Resource for Plan {
    const KIND: &'static str = "plan";
    fn name(&self) -> String {
        format!("{}/{}", self.product, self.slug)
    }
}

impl Resource for Policies {
    const KIND: &'static str = "policies";
    fn name(&self) -> String {
        "of all calls".to_owned()
    }
}

impl Resource for Portal {
    const KIND: &'static str = "portal";
    fn name(&self) -> String {
        "look".to_owned()
    }
}

impl Resource for Page {
    const KIND: &'static str = "page";
    fn name(&self) -> String {
        self.slug.to_string()
    }
}

/// JSON Pointer of a declared thing inside its state, like `/plans/0`.
pub fn pointer(kind: &str, index: usize) -> String {
    let plural = if kind.ends_with('s') { "" } else { "s" };
    format!("/{kind}{plural}/{index}")
}
