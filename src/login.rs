//! `tollgate login`: a sandbox key for this terminal, by way of a browser where somebody is signed in (RFC 8628).

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Deserialize;

const CLIENT: (&str, &str) = ("client_id", "tollgate-cli");
const GRANT: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);
/// What is added to the pause when the portal says `slow_down` (RFC 8628 §3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// What the portal gives to begin with.
#[derive(Deserialize)]
struct Codes {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

#[derive(Deserialize)]
struct Key {
    access_token: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Shows a code and an address, waits until somebody decides there, and prints the key. Nothing is stored.
pub async fn login(portal_url: &str) -> anyhow::Result<()> {
    // Set once per process; a second time changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(ANSWER_PATIENCE).build()?;
    let portal = portal_url.trim_end_matches('/');
    let unreached = || format!("{portal} does not answer as a portal; name yours with --portal-url");
    let answer = client.post(format!("{portal}/device/authorize")).form(&[CLIENT]).send().await;
    let answer = answer.with_context(unreached)?;
    if !answer.status().is_success() {
        let refusal: Refusal = answer.json().await.with_context(unreached)?;
        bail!("{}", refusal.error_description);
    }
    let codes: Codes = answer.json().await.with_context(unreached)?;
    eprintln!("Open {} and type\n\n    {}\n", codes.verification_uri, codes.user_code);
    eprintln!("or open {}", codes.verification_uri_complete);
    eprintln!("Waiting for {} minutes; Ctrl-C gives up.", codes.expires_in / 60);
    let key = wait(&client, portal, &codes).await?;
    eprintln!("\nA sandbox key. It is stored nowhere: keep it, or read it again on its page in the portal.");
    println!("{key}");
    Ok(())
}

async fn wait(client: &reqwest::Client, portal: &str, codes: &Codes) -> anyhow::Result<String> {
    let deadline = Instant::now() + Duration::from_secs(codes.expires_in);
    let mut pause = Duration::from_secs(codes.interval);
    let fields = [CLIENT, GRANT, ("device_code", codes.device_code.as_str())];
    while Instant::now() < deadline {
        tokio::time::sleep(pause).await;
        // A portal that is away for a moment is asked again.
        let Ok(answer) = client.post(format!("{portal}/device/token")).form(&fields).send().await else {
            pause += SLOWER;
            continue;
        };
        if answer.status().is_success() {
            return Ok(answer
                .json::<Key>()
                .await
                .context("the portal's answer cannot be read")?
                .access_token);
        }
        let Ok(refusal) = answer.json::<Refusal>().await else { continue };
        match refusal.error.as_str() {
            "authorization_pending" => {}
            "slow_down" => pause += SLOWER,
            _ => bail!("{}", refusal.error_description),
        }
    }
    bail!("nobody decided in time; begin again")
}
