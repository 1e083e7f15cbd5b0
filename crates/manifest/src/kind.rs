//! The kinds of resources and their fields: one table for reading, writing and the JSON Schema.

mod plan;
mod policies;

pub use plan::PLAN;
pub use policies::POLICIES;
use tollgate_domain::{
    ApiState, Currency, HeaderMatch, Metering, ProductState, ServiceProtocol, Slug, StartingTheme, Visibility,
};

/// One kind of resource.
pub struct Kind {
    /// As `kind:` says it.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Its fields, in the order they are written.
    pub fields: &'static [Field],
}

impl Kind {
    /// What the list of them is called in a state.
    pub fn is_listed_as(&self, list: &str) -> bool {
        list == self.name || list.strip_suffix('s') == Some(self.name)
    }
}

/// One field of a resource.
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// What stands there.
    pub shape: Shape,
    /// What holds where it is left out.
    pub absent: Absent,
}

/// What a missing field means.
#[derive(Clone, Copy)]
pub enum Absent {
    /// A fault.
    Refused,
    /// This JSON; written only where it differs.
    Is(&'static str),
    /// This JSON; written all the same, because readers want to see it.
    IsButShown(&'static str),
    /// Nothing at all.
    Nothing,
}

/// What may stand in a field.
pub enum Shape {
    /// Text on one line, so many characters at most.
    Line(usize),
    /// Text of so many characters at most.
    Prose(usize),
    /// Text that this regular expression describes; who enforces it is the platform.
    Pattern(&'static str),
    /// A name in URLs and files.
    Slug,
    /// The slug of a resource of this kind.
    Reference(&'static str),
    /// An ISO 4217 code.
    Currency,
    /// A whole number, both ends included.
    Whole(u64, u64),
    /// Yes or no.
    Bool,
    /// One of a few words.
    Word(fn() -> Vec<&'static str>),
    /// A list of at most so many.
    List(&'static Shape, usize),
    /// A mapping.
    Object(&'static [Field]),
    /// An OpenAPI document: a file's path, or the document itself.
    Document,
}

const fn field(name: &'static str, shape: Shape, absent: Absent, doc: &'static str) -> Field {
    Field { name, doc, shape, absent }
}

const SLUG: Field =
    field("slug", Shape::Slug, Absent::Refused, "Its name in URLs and files. Renaming makes another one.");
const NAME: Field = field("name", Shape::Line(120), Absent::Refused, "Its name for people.");
const SUMMARY: Field = field("summary", Shape::Line(500), Absent::Is("\"\""), "One sentence.");

/// Every kind, in the order they depend on each other.
pub const KINDS: &[Kind] = &[SERVICE, API, PRODUCT, PLAN, POLICIES, PORTAL, PAGE];

/// A system we forward to.
pub const SERVICE: Kind = Kind {
    name: "service",
    doc: "A system that calls are forwarded to.",
    fields: &[
        SLUG,
        NAME,
        field(
            "connect_timeout_ms",
            Shape::Whole(1, 60_000),
            Absent::Is("2000"),
            "Milliseconds to open a connection.",
        ),
        field(
            "read_timeout_ms",
            Shape::Whole(1, 3_600_000),
            Absent::Is("30000"),
            "Milliseconds to wait for bytes of an answer.",
        ),
        field(
            "protocol",
            Shape::Word(|| ServiceProtocol::ALL.iter().map(|word| word.as_str()).collect()),
            Absent::Is("\"h1\""),
            "How it is spoken to: h1 is HTTP/1.1, h2 HTTP/2 over TLS, h2c HTTP/2 without TLS. gRPC needs h2 or h2c.",
        ),
        field(
            "targets",
            Shape::List(&Shape::Object(TARGET), 64),
            Absent::Refused,
            "Its addresses, in order.",
        ),
    ],
};

const TARGET: &[Field] = &[
    field(
        "url",
        Shape::Pattern("^https?://[^?#@]+$"),
        Absent::Refused,
        "http or https, host, and where needed port and path. Never a user or password.",
    ),
    field(
        "weight",
        Shape::Whole(0, 1_000),
        Absent::Is("100"),
        "Its share of the calls, relative to its siblings; 0 takes none.",
    ),
];

/// What is published.
pub const API: Kind = Kind {
    name: "api",
    doc: "What is published: an OpenAPI document, and the service that answers.",
    fields: &[
        SLUG,
        NAME,
        SUMMARY,
        field("service", Shape::Reference("service"), Absent::Refused, "The service that calls go to."),
        field(
            "hosts",
            Shape::List(&Shape::Line(253), 32),
            Absent::Is("[]"),
            "Hosts it answers on, without port. Empty means any.",
        ),
        field(
            "base_path",
            Shape::Pattern("^(/[A-Za-z0-9._~-]+)*$"),
            Absent::Is("\"\""),
            "What stands before every path: empty, or /segments without a final slash.",
        ),
        field(
            "match_headers",
            Shape::List(&Shape::Object(HEADER_MATCH), HeaderMatch::PER_API_MAX),
            Absent::Is("[]"),
            "Fields that a call must have to be this API's, beside host and path; all of them. So two versions live at one address.",
        ),
        field(
            "state",
            Shape::Word(|| ApiState::ALL.iter().map(|state| state.as_str()).collect()),
            Absent::IsButShown("\"draft\""),
            "Where it stands in its life. Gateways serve what is published or deprecated.",
        ),
        field(
            "sunset_at",
            Shape::Pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"),
            Absent::Nothing,
            "When a deprecated API stops being served, in UTC and in quotes, like \"2027-06-30T00:00:00Z\".",
        ),
        field(
            "successor",
            Shape::Reference("api"),
            Absent::Nothing,
            "The API that takes the place of a deprecated or retired one; callers are led to it.",
        ),
        field(
            "metering",
            Shape::Object(METERING),
            Absent::Is(r#"{"charged":[],"costs":[],"readings":[]}"#),
            "How its calls are metered: which are charged, what each costs, which numbers their answers carry.",
        ),
        field(
            "policies",
            Shape::Object(policies::OF_API),
            Absent::Is(r#"{"rates":[],"networks":[],"operations":[]}"#),
            "What its calls are held to, besides what all are and what their plan says.",
        ),
        field(
            "document",
            Shape::Document,
            Absent::Nothing,
            "Its OpenAPI document (3.1, 3.0 or Swagger 2): a file beside this one, or the document itself. The API \
             gets exactly its operations. Without one, the document in force stays.",
        ),
    ],
};

const HEADER_MATCH: &[Field] = &[
    field(
        "name",
        Shape::Pattern("^[A-Za-z0-9-]{1,64}$"),
        Absent::Refused,
        "The field's name, like X-API-Version.",
    ),
    field(
        "value",
        Shape::Line(200),
        Absent::Refused,
        "Its value, letter for letter, in quotes where it is a number.",
    ),
];

const METERING: &[Field] = &[
    field(
        "charged",
        Shape::List(&Shape::Pattern("^([234]xx|[234][0-9]{2})$"), 32),
        Absent::Is("[]"),
        "Statuses of the upstream's answers that are charged, like 2xx or 404. Empty means all below 500.",
    ),
    field(
        "costs",
        Shape::List(&Shape::Object(COST), Metering::COSTS_MAX),
        Absent::Is("[]"),
        "Operations whose calls cost more or less than one unit of a quota.",
    ),
    field(
        "readings",
        Shape::List(&Shape::Object(READING), Metering::READINGS_MAX),
        Absent::Is("[]"),
        "Numbers read from answers, each a meter of its own.",
    ),
];

const COST: &[Field] = &[
    field("method", Shape::Line(16), Absent::Refused, "Upper-case method."),
    field("path", Shape::Line(2_000), Absent::Refused, "Path template, as in the API's document."),
    field(
        "units",
        Shape::Whole(0, Metering::UNITS_MAX as u64),
        Absent::Refused,
        "Units of a charged call; 0 is free of quota.",
    ),
];

const READING: &[Field] = &[
    field("meter", Shape::Pattern("^[a-z][a-z0-9_]{0,23}$"), Absent::Refused, "The meter that it moves."),
    field(
        "json",
        Shape::Pattern("^(/([^~/]|~[01])*){1,16}$"),
        Absent::Nothing,
        "A JSON Pointer into the body, like /usage/total_tokens; in a stream of events, into the last that has it.",
    ),
    field(
        "header",
        Shape::Pattern("^[a-z0-9_-]{1,64}$"),
        Absent::Nothing,
        "A response header, in lower case.",
    ),
];

/// APIs offered together.
pub const PRODUCT: Kind = Kind {
    name: "product",
    doc: "APIs offered together.",
    fields: &[
        SLUG,
        NAME,
        SUMMARY,
        field(
            "description",
            Shape::Prose(20_000),
            Absent::Is("\"\""),
            "What can be built with it; plain text, paragraphs by blank lines.",
        ),
        field(
            "state",
            Shape::Word(|| ProductState::ALL.iter().map(|state| state.as_str()).collect()),
            Absent::IsButShown("\"draft\""),
            "Whether it is on offer.",
        ),
        field(
            "visibility",
            Shape::Word(|| Visibility::ALL.iter().map(|word| word.as_str()).collect()),
            Absent::IsButShown("\"public\""),
            "Who sees it in the portal. Which organizations are chosen is no part of files: they differ from place to place.",
        ),
        field("apis", Shape::List(&Shape::Reference("api"), 100), Absent::Is("[]"), "Its APIs, in order."),
    ],
};

/// How the portal looks.
pub const PORTAL: Kind = Kind {
    name: "portal",
    doc: "Name, colours, logo and links of the developer portal; there is one.",
    fields: &[
        field(
            "name",
            Shape::Line(60),
            Absent::IsButShown("\"Tollgate\""),
            "How it is called, in the header and in titles.",
        ),
        field(
            "accent",
            Shape::Pattern("^#[0-9A-Fa-f]{6}$"),
            Absent::Nothing,
            "The colour of what can be pressed, in quotes, like \"#0f766e\". One that is not seen on white is refused.",
        ),
        field(
            "accent_dark",
            Shape::Pattern("^#[0-9A-Fa-f]{6}$"),
            Absent::Nothing,
            "The same in the dark theme; made from the other where not given.",
        ),
        field(
            "theme",
            Shape::Word(|| StartingTheme::ALL.iter().map(|word| word.as_str()).collect()),
            Absent::Is("\"auto\""),
            "What those see who have chosen no theme; auto is what their system says.",
        ),
        field(
            "navigation",
            Shape::List(&Shape::Object(LINK), 4),
            Absent::Is("[]"),
            "Links in the header, after the portal's own.",
        ),
        field(
            "footer",
            Shape::List(&Shape::Object(LINK), 12),
            Absent::Is("[]"),
            "Links in the footer, after the portal's own.",
        ),
        field(
            "logo",
            Shape::Pattern("^data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/]+=*$"),
            Absent::Nothing,
            "A picture beside the name, as a data: URL: a PNG, JPEG or WebP of at most 64 KiB.",
        ),
    ],
};

const LINK: &[Field] = &[
    field("text", Shape::Line(40), Absent::Refused, "What it says."),
    field(
        "href",
        Shape::Pattern("^(/|https?://|mailto:)"),
        Absent::Refused,
        "Where it leads: a path of the portal like /pages/imprint, or a web or mail address.",
    ),
];

/// A page of the publisher's.
pub const PAGE: Kind = Kind {
    name: "page",
    doc: "A page of your own in the developer portal.",
    fields: &[
        SLUG,
        field("title", Shape::Line(120), Absent::Refused, "Its heading."),
        field("text", Shape::Prose(50_000), Absent::Is("\"\""), "Markdown below the heading."),
        field("in_navigation", Shape::Bool, Absent::Is("false"), "Whether the header leads to it."),
        field(
            "position",
            Shape::Whole(0, 1_000),
            Absent::Is("0"),
            "Its place among the pages: smaller ones first, then by title.",
        ),
    ],
};

/// Whether a text is a slug.
pub fn is_slug(text: &str) -> bool {
    text.parse::<Slug>().is_ok()
}

/// Whether a text is a currency code.
pub fn is_currency(text: &str) -> bool {
    text.parse::<Currency>().is_ok()
}
