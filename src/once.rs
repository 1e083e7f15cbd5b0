//! Commands that do one thing and exit.

use std::process::ExitCode;

use tollgate_control::{Actor, Control, ExportedHead};
use tollgate_domain::OperatorRole;

use crate::cli::Place;
use crate::database;

pub async fn migrate(place: Place) -> anyhow::Result<()> {
    let store = database::shared_store(&place)?;
    tollgate_store::migrate(&store).await?;
    println!("the schema is up to date");
    Ok(())
}

pub async fn setup_link(place: Place, portal_url: &str) -> anyhow::Result<()> {
    let control = control(&place).await?;
    let token = control.create_setup_token(&Actor::system()).await?;
    println!("{}/setup/{}", portal_url.trim_end_matches('/'), token.reveal());
    Ok(())
}

pub async fn token(place: Place, name: &str) -> anyhow::Result<()> {
    let control = control(&place).await?;
    let token = control.create_token(&Actor::system(), name, OperatorRole::Admin, None, false).await?;
    println!("{}", token.reveal());
    Ok(())
}

/// Seals all stored secrets under the newest pepper.
pub async fn reseal(place: Place) -> anyhow::Result<()> {
    let control = control(&place).await?;
    let done = control.reseal(&Actor::system()).await?;
    println!("{} secrets sealed anew; all are under pepper {} now", done.anew, done.version);
    Ok(())
}

/// Prints where the audit log ends.
pub async fn audit_head(place: Place) -> anyhow::Result<()> {
    match control(&place).await?.audit_head(&Actor::system()).await? {
        Some(head) => println!("{head}"),
        None => anyhow::bail!("the audit log has no sealed entry yet"),
    }
    Ok(())
}

/// Checks the audit log; 1 where it is not what was written.
pub async fn audit_verify(place: Place, head: Option<ExportedHead>) -> anyhow::Result<ExitCode> {
    let verdict = control(&place).await?.verify_audit(&Actor::system(), head.as_ref()).await?;
    if verdict.unsealed > 0 {
        println!("{} entries at the beginning are older than the seals", verdict.unsealed);
    }
    if let Some((sequence, reason)) = verdict.broken {
        println!("broken at {sequence}: {reason}");
        return Ok(ExitCode::FAILURE);
    }
    match verdict.head {
        Some(head) => println!("{} entries, unbroken; the log ends at {head}", verdict.entries),
        None => println!("the log is empty"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The control plane of DATABASE_URL, or of the process that runs on the data directory here.
pub async fn control(place: &Place) -> anyhow::Result<Control> {
    if place.database_url.is_some() {
        return database::control(place, database::shared_store(place)?, database::shared_peppers()?).await;
    }
    let url = database::url_of_running(&place.data_dir)?;
    let peppers = database::own_peppers(&place.data_dir.join("secrets"))?;
    database::control(place, database::open_store(&url)?, peppers).await
}
