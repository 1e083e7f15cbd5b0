//! The fields of policies: of all calls, of an API's, of an operation's.

use tollgate_domain::{Limit, Policies, RatePer};

use super::{Absent, Field, Kind, Shape, field};

/// What all calls are held to.
pub const POLICIES: Kind = Kind {
    name: "policies",
    doc: "What all calls are held to, whatever they call and on whatever plan; there is one.",
    fields: &[RATES, NETWORKS, BODY_BYTES_MAX],
};

/// Of an API.
pub const OF_API: &[Field] = &[
    RATES,
    NETWORKS,
    BODY_BYTES_MAX,
    field(
        "operations",
        Shape::List(&Shape::Object(OF_OPERATION), Policies::OPERATIONS_MAX),
        Absent::Is("[]"),
        "Operations that are held to more.",
    ),
];

const OF_OPERATION: &[Field] = &[
    field("method", Shape::Line(16), Absent::Refused, "Upper-case method."),
    field("path", Shape::Line(2_000), Absent::Refused, "Path template, as in the API's document."),
    RATES,
    NETWORKS,
    BODY_BYTES_MAX,
];

const RATES: Field = field(
    "rates",
    Shape::List(&Shape::Object(RATE), Policies::RATES_MAX),
    Absent::Is("[]"),
    "How fast calls may come. Rates of all scopes and of the plan add up: each must admit a call.",
);

const NETWORKS: Field = field(
    "networks",
    Shape::List(&Shape::Line(49), Policies::NETWORKS_MAX),
    Absent::Is("[]"),
    "Where calls may come from: addresses and networks like 10.0.0.0/8 or 2001:db8::/32. Every scope that says some must \
     have the caller. Empty means from anywhere.",
);

const BODY_BYTES_MAX: Field = field(
    "body_bytes_max",
    Shape::Whole(0, Policies::BYTES_MAX),
    Absent::Nothing,
    "Bytes of a request's body; 0 takes none. The nearest scope that says it holds, and where none does the gateway's \
     setting.",
);

const RATE: &[Field] = &[
    field(
        "name",
        Shape::Pattern("^[a-z0-9_-]{1,32}$"),
        Absent::Refused,
        "Told to whoever is refused by it; unique in its scope.",
    ),
    field("amount", Shape::Whole(1, Limit::AMOUNT_MAX), Absent::Refused, "Calls per period."),
    field(
        "period",
        Shape::Word(|| vec!["second", "minute", "hour", "day"]),
        Absent::Refused,
        "The period that the amount is for.",
    ),
    field(
        "burst",
        Shape::Whole(1, Limit::AMOUNT_MAX),
        Absent::Nothing,
        "Calls that may come at once; the amount where not given.",
    ),
    field(
        "per",
        Shape::Word(|| RatePer::ALL.iter().map(|per| per.as_str()).collect()),
        Absent::Is("\"subscription\""),
        "Whose calls are counted together: a subscription's, a key's, or all. All are counted on each gateway for itself: \
         that protects what answers.",
    ),
];
