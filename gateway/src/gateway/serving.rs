//! From the first accepted caller to the last answer: workers, the hand-over to another process, the end.

use std::sync::Arc;

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use uuid::Uuid;

use super::{LOADED_YET, Parts};
use crate::desks::{Brought, Desks};
use crate::disk::DataDir;
use crate::handover::{self, Inheritance, Thing};
use crate::listen::{Front, Listeners};
use crate::live::Live;
use crate::places::Places;
use crate::usage::leftovers::{Leftovers, leftovers_of};

/// Who was before, and who comes after.
pub(super) struct Succession {
    pub(super) data: Arc<DataDir>,
    pub(super) things: Vec<Thing>,
    pub(super) inherited: Option<Inheritance>,
    /// Where what the process before leaves behind is handed in.
    pub(super) tell: mpsc::Sender<Leftovers>,
    /// Cancelled when another process accepts calls in place of this one.
    pub(super) handed_over: CancellationToken,
}

impl Succession {
    /// Says to the process before that it may go, waits until it has gone, then offers all to the next one.
    async fn pass_on(self, live: Arc<Live>, boot_id: Uuid) {
        let Self { data, things, inherited, tell, handed_over } = self;
        let dir = data.path().to_owned();
        drop(data);
        if let Some(inherited) = inherited {
            while !live.is_loaded() {
                tokio::time::sleep(LOADED_YET).await;
            }
            match inherited.confirm() {
                Ok(predecessor) => {
                    let before = predecessor.boot_id;
                    tracing::info!(%before, "took over; the process before ends its calls");
                    predecessor.gone().await;
                    let left_in = dir.clone();
                    let left = tokio::task::spawn_blocking(move || leftovers_of(&left_in, before)).await;
                    if let Ok(Ok(left)) = left {
                        // The flush ends only with the process.
                        let _ = tell.send(left).await;
                    }
                }
                Err(error) => tracing::error!(%error, "the process before cannot be told that it may go"),
            }
        }
        if let Err(error) = handover::offer(&dir, boot_id, things, handed_over).await {
            tracing::warn!(%error, "no other process can take over from this one");
        }
    }
}

/// Accepts calls until `shutdown`, or until another process does, then drains. Where nobody takes over it says «not ready»
/// but goes on accepting for a moment, so that load balancers can turn away, then lets the calls in flight end. Returns
/// what holds the connection to whoever took over.
pub(super) async fn serve_calls(
    parts: &Parts,
    listeners: Listeners,
    succession: Succession,
    shutdown: &CancellationToken,
) -> Option<AbortOnDropHandle<()>> {
    let Parts { settings, live, proxy, .. } = parts;
    let (desks, brought) = Desks::new(settings.threads.max(1));
    let front = Arc::new(Front {
        settings: Arc::clone(settings),
        proxy: Arc::clone(proxy),
        places: Places::new(settings, Arc::clone(&live.metrics)),
        desks,
        connections: TaskTracker::new(),
        stop_accepting: CancellationToken::new(),
        stop: CancellationToken::new(),
    });
    let accepting = TaskTracker::new();
    let workers = TaskTracker::new();
    for desk in brought.into_iter().enumerate() {
        if let Err(error) = start_worker(&front, desk, &listeners, &accepting, &workers) {
            tracing::error!(%error, "a worker cannot be started");
        }
    }
    drop(listeners);

    let (data, handed_over) = (Arc::clone(&succession.data), succession.handed_over.clone());
    let passing = AbortOnDropHandle::new(tokio::spawn(succession.pass_on(Arc::clone(live), parts.boot_id)));
    let is_taken = tokio::select! {
        () = shutdown.cancelled() => false,
        () = handed_over.cancelled() => true,
    };
    live.status.drain();
    // From now on responses say `Connection: close`.
    proxy.drain();
    if is_taken {
        data.hand_over();
    } else {
        tokio::time::sleep(settings.drain_delay).await;
    }
    drop(data);
    front.stop_accepting.cancel();
    accepting.close();
    accepting.wait().await;
    let taken = if is_taken {
        Some(passing)
    } else {
        // With it goes the last hold on the listening sockets: who connects now is refused, not kept waiting.
        end(passing).await;
        None
    };
    front.connections.close();
    if is_taken {
        // Nobody waits for this process: who is idle may send one more request, and is told to connect anew.
        let _ = tokio::time::timeout(settings.handover_idle, front.connections.wait()).await;
    }
    // Connections that wait for a next request are closed, those that serve one end with it.
    front.places.close_idle();
    if tokio::time::timeout(settings.drain, front.connections.wait()).await.is_err() {
        tracing::warn!(connections = front.connections.len(), "calls still in flight are cut off");
    }
    front.stop.cancel();
    workers.close();
    workers.wait().await;
    taken
}

/// Ends a task, and waits until it has let go of all it had.
pub(super) async fn end(task: AbortOnDropHandle<()>) {
    task.abort();
    let _ = task.await;
}

/// A thread with a runtime of its own. What it still serves when it is stopped is cut off.
fn start_worker(
    front: &Arc<Front>,
    desk: (usize, UnboundedReceiver<Brought>),
    listeners: &Listeners,
    accepting: &TaskTracker,
    workers: &TaskTracker,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let work = Arc::clone(front).work(desk, listeners.try_clone()?, accepting.clone());
    let running = workers.token();
    std::thread::Builder::new().name("tollgate-worker".to_owned()).spawn(move || {
        runtime.block_on(work);
        drop(runtime);
        drop(running);
    })?;
    Ok(())
}
