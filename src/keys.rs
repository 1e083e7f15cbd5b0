//! `tollgate keys`: find a key by what is known of it, and stop it.

use anyhow::{Context, bail};
use tollgate_control::{Actor, Face, Origin};
use tollgate_domain::{CredentialId, Scope};
use tollgate_store::Listing;

use crate::cli::Place;
use crate::once;

/// Prints the keys that begin so, or are called so: id, first and last characters, state, application.
pub async fn find(place: Place, text: &str) -> anyhow::Result<()> {
    let control = once::control(&place).await?;
    let listing = Listing { search: Some(text.to_owned()), limit: 100, ..Listing::default() };
    let rows = control.store().find_credentials(Scope::Operator, &listing).await?;
    if rows.is_empty() {
        bail!("no key begins with or is called {text}");
    }
    for row in rows {
        let used = row.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {at}"));
        println!(
            "{}  {}…{}  {}  {}  {}  {used}",
            row.id,
            row.display_prefix,
            row.display_last4,
            row.state(),
            row.application_id,
            row.name
        );
    }
    Ok(())
}

/// Revokes a key by its id.
pub async fn revoke(place: Place, id: &str) -> anyhow::Result<()> {
    let id: CredentialId =
        id.parse().context("give the key's id, like key_01ks…; `tollgate keys find` tells it")?;
    let actor = Actor::system().from(Origin::new(Face::Cli, None, None));
    let row = once::control(&place).await?.revoke_credential(&actor, id).await?;
    println!("revoked {}…{} ({})", row.display_prefix, row.display_last4, row.name);
    Ok(())
}
