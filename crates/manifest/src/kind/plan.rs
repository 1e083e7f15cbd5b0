//! The fields of a plan: its price, its meters, its limits.

use tollgate_domain::{Anchor, Budget, Enforcement, Limit, PlanState, UnpaidLanding};

use super::{Absent, Field, Kind, NAME, SUMMARY, Shape, field};

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
