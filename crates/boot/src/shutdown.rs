//! Stopping when asked: the first signal drains, the second leaves at once.

use std::io::IsTerminal;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by the first SIGINT or SIGTERM. The second signal ends the process at once
/// with 128 + its number; whatever that leaves behind is cleared at the next start. SIGHUP stops what was started in a
/// terminal, which has gone then; a service has nothing to reload, because it follows its files by itself, and goes on.
///
/// # Errors
/// When the process may not install signal handlers.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    on_signals(std::io::stdin().is_terminal())
}

fn on_signals(in_terminal: bool) -> std::io::Result<CancellationToken> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        loop {
            let number = tokio::select! {
                _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
                _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
                _ = hangup.recv() => SignalKind::hangup().as_raw_value(),
            };
            if number == SignalKind::hangup().as_raw_value() && !in_terminal {
                continue;
            }
            if stop.is_cancelled() {
                std::process::exit(128 + number);
            }
            tracing::info!("stopping: draining what is in flight, once more to leave at once");
            stop.cancel();
        }
    });
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_signal_cancels_and_the_process_lives_and_hangups_do_nothing() {
        let token = on_signals(false).unwrap();
        for _ in 0..200 {
            nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGHUP).unwrap();
        }
        assert!(!token.is_cancelled());
        nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGTERM).unwrap();
        token.cancelled().await;
    }
}
