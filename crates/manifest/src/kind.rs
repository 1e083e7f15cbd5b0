//! The kinds of resources and their fields: one table for reading, writing and the JSON Schema.

use tollgate_domain::{
    Anchor, ApiState, BodyLimits, Budget, Currency, Enforcement, Limit, Metering, PlanState, ProductState,
    ServiceProtocol, Slug, StartingTheme, UnpaidLanding, Visibility,
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
pub const KINDS: &[Kind] = &[SERVICE, API, PRODUCT, PLAN, PORTAL, PAGE];

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
            "body_limits",
            Shape::Object(BODY_LIMITS),
            Absent::Is(r#"{"operations":[]}"#),
            "How large the bodies of its requests may be.",
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

const BODY_LIMITS: &[Field] = &[
    field(
        "body_bytes_max",
        Shape::Whole(0, BodyLimits::BYTES_MAX),
        Absent::Nothing,
        "Bytes, for operations without an amount of their own. Where none is said, the gateway's setting holds.",
    ),
    field(
        "operations",
        Shape::List(&Shape::Object(OPERATION_BODY), BodyLimits::OPERATIONS_MAX),
        Absent::Is("[]"),
        "Operations that take more or less than that.",
    ),
];

const OPERATION_BODY: &[Field] = &[
    field("method", Shape::Line(16), Absent::Refused, "Upper-case method."),
    field("path", Shape::Line(2_000), Absent::Refused, "Path template, as in the API's document."),
    field(
        "body_bytes_max",
        Shape::Whole(0, BodyLimits::BYTES_MAX),
        Absent::Refused,
        "Bytes; 0 takes no body.",
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

/// Terms of a product.
pub const PLAN: Kind = Kind {
    name: "plan",
    doc: "The terms under which a product is used.",
    fields: &[
        field("product", Shape::Reference("product"), Absent::Refused, "The product it is for."),
        field("slug", Shape::Slug, Absent::Refused, "Its name in headers and files; unique in its product."),
        NAME,
        SUMMARY,
        field(
            "state",
            Shape::Word(|| PlanState::ALL.iter().map(|state| state.as_str()).collect()),
            Absent::IsButShown("\"open\""),
            "Whether it can be chosen.",
        ),
        field(
            "approval",
            Shape::Bool,
            Absent::Is("false"),
            "Whether an operator must approve a subscription that a developer asks for.",
        ),
        field("price", Shape::Object(PRICE), Absent::Refused, "What it costs."),
        field(
            "meters",
            Shape::List(&Shape::Object(METER), METERS_MAX),
            Absent::Is("[]"),
            "What use costs besides; each meter once. Whoever subscribed before keeps the prices of then.",
        ),
        field(
            "minimum_minor",
            Shape::Whole(0, 100_000_000_000),
            Absent::Is("0"),
            "The least that price and use together come to in a month, in minor units.",
        ),
        field(
            "setup_minor",
            Shape::Whole(0, 100_000_000_000),
            Absent::Is("0"),
            "Due once, when a subscription is on the plan for the first time and its trial is over; in minor units.",
        ),
        field(
            "trial",
            Shape::Object(TRIAL),
            Absent::Nothing,
            "How long the plan can be tried without its price. Each customer tries a product once.",
        ),
        field(
            "currencies",
            Shape::List(&Shape::Object(PRICES), 20),
            Absent::Is("[]"),
            "Its prices in other currencies: written down for each, never converted.",
        ),
        field(
            "unpaid_landing",
            Shape::Word(|| UnpaidLanding::ALL.iter().map(|word| word.as_str()).collect()),
            Absent::Is("\"block\""),
            "What becomes of calls when an invoice stays unpaid past its grace: refused, held to the free plan, or nothing.",
        ),
        field(
            "grace_days",
            Shape::Whole(0, 365),
            Absent::Nothing,
            "Days between a payment that failed and its landing; three where not given. A customer's own go before these.",
        ),
        field(
            "prepaid",
            Shape::Bool,
            Absent::Is("false"),
            "Whether its calls are paid from credits as they are made, and refused where none are left.",
        ),
        field(
            "limits",
            Shape::List(&Shape::Object(LIMIT), Limit::RATES_PER_PLAN_MAX + Limit::QUOTAS_PER_PLAN_MAX),
            Absent::Is("[]"),
            "Its limits, in the order they are checked and shown: at most four rates and three quotas.",
        ),
    ],
};

const PRICE: &[Field] = &[
    field(
        "minor",
        Shape::Whole(0, 100_000_000_000),
        Absent::Refused,
        "Minor units: 2900 is 29.00 EUR. 0 is free.",
    ),
    field("currency", Shape::Currency, Absent::Refused, "ISO 4217, like EUR."),
    field("per", Shape::Word(|| vec!["month"]), Absent::Is("\"month\""), "How often it is due."),
];

/// Meters of one plan, as many as the rating takes.
const METERS_MAX: usize = 24;

const TRIAL: &[Field] = &[
    field(
        "days",
        Shape::Whole(1, 365),
        Absent::Refused,
        "Days of 24 hours, from the first trial that the customer had of the product.",
    ),
    field("base_due", Shape::Bool, Absent::Is("false"), "Whether price and minimum are due all the same."),
    field(
        "included",
        Shape::List(&Shape::Object(TRIAL_UNITS), METERS_MAX),
        Absent::Is("[]"),
        "Units that cost nothing in the trial, besides those that the plan includes; each meter once.",
    ),
];

const TRIAL_UNITS: &[Field] = &[
    field("meter", Shape::Pattern("^[a-z][a-z0-9_]{0,63}$"), Absent::Refused, "What is counted."),
    field("units", Shape::Whole(0, 1_000_000_000_000_000), Absent::Refused, "How many of the whole trial."),
];

const PRICES: &[Field] = &[
    field("currency", Shape::Currency, Absent::Refused, "ISO 4217, like USD; not the plan's own."),
    field(
        "base_minor",
        Shape::Whole(0, 100_000_000_000),
        Absent::Is("0"),
        "The price per month, in minor units.",
    ),
    field(
        "meters",
        Shape::List(&Shape::Object(METER), METERS_MAX),
        Absent::Is("[]"),
        "What use costs besides.",
    ),
    field(
        "minimum_minor",
        Shape::Whole(0, 100_000_000_000),
        Absent::Is("0"),
        "The least of a month, in minor units.",
    ),
    field("setup_minor", Shape::Whole(0, 100_000_000_000), Absent::Is("0"), "Due once, in minor units."),
];

const METER: &[Field] = &[
    field(
        "meter",
        Shape::Pattern("^[a-z][a-z0-9_]{0,63}$"),
        Absent::Refused,
        "What is counted, like calls or megabytes_out.",
    ),
    field(
        "included",
        Shape::Whole(0, 1_000_000_000_000_000),
        Absent::Is("0"),
        "Units of a month that cost nothing.",
    ),
    field("price", Shape::Object(USAGE_PRICE), Absent::Refused, "What the others cost."),
];

const USAGE_PRICE: &[Field] = &[
    field(
        "scheme",
        Shape::Word(|| vec!["per_unit", "graduated", "volume", "package"]),
        Absent::Refused,
        "How the price grows: each unit the same, each by its tier, all by the tier of the last, or in packages.",
    ),
    field(
        "unit_minor",
        Shape::Pattern("^[0-9]{1,8}([.][0-9]{1,12})?$"),
        Absent::Nothing,
        "With per_unit: the price of one, a decimal in minor units and in quotes, like \"0.2\".",
    ),
    field(
        "tiers",
        Shape::List(&Shape::Object(TIER), 20),
        Absent::Nothing,
        "With graduated and volume: ranges of units from the first on; the last has no end.",
    ),
    field(
        "size",
        Shape::Whole(1, 1_000_000_000_000_000),
        Absent::Nothing,
        "With package: units in one; a begun one is paid whole.",
    ),
    field(
        "minor",
        Shape::Whole(0, 100_000_000_000),
        Absent::Nothing,
        "With package: its price, in minor units.",
    ),
];

const TIER: &[Field] = &[
    field(
        "up_to",
        Shape::Whole(1, 1_000_000_000_000_000),
        Absent::Nothing,
        "Its last unit; none for the last tier.",
    ),
    field(
        "unit_minor",
        Shape::Pattern("^[0-9]{1,8}([.][0-9]{1,12})?$"),
        Absent::Refused,
        "The price of one unit in it, a decimal in minor units and in quotes.",
    ),
    field(
        "flat_minor",
        Shape::Whole(0, 100_000_000_000),
        Absent::Is("0"),
        "Due once when the tier is reached, in minor units.",
    ),
];

const LIMIT: &[Field] = &[
    field(
        "name",
        Shape::Pattern("^[a-z0-9_-]{1,32}$"),
        Absent::Refused,
        "Shown to callers in RateLimit-Policy; unique in its plan.",
    ),
    field(
        "kind",
        Shape::Word(|| vec!["rate", "quota"]),
        Absent::Refused,
        "A rate is speed, per second to day; a quota is budget, per day or month.",
    ),
    field("amount", Shape::Whole(1, Limit::AMOUNT_MAX), Absent::Refused, "Calls per period."),
    field(
        "period",
        Shape::Word(|| vec!["second", "minute", "hour", "day", "month"]),
        Absent::Refused,
        "The period that the amount is for.",
    ),
    field(
        "burst",
        Shape::Whole(1, Limit::AMOUNT_MAX),
        Absent::Nothing,
        "Calls that may come at once; as many as the amount where not given. Rates only.",
    ),
    field(
        "per",
        Shape::Word(|| vec!["subscription", "credential"]),
        Absent::Is("\"subscription\""),
        "Whose calls are counted together. A quota is always the subscription's.",
    ),
    field(
        "visible",
        Shape::Bool,
        Absent::Is("true"),
        "Whether callers see it in headers: contractual limits do, protective ones hide.",
    ),
    field(
        "enforcement",
        Shape::Word(|| Enforcement::ALL.iter().map(|word| word.as_str()).collect()),
        Absent::Is("\"shared\""),
        "How exactly a quota is kept: shared (calendar months in UTC), exact (never a unit over), soft (the rest is billed).",
    ),
    field(
        "anchor",
        Shape::Word(|| Anchor::ALL.iter().map(|word| word.as_str()).collect()),
        Absent::Is("\"calendar\""),
        "When a quota's months begin: with the calendar's, or on the day on which the subscription began.",
    ),
    field(
        "rollover",
        Shape::Whole(0, Limit::AMOUNT_MAX),
        Absent::Is("0"),
        "Of the units that one period left over, so many at most are had in the next one.",
    ),
    field(
        "alerts",
        Shape::List(&Shape::Whole(1, Budget::ALERT_MAX as u64), Budget::ALERTS_MAX),
        Absent::Is("[50,80,100]"),
        "Percentages of a quota at which its users are told.",
    ),
];

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
