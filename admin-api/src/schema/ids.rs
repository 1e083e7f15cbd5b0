//! Typed ids, slugs and documents as schemas.

use std::borrow::Cow;

use tollgate_domain as domain;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! id_schemas {
    ($($name:ident = $id:ident, $what:literal;)+) => {$(
        #[doc = concat!("Schema of ", $what, "'s id.")]
        #[derive(Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let prefix = domain::$id::PREFIX;
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!("The id of ", $what, ".")))
                    .pattern(Some(format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")))
                    .examples([format!("{prefix}_01ks2v8d3tf5cs9y0v3jq1q7zb")])
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )+};
}

id_schemas! {
    ServiceId = ServiceId, "a service";
    ApiId = ApiId, "an API";
    RouteId = RouteId, "a route";
    ProductId = ProductId, "a product";
    PlanId = PlanId, "a plan";
    OrganizationId = OrganizationId, "an organization";
    ApplicationId = ApplicationId, "an application";
    SubscriptionId = SubscriptionId, "a subscription";
    KeyId = CredentialId, "a key";
}

/// Schema of a slug.
#[derive(Debug)]
pub struct Slug;

impl PartialSchema for Slug {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A name for URLs and headers: 1 to 64 of a-z, 0-9 and inner hyphens."))
            .pattern(Some("^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"))
            .examples(["countries"])
            .into()
    }
}

impl ToSchema for Slug {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Slug")
    }
}

/// Schema of an OpenAPI document inside a body.
#[derive(Debug)]
pub struct Document;

impl PartialSchema for Document {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().schema_type(Type::Object).description(Some("As it is."));
        let text =
            ObjectBuilder::new().schema_type(Type::String).description(Some("Its text, JSON or YAML."));
        OneOfBuilder::new()
            .description(Some("An OpenAPI document: 3.1, 3.0 or Swagger 2."))
            .item(object)
            .item(text)
            .into()
    }
}

impl ToSchema for Document {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Document")
    }
}
