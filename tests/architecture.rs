//! Who may import whom. The table is the one of docs/ARCHITECTURE.md; an edge that is not listed fails here.

use std::process::Command;

use serde_json::Value;

/// A room, and the rooms it may import. Tests may import `testkit` besides, where the room does any I/O.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("engine", &["domain"]),
    ("openapi", &[]),
    ("certificates", &[]),
    ("language", &[]),
    ("manifest", &["domain"]),
    ("rating", &["domain"]),
    ("paper", &[]),
    ("store", &["domain"]),
    ("boot", &["domain"]),
    ("control", &["certificates", "domain", "engine", "language", "openapi", "rating", "store"]),
    ("stripe", &["domain", "control", "engine", "store"]),
    ("web", &["boot"]),
    ("demo", &["domain", "engine", "control", "openapi", "store"]),
    ("gateway", &["certificates", "domain", "engine", "store", "boot"]),
    ("admin-api", &["domain", "engine", "control", "openapi", "paper", "rating", "store", "web", "boot"]),
    (
        "portal",
        &[
            "domain", "engine", "control", "language", "manifest", "openapi", "paper", "rating", "store",
            "web", "boot",
        ],
    ),
    ("testkit", &["domain", "engine", "openapi", "store", "boot", "control", "web", "demo", "gateway"]),
    (
        "tollgate",
        &[
            "domain",
            "engine",
            "openapi",
            "manifest",
            "store",
            "boot",
            "control",
            "web",
            "demo",
            "gateway",
            "admin-api",
            "portal",
            "stripe",
        ],
    ),
];

/// Rooms without a socket, a clock of their own or a database, also in their tests.
const PURE: &[&str] =
    &["certificates", "domain", "engine", "language", "openapi", "manifest", "paper", "rating"];
const IMPURE_PACKAGES: &[&str] = &["axum", "hyper", "reqwest", "sqlx", "tokio", "hyper-util"];

/// A package (or all whose names begin so, with `*`), and the rooms it is kept to outside of tests.
const KEPT: &[(&str, &[&str])] = &[
    ("sqlx", &["store", "testkit"]),
    ("postgresql_embedded", &["boot"]),
    ("tracing-subscriber", &["boot"]),
    ("pingora-*", &["gateway"]),
    ("argon2", &["control"]),
    ("askama", &["control", "portal"]),
    ("async-stripe*", &["stripe"]),
    ("instant-acme", &["control"]),
    ("fluent-bundle", &["language"]),
    ("lettre", &["control"]),
    ("openidconnect", &["control"]),
    ("webauthn_rp", &["control"]),
    ("pdf-writer", &["paper"]),
    ("tower-sessions", &["portal"]),
    ("utoipa*", &["admin-api"]),
    ("clap", &["tollgate"]),
];

struct Import {
    room: String,
    package: String,
    in_tests: bool,
}

fn room(package: &str) -> &str {
    package.strip_prefix("tollgate-").unwrap_or(package)
}

fn is_ours(package: &str) -> bool {
    package == "tollgate" || package.starts_with("tollgate-")
}

/// Every dependency that a member of the workspace declares.
fn imports() -> Vec<Import> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().expect("a workspace has packages");
    packages
        .iter()
        .flat_map(|package| {
            let dependencies = package["dependencies"].as_array().expect("a package lists its dependencies");
            dependencies.iter().map(|dependency| Import {
                room: room(&text(&package["name"])).to_owned(),
                package: text(&dependency["name"]),
                in_tests: dependency["kind"] == "dev",
            })
        })
        .collect()
}

fn matches(pattern: &str, package: &str) -> bool {
    pattern.strip_suffix('*').map_or(package == pattern, |prefix| package.starts_with(prefix))
}

fn may_import(importer: &str) -> &'static [&'static str] {
    ROOMS
        .iter()
        .find(|(name, _)| *name == importer)
        .unwrap_or_else(|| panic!("{importer} is a new room: say in the table whom it may import"))
        .1
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n  {}\n", faults.join("\n  "));
}

#[test]
fn every_room_imports_only_what_the_table_allows() {
    let faults: Vec<String> = imports()
        .iter()
        .filter(|import| is_ours(&import.package))
        .filter(|import| {
            let imported = room(&import.package);
            let for_tests = import.in_tests && imported == "testkit" && !PURE.contains(&import.room.as_str());
            !for_tests && !may_import(&import.room).contains(&imported)
        })
        .map(|import| format!("{} may not import {}", import.room, import.package))
        .collect();
    assert_none(&faults);
}

#[test]
fn packages_stay_in_their_rooms() {
    let faults: Vec<String> = imports()
        .iter()
        .filter(|import| !import.in_tests)
        .filter_map(|import| {
            let (pattern, rooms) = KEPT.iter().find(|(pattern, _)| matches(pattern, &import.package))?;
            let outside = !rooms.contains(&import.room.as_str());
            outside.then(|| {
                format!("{} uses {}: {pattern} is kept to {}", import.room, import.package, rooms.join(", "))
            })
        })
        .collect();
    assert_none(&faults);
}

#[test]
fn pure_rooms_stay_pure() {
    let faults: Vec<String> = imports()
        .iter()
        .filter(|import| PURE.contains(&import.room.as_str()))
        .filter(|import| IMPURE_PACKAGES.contains(&import.package.as_str()))
        .map(|import| format!("{} does no I/O, but uses {}", import.room, import.package))
        .collect();
    assert_none(&faults);
}

/// Bad input 137: whatever authors write as a path, a name or a `pattern`, nothing here runs it as one.
#[test]
fn case_137_no_room_has_means_to_run_patterns() {
    const ENGINES: &[&str] =
        &["regex*", "fancy-regex", "onig", "pcre*", "regress", "globset", "glob", "wildmatch"];
    let faults: Vec<String> = imports()
        .iter()
        .filter(|import| !import.in_tests && ENGINES.iter().any(|engine| matches(engine, &import.package)))
        .map(|import| format!("{} uses {}", import.room, import.package))
        .collect();
    assert_none(&faults);
}
