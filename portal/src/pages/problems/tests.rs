//! The pages say what the gateway says.

use serde_json::Value;
use tollgate_domain::{Period, PolicyScope};
use tollgate_engine::admission::BadRequest;
use tollgate_engine::{Denial, LimitHit, Problem};

use super::*;

fn hit(name: &str, amount: u64, period: Period, retry_after_s: u64) -> LimitHit {
    LimitHit { name: name.into(), amount, period, visible: true, retry_after_s, scope: PolicyScope::Plan }
}

/// Every refusal, as its page shows it.
fn denials() -> Vec<Denial> {
    vec![
        Denial::BadMethod,
        Denial::MethodNotImplemented,
        Denial::RouteNotFound,
        Denial::MethodNotAllowed { allow: "GET, HEAD".into() },
        Denial::ApiRetired { successor: Some("countries-2".into()) },
        Denial::MissingCredential,
        Denial::AmbiguousCredential,
        Denial::InvalidCredential,
        Denial::ExpiredCredential,
        Denial::ScopeMissing { scope: "countries/listCountries".into() },
        Denial::AddressNotAllowed(None),
        Denial::KeyOriginNotAllowed,
        Denial::NotEntitled,
        Denial::SubscriptionSuspended,
        Denial::PaymentRequired,
        Denial::SpendCapReached("sub_01ks2v8d3tf5cs9y0v3jq1q7zb".parse().expect("an id")),
        Denial::CreditsUsedUp,
        Denial::RateLimited(hit("burst", 10, Period::Second, 1)),
        Denial::QuotaExceeded(hit("month", 1_000, Period::Month, 777_600)),
        Denial::QuotaUnavailable,
        Denial::UpstreamUnreachable,
        Denial::UpstreamTimeout,
        Denial::UpstreamFailed,
        Denial::NotReady,
        Denial::ConfigInvalid,
        Denial::BodyTooLarge { bytes_max: 10 << 20 },
        Denial::RequestTimeout,
        Denial::ExpectationFailed,
        Denial::CodingNotImplemented,
        Denial::OriginNotAllowed,
        Denial::GrpcMessage,
        Denial::GrpcNeedsHttp2,
        Denial::WebSocketKey,
        Denial::WebSocketVersion,
        Denial::UpstreamOverloaded,
        Denial::Internal,
        Denial::BadRequest(BadRequest::TargetTooLong),
        Denial::BadRequest(BadRequest::BadHost),
        Denial::BadRequest(BadRequest::DotSegment),
    ]
}

fn example(text: &str) -> Value {
    let json = text.split("```json").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    serde_json::from_str(json).expect("the example is JSON")
}

/// With `PORTAL_UPDATE_EXAMPLES` set, the examples in the files are replaced by what the gateway says.
#[test]
fn every_refusal_of_the_gateway_has_its_page_with_its_own_words() {
    for denial in denials() {
        let doc = DOCS.iter().find(|doc| doc.code == denial.code());
        let doc = doc.unwrap_or_else(|| panic!("docs/problems/{}.md is missing", denial.code()));
        assert_eq!((doc.status, doc.title.as_str()), (denial.status(), denial.title()), "{}", doc.code);
        assert!(doc.said_by.starts_with("gateway"), "{}", doc.code);
        let shown = example(&doc.text);
        let said = Problem {
            denial: &denial,
            type_base: "https://portal.example/problems/",
            request_id: shown["request_id"].as_str().unwrap_or_default(),
            instance: shown["instance"].as_str(),
        };
        let said: Value = serde_json::from_str(&said.to_json()).expect("a problem is JSON");
        if std::env::var_os("PORTAL_UPDATE_EXAMPLES").is_some() {
            let file = format!("{}/../docs/problems/{}.md", env!("CARGO_MANIFEST_DIR"), doc.code);
            let text = std::fs::read_to_string(&file).expect("the file is there");
            let head = text.split("```json").next().expect("text before the example");
            let pretty = serde_json::to_string_pretty(&said).expect("JSON can be written");
            std::fs::write(&file, format!("{head}```json\n{pretty}\n```\n"))
                .expect("the file can be written");
        } else {
            assert_eq!(shown, said, "{}: run once with PORTAL_UPDATE_EXAMPLES=1", doc.code);
        }
    }
}

#[test]
fn every_file_is_a_problem() {
    let files = DOCS.iter().map(|doc| 1 + doc.translations.len()).sum::<usize>();
    assert_eq!(files, Files::iter().count(), "a file without title, status and who says it");
    for doc in DOCS.iter() {
        for section in ["## What happened", "## How to fix it", "## Example"] {
            assert!(doc.text.contains(section), "{} has no {section}", doc.code);
        }
        let shown = example(&doc.text);
        assert_eq!(shown["code"], doc.code.as_str());
        assert_eq!(shown["status"], doc.status, "{}", doc.code);
    }
}

#[test]
fn what_the_gateway_says_is_told_in_every_language_as_in_english() {
    let counted = |text: &str, what: &str| text.matches(what).count();
    for doc in DOCS.iter().filter(|doc| doc.said_by.contains("gateway")) {
        for language in Language::ALL.into_iter().filter(|language| *language != Language::English) {
            let words = doc.translations.iter().find(|words| words.language == language);
            let words = words.unwrap_or_else(|| panic!("{}.{}.md is missing", doc.code, language.tag()));
            assert_ne!(words.title, doc.title);
            for what in ["\n- ", "\n## ", "](", "RFC ", "5xx", "\n```"] {
                assert_eq!(counted(&words.text, what), counted(&doc.text, what), "{what:?} of {}", doc.code);
            }
            for name in doc.text.split('`').skip(1).step_by(2).filter(|name| name.contains(['_', '-'])) {
                assert!(words.text.contains(name), "{} does not name {name}", doc.code);
            }
            assert_eq!(example(&words.text), example(&doc.text));
        }
    }
}

#[test]
fn a_reader_is_shown_their_language_where_it_is_written() {
    let doc = |code: &str| DOCS.iter().find(|doc| doc.code == code).expect("it is there");
    let shown = |code, language| say::speaking(language, || doc(code).shown());
    assert_eq!(shown("not_entitled", Language::German).tag, "de");
    assert_eq!(shown("not_entitled", Language::English).title, "The key does not open this API");
    assert_eq!(shown("version_mismatch", Language::German).tag, "en", "only programs of operators meet it");
}
