use super::*;

const SECOND: u64 = 1_000_000_000;

fn ending(at_ns: u64, status: u16, code: Option<&'static str>, known: bool) -> Ending {
    Ending { at_ns, status, code, known }
}

fn note(log: &RequestLog, ending: Ending, id: &str) {
    log.note(ending, |slot| slot.write(Text::RequestId, id.as_bytes()));
}

fn kept(log: &RequestLog) -> Vec<String> {
    std::iter::from_fn(|| {
        let slot = log.ring().take()?;
        let id = slot.text(Text::RequestId);
        log.ring().give_back(slot);
        id
    })
    .collect()
}

#[test]
fn each_kind_of_call_has_its_own_share_of_a_second() {
    let log = RequestLog::new(RequestLogMode::All, 2, None);
    for n in 0..5 {
        note(&log, ending(SECOND, 200, None, true), &format!("answered-{n}"));
        note(&log, ending(SECOND, 401, Some("invalid_credential"), false), &format!("stranger-{n}"));
        note(&log, ending(SECOND, 429, Some("rate_limited"), true), &format!("consumer-{n}"));
    }
    let mut kept = kept(&log);
    kept.sort();
    assert_eq!(kept, ["answered-0", "answered-1", "consumer-0", "consumer-1", "stranger-0", "stranger-1"]);
    assert_eq!(log.dropped(), 9);
}

#[test]
fn only_errors_are_kept_where_only_errors_are_asked_for() {
    let log = RequestLog::new(RequestLogMode::Errors, 10, None);
    note(&log, ending(SECOND, 200, None, true), "fine");
    note(&log, ending(SECOND, 404, None, true), "not found upstream");
    note(&log, ending(SECOND, 403, Some("not_entitled"), true), "refused");
    assert_eq!(kept(&log), ["refused", "not found upstream"]);
    let off = RequestLog::new(RequestLogMode::Off, 10, None);
    note(&off, ending(SECOND, 403, Some("not_entitled"), true), "refused");
    assert!(kept(&off).is_empty());
}

#[test]
fn when_nobody_carries_them_away_the_newest_stay_and_answered_calls_go_first() {
    let ring = Ring::new(4);
    let put = |answered: bool, id: &str| {
        ring.put(answered, |slot| {
            slot.clear();
            slot.write(Text::RequestId, id.as_bytes());
        })
    };
    for (answered, id) in
        [(true, "a1"), (true, "a2"), (false, "r1"), (true, "a3"), (false, "r2"), (true, "a4"), (false, "r3")]
    {
        put(answered, id);
    }
    // a1 made room for r2, a2 for a4, a3 for r3.
    let kept: Vec<_> = std::iter::from_fn(|| ring.take()?.text(Text::RequestId)).collect();
    assert_eq!(kept, ["r1", "r2", "r3", "a4"]);
    assert_eq!(ring.dropped(), 3);
}

#[test]
fn refusals_give_way_only_to_newer_refusals() {
    let ring = Ring::new(2);
    for (answered, id) in [(false, "r1"), (false, "r2"), (true, "a1"), (false, "r3")] {
        ring.put(answered, |slot| {
            slot.clear();
            slot.write(Text::RequestId, id.as_bytes());
        });
    }
    let kept: Vec<_> = std::iter::from_fn(|| ring.take()?.text(Text::RequestId)).collect();
    assert_eq!(kept, ["r2", "r3"]);
}

#[test]
fn texts_are_cut_to_what_is_kept_and_a_path_has_no_query() {
    let mut slot = Slot::boxed();
    slot.write_path_of(b"/v1/items?token=secret");
    assert_eq!(slot.text(Text::Path).as_deref(), Some("/v1/items"));
    slot.clear();
    let long = "x".repeat(9_000);
    for text in [Text::RequestId, Text::Method, Text::Host, Text::Path, Text::UserAgent, Text::Route] {
        slot.write(text, long.as_bytes());
    }
    slot.write(Text::ShownKey, "ü".repeat(40).as_bytes());
    let lengths = [Text::RequestId, Text::Method, Text::Host, Text::Path, Text::UserAgent, Text::ShownKey]
        .map(|text| slot.text(text).map_or(0, |kept| kept.len()));
    assert_eq!(lengths, [128, 32, 255, 512, 128, 64]);
    slot.clear();
    slot.write(Text::UserAgent, &[0xff, 0xfe, b'a', 0xff]);
    assert_eq!(slot.text(Text::UserAgent).as_deref(), Some("\u{fffd}\u{fffd}a"));
}

#[test]
fn of_a_key_only_what_the_portal_shows_is_kept_and_of_other_secrets_nothing() {
    let key = tollgate_engine::key::mint("tg", tollgate_domain::Environment::Live, &[7; 32]);
    let mut slot = Slot::boxed();
    slot.write_shown_key(key.as_bytes());
    let shown = slot.text(Text::ShownKey).unwrap();
    let (first, last) = shown.split_once('…').unwrap();
    assert!(key.starts_with(first) && key.ends_with(last) && shown.len() < key.len() / 2, "{shown}");
    slot.clear();
    slot.write_shown_key(b"sk_live_of_somebody_else");
    assert_eq!(slot.text(Text::ShownKey), None);
}

#[test]
fn an_address_is_kept_as_its_network_unless_told_otherwise() {
    for (address, network, whole) in [
        ("203.0.113.77", "203.0.113.0/24", "203.0.113.77"),
        ("::ffff:203.0.113.77", "203.0.113.0/24", "203.0.113.77"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48", "2001:db8:1:2:3::4"),
    ] {
        let address = address.parse().unwrap();
        assert_eq!(LoggedAddress::Network.show(address), network);
        assert_eq!(LoggedAddress::Whole.show(address), whole);
    }
}

#[test]
fn the_access_log_has_a_line_per_call_and_follows_a_file_that_is_moved() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    let log = AccessLog::start(AccessLogTarget::File(path.clone()), LoggedAddress::Network).unwrap();
    let log = RequestLog::new(RequestLogMode::Off, 1, Some(log));
    let say = |id: &str| {
        log.note(ending(SECOND, 429, Some("rate_limited"), true), |slot| {
            slot.write(Text::RequestId, id.as_bytes());
            slot.write(Text::Host, b"a\"b");
        });
    };
    let lines = |path: &std::path::Path| -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let wait = |holds: &dyn Fn() -> bool| {
        let began = std::time::Instant::now();
        while !holds() {
            assert!(began.elapsed().as_secs() < 10, "never");
            std::thread::yield_now();
        }
    };
    say("one");
    wait(&|| lines(&path).len() == 1);
    let line = &lines(&path)[0];
    assert_eq!((&line["request_id"], &line["code"]), (&"one".into(), &"rate_limited".into()));
    assert_eq!((&line["server.address"], &line["http.response.status_code"]), (&"a\"b".into(), &429.into()));
    std::fs::rename(&path, dir.path().join("access.log.1")).unwrap();
    wait(&|| path.exists());
    say("two");
    drop(log);
    assert_eq!(lines(&path)[0]["request_id"], "two");
}
