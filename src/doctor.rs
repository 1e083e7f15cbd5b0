//! `tollgate doctor`: everything that must be right before it matters, one line each.

use std::process::ExitCode;

use tollgate_control::{Actor, Control};

use crate::cli::Place;
use crate::{once, status};

/// What a look at one thing found.
type Finding = Result<String, String>;

/// Prints what is right and what is not, with what to do about it; 1 where something is not.
pub async fn doctor(place: Place) -> anyhow::Result<ExitCode> {
    // Opening it looks at the database and at the peppers.
    let control = match once::control(&place).await {
        Ok(control) => control,
        Err(error) => {
            println!("wrong  database and peppers: {error:#}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let findings: [(&str, Finding); 5] = [
        ("schema", schema(&control).await),
        ("configuration", configuration(&control).await),
        ("gateways", gateways(&control).await),
        ("audit log", audit(&control).await),
        ("admins", admins(&control).await),
    ];
    println!("right  database and peppers: they answer and fit each other");
    for (what, finding) in &findings {
        match finding {
            Ok(text) => println!("right  {what}: {text}"),
            Err(text) => println!("wrong  {what}: {text}"),
        }
    }
    let well = findings.iter().all(|(_, finding)| finding.is_ok());
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn failed(error: impl std::fmt::Display) -> String {
    error.to_string()
}

async fn schema(control: &Control) -> Finding {
    match tollgate_store::pending_migrations(control.store()).await.map_err(failed)? {
        0 => Ok("as this build has it".to_owned()),
        count => Err(format!("{count} migrations are missing; run `tollgate migrate`")),
    }
}

async fn configuration(control: &Control) -> Finding {
    match control.check_configuration(&Actor::system()).await {
        Ok(routes) => Ok(format!("gateways take it; {routes} routes")),
        Err(error) => Err(format!("{error}; they serve on with the one before")),
    }
}

async fn gateways(control: &Control) -> Finding {
    let (revision, nodes) = status::look(control).await.map_err(failed)?;
    if nodes.is_empty() {
        return Err("none serves; look at its log, or start one".to_owned());
    }
    let behind: Vec<&str> =
        nodes.iter().filter(|node| node.revision < revision).map(|node| node.name.as_str()).collect();
    match behind.is_empty() {
        true => Ok(format!("{} at revision {revision}", nodes.len())),
        false => {
            Err(format!("{} behind revision {revision}; `tollgate status` tells why", behind.join(", ")))
        }
    }
}

async fn audit(control: &Control) -> Finding {
    let verdict = control.verify_audit(&Actor::system(), None).await.map_err(failed)?;
    match verdict.broken {
        None => Ok(format!("{} entries, unbroken", verdict.entries)),
        Some((sequence, reason)) => Err(format!("broken at {sequence}: {reason}")),
    }
}

async fn admins(control: &Control) -> Finding {
    match control.store().any_operator().await.map_err(failed)? {
        true => Ok("somebody can sign in to the admin UI".to_owned()),
        false => Err("nobody can sign in to the admin UI yet; run `tollgate setup-link`".to_owned()),
    }
}
