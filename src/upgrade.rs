//! Giving way to a new build without a refused call: SIGUSR2 starts the binary anew, which takes over.

use std::env;
use std::process::Command;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::task::AbortOnDropHandle;

/// On SIGUSR2, starts what this process was started with, as it is on disk by now, and `--upgrade`. It takes over when it
/// is ready; if it never is, nothing has changed. Ends with the handle.
///
/// # Errors
/// When the process may not install signal handlers.
pub fn on_signal() -> std::io::Result<AbortOnDropHandle<()>> {
    let mut asked = signal(SignalKind::user_defined2())?;
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        while asked.recv().await.is_some() {
            match successor().spawn() {
                Ok(mut child) => {
                    tracing::info!(process = child.id(), "started another process that is to take over");
                    // Somebody has to ask how it ended, should it end before this one does.
                    std::thread::spawn(move || child.wait());
                }
                Err(error) => tracing::error!(%error, "cannot start another process to take over"),
            }
        }
    })))
}

fn successor() -> Command {
    let mut arguments = env::args_os();
    // By the name it was called with: the file that runs may have been replaced, which is the point.
    let program = arguments.next().unwrap_or_else(|| "tollgate".into());
    let mut command = Command::new(program);
    command.args(arguments.filter(|argument| argument != "--upgrade")).arg("--upgrade");
    command
}
