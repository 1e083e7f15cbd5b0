//! `tollgate gateways`: say that one is gone with its disk.

use tollgate_control::{Actor, Face, Origin};

use crate::cli::Place;
use crate::once;

/// Gives up what the processes of this name had not handed in.
pub async fn forget(place: Place, name: &str) -> anyhow::Result<()> {
    let actor = Actor::system().from(Origin::new(Face::Cli, None, None));
    let gone = once::control(&place).await?.forget_gateway(&actor, name).await?;
    println!("{name} is given up: what {} of its processes had borrowed is free again", gone.len());
    Ok(())
}
