//! Which object stands where in an OpenAPI document: one table for checking, resolving and lifting.

use serde_json::Value;

/// The specification that a text was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Swagger 2.0.
    V2,
    /// OpenAPI 3.0.
    V30,
    /// OpenAPI 3.1.
    V31,
}

impl Dialect {
    /// As people say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "Swagger 2.0",
            Self::V30 => "OpenAPI 3.0",
            Self::V31 => "OpenAPI 3.1",
        }
    }
}

/// An object of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    Root,
    Info,
    Server,
    Tag,
    Paths,
    PathItem,
    Operation,
    Parameter,
    Header,
    RequestBody,
    Media,
    Encoding,
    Responses,
    Response,
    Schema,
    Components,
    Security,
    Link,
    Callback,
    Example,
}

/// What is expected at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    One(Node),
    Map(Node),
    List(Node),
    Text,
    Texts,
    Flag,
    Any,
}

/// Methods that an operation can have.
pub(crate) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

impl Node {
    /// Whether `$ref` in it is a reference, rather than a key like others.
    pub(crate) const fn takes_reference(self) -> bool {
        use Node::{
            Callback, Example, Header, Link, Parameter, PathItem, RequestBody, Response, Schema, Security,
        };
        matches!(
            self,
            PathItem
                | Parameter
                | Header
                | RequestBody
                | Response
                | Schema
                | Security
                | Link
                | Callback
                | Example
        )
    }

    /// What stands under a key of this object.
    pub(crate) fn child(self, dialect: Dialect, key: &str) -> Kind {
        use Kind::{Any, Flag, List, Map, One, Text, Texts};
        if self != Self::Schema && key.starts_with("x-") {
            return Any;
        }
        let old = dialect == Dialect::V2;
        match (self, key) {
            (Self::Root, "info") => One(Node::Info),
            (Self::Root, "paths") => One(Node::Paths),
            (Self::Root, "tags") => List(Node::Tag),
            (Self::Root, "definitions") if old => Map(Node::Schema),
            (Self::Root, "parameters") if old => Map(Node::Parameter),
            (Self::Root, "responses") if old => Map(Node::Response),
            (Self::Root, "securityDefinitions") if old => Map(Node::Security),
            (Self::Root, "host" | "basePath") if old => Text,
            (Self::Root | Self::Operation, "schemes" | "consumes" | "produces") if old => Texts,
            (Self::Root, "webhooks") if !old => Map(Node::PathItem),
            (Self::Root, "components") if !old => One(Node::Components),
            (Self::Root | Self::PathItem | Self::Operation, "servers") if !old => List(Node::Server),
            (Self::Info, "title" | "version" | "description" | "summary")
            | (Self::Server, "url" | "description")
            | (Self::Tag, "name" | "description") => Text,
            (Self::Paths | Self::Callback, _) => One(Node::PathItem),
            (Self::PathItem, "summary" | "description") => Text,
            (Self::PathItem | Self::Operation, "parameters") => List(Node::Parameter),
            (Self::PathItem, method) if METHODS.contains(&method) => One(Node::Operation),
            (Self::Operation, "operationId" | "summary" | "description") => Text,
            (Self::Operation, "tags") => Texts,
            (Self::Operation, "deprecated") => Flag,
            (Self::Operation, "requestBody") if !old => One(Node::RequestBody),
            (Self::Operation, "responses") => One(Node::Responses),
            (Self::Operation, "callbacks") if !old => Map(Node::Callback),
            (Self::Parameter, "name" | "in" | "description") | (Self::Header, "description") => Text,
            (Self::Parameter | Self::Header, "required" | "deprecated") => Flag,
            (Self::Parameter, "schema") | (Self::Header | Self::Media, "schema") => One(Node::Schema),
            (Self::Parameter | Self::Header, "items") if old => One(Node::Schema),
            (Self::Parameter | Self::Header | Self::RequestBody | Self::Response, "content") if !old => {
                Map(Node::Media)
            }
            (Self::Parameter | Self::Header | Self::Media, "examples") if !old => Map(Node::Example),
            (Self::RequestBody | Self::Response | Self::Security | Self::Example, "description") => Text,
            (Self::RequestBody, "required") => Flag,
            (Self::Media, "encoding") => Map(Node::Encoding),
            (Self::Encoding | Self::Response, "headers") => Map(Node::Header),
            (Self::Responses, _) => One(Node::Response),
            (Self::Response, "schema") if old => One(Node::Schema),
            (Self::Response, "links") if !old => Map(Node::Link),
            (Self::Link, "server") => One(Node::Server),
            (Self::Security, "type") => Text,
            (Self::Components, part) => component(part),
            (Self::Schema, key) => schema(key),
            _ => Any,
        }
    }
}

fn component(part: &str) -> Kind {
    Kind::Map(match part {
        "schemas" => Node::Schema,
        "responses" => Node::Response,
        "parameters" => Node::Parameter,
        "examples" => Node::Example,
        "requestBodies" => Node::RequestBody,
        "headers" => Node::Header,
        "securitySchemes" => Node::Security,
        "links" => Node::Link,
        "callbacks" => Node::Callback,
        "pathItems" => Node::PathItem,
        _ => return Kind::Any,
    })
}

fn schema(key: &str) -> Kind {
    match key {
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
            Kind::Map(Node::Schema)
        }
        "items"
        | "additionalProperties"
        | "not"
        | "if"
        | "then"
        | "else"
        | "contains"
        | "propertyNames"
        | "unevaluatedItems"
        | "unevaluatedProperties"
        | "contentSchema" => Kind::One(Node::Schema),
        "allOf" | "oneOf" | "anyOf" | "prefixItems" => Kind::List(Node::Schema),
        "title" | "description" | "format" | "pattern" => Kind::Text,
        _ => Kind::Any,
    }
}

impl Kind {
    /// What is expected here, where `value` is something else.
    pub(crate) fn refuses(self, value: &Value) -> Option<&'static str> {
        let (fits, expected) = match self {
            // Both are schemas since JSON Schema's draft 6, and `additionalProperties` always took them.
            Self::One(Node::Schema) => (value.is_object() || value.is_boolean(), "a schema (an object)"),
            Self::One(_) | Self::Map(_) => (value.is_object(), "an object"),
            Self::List(_) => (value.is_array(), "a list"),
            Self::Texts => {
                (value.as_array().is_some_and(|l| l.iter().all(Value::is_string)), "a list of texts")
            }
            Self::Text => (value.is_string(), "a text"),
            Self::Flag => (value.is_boolean(), "true or false"),
            Self::Any => (true, ""),
        };
        (!fits).then_some(expected)
    }
}
