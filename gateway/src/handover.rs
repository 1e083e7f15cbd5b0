//! From one process to the next without a refused connection: the old one hands its listening sockets, and the locks on
//! what it keeps, to the new one over a Unix socket in the data directory.
//!
//! The new process asks, loads all it needs, accepts calls, and only then says so; until it has, the old one goes on as if
//! nothing had happened. A lock that is handed over is never free in between: it belongs to the open file, which
//! both have. Journals are named after their process: the old one hands in its own and clears them away; what it leaves
//! when it is gone, the new one does.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const SOCKET: &str = "upgrade.sock";
/// Things handed over at most.
const THINGS_MAX: usize = 16;
const LETTER_BYTES_MAX: usize = 4096;
/// How long the new process may take to load everything and to accept calls.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// The new process accepts calls.
const READY: u8 = b'r';
/// What a path to a Unix socket may have (`sun_path`), with room to spare.
const PATH_BYTES_MAX: usize = 100;

/// An open socket or file with its name.
pub(crate) type Thing = (String, Arc<OwnedFd>);

/// What comes with the things.
#[derive(Serialize, Deserialize)]
struct Letter {
    /// Who hands over.
    boot_id: Uuid,
    /// The names of the things, in their order.
    names: Vec<String>,
}

/// What a new process has from the old one.
pub(crate) struct Inheritance {
    /// Who handed over.
    pub(crate) boot_id: Uuid,
    things: Vec<(String, OwnedFd)>,
    stream: UnixStream,
}

impl Inheritance {
    /// Takes a thing out by its name.
    pub(crate) fn take(&mut self, name: &str) -> Option<OwnedFd> {
        let at = self.things.iter().position(|(known, _)| known == name)?;
        Some(self.things.swap_remove(at).1)
    }

    /// What nobody took: kept, and handed on one day.
    pub(crate) fn rest(&mut self) -> Vec<Thing> {
        std::mem::take(&mut self.things).into_iter().map(|(name, fd)| (name, Arc::new(fd))).collect()
    }

    /// Says that calls are accepted: the old process begins to go. Returns what tells when it is gone.
    pub(crate) fn confirm(self) -> io::Result<Predecessor> {
        let mut stream = self.stream;
        stream.write_all(&[READY])?;
        stream.set_nonblocking(true)?;
        Ok(Predecessor { boot_id: self.boot_id, stream: tokio::net::UnixStream::from_std(stream)? })
    }
}

/// The process that handed over, while it ends its calls.
pub(crate) struct Predecessor {
    pub(crate) boot_id: Uuid,
    stream: tokio::net::UnixStream,
}

impl Predecessor {
    /// Waits until the process is gone, however it went: its end of the connection is closed.
    pub(crate) async fn gone(&self) {
        // Nothing is ever sent this way: what becomes readable is the end.
        let _ = self.stream.readable().await;
    }
}

/// Asks the process that runs on `dir` for all it has; none where there is none.
///
/// # Errors
/// When it does not answer in order.
pub(crate) async fn take_over(dir: PathBuf) -> io::Result<Option<Inheritance>> {
    tokio::task::spawn_blocking(move || {
        let (path, _dir) = socket_path(&dir)?;
        let stream = match UnixStream::connect(path) {
            Ok(stream) => stream,
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        stream.set_read_timeout(Some(READY_WITHIN))?;
        let (letter, things) = receive(&stream)?;
        if letter.names.len() != things.len() {
            return Err(io::Error::other("fewer things came than were announced"));
        }
        let things = letter.names.into_iter().zip(things).collect();
        Ok(Some(Inheritance { boot_id: letter.boot_id, things, stream }))
    })
    .await
    .map_err(io::Error::other)?
}

/// Hands `things` to whoever asks, one after the other, until somebody accepts calls in our place: then `taken` is
/// cancelled. The connection to them stays open as long as this is awaited.
///
/// # Errors
/// When the socket cannot be made.
pub(crate) async fn offer(
    dir: &Path,
    boot_id: Uuid,
    things: Vec<Thing>,
    taken: CancellationToken,
) -> io::Result<()> {
    let (path, _dir) = socket_path(dir)?;
    // Whose it was is gone, or hands over: the lock is ours.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = tokio::net::UnixListener::bind(&path)?;
    let mut socket = Socket(Some(path));
    loop {
        let (stream, _) = listener.accept().await?;
        if stream.peer_cred()?.uid() != rustix::process::geteuid().as_raw() {
            continue;
        }
        let stream = stream.into_std()?;
        let letter = Letter { boot_id, names: things.iter().map(|(name, _)| name.clone()).collect() };
        let things = things.clone();
        let handed = tokio::task::spawn_blocking(move || hand(stream, &letter, &things));
        match handed.await.map_err(io::Error::other)? {
            Ok(_stream) => {
                tracing::info!("another process accepts calls in place of this one");
                // The next one makes its own.
                socket.0 = None;
                taken.cancel();
                return std::future::pending().await;
            }
            Err(error) => tracing::warn!(%error, "a process that asked to take over did not; going on"),
        }
    }
}

/// The socket's file, removed when nobody can ask there any more.
struct Socket(Option<PathBuf>);

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // What stays is replaced by the next start.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Hands over and waits for the word that calls are accepted.
fn hand(mut stream: UnixStream, letter: &Letter, things: &[Thing]) -> io::Result<UnixStream> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(READY_WITHIN))?;
    let text = serde_json::to_vec(letter)?;
    let fds: Vec<BorrowedFd<'_>> = things.iter().map(|(_, fd)| fd.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(THINGS_MAX))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(io::Error::other("there is too much to hand over"));
    }
    sendmsg(&stream, &[IoSlice::new(&text)], &mut ancillary, SendFlags::empty())?;
    let mut word = [0];
    stream.read_exact(&mut word)?;
    if word == [READY] {
        Ok(stream)
    } else {
        Err(io::Error::other("it said something else than that it is ready"))
    }
}

fn receive(stream: &UnixStream) -> io::Result<(Letter, Vec<OwnedFd>)> {
    let mut text = vec![0; LETTER_BYTES_MAX];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(THINGS_MAX))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received =
        recvmsg(stream, &mut [IoSliceMut::new(&mut text)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let fds = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds),
        _ => None,
    });
    let fds = fds.flatten().collect();
    Ok((serde_json::from_slice(&text[..received.bytes])?, fds))
}

/// The path of the socket; a long one is shortened by way of the directory, which must be kept open as long.
fn socket_path(dir: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let path = dir.join(SOCKET);
    if path.as_os_str().len() <= PATH_BYTES_MAX {
        return Ok((path, None));
    }
    let dir = File::open(dir)?;
    let short = format!("/proc/self/fd/{}/{SOCKET}", std::os::fd::AsRawFd::as_raw_fd(&dir));
    Ok((short.into(), Some(dir)))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn offered(dir: &Path) -> (tokio::task::JoinHandle<io::Result<()>>, CancellationToken) {
        let thing: OwnedFd = tempfile::tempfile().unwrap().into();
        let taken = CancellationToken::new();
        let (dir_too, token) = (dir.to_owned(), taken.clone());
        let offering = tokio::spawn(async move {
            offer(&dir_too, Uuid::from_u128(7), vec![("thing".to_owned(), Arc::new(thing))], token).await
        });
        while !dir.join(SOCKET).exists() {
            tokio::task::yield_now().await;
        }
        (offering, taken)
    }

    #[tokio::test]
    async fn who_asks_and_dies_changes_nothing_and_who_confirms_takes_over() {
        let dir = tempfile::tempdir().unwrap();
        assert!(take_over(dir.path().to_owned()).await.unwrap().is_none());
        let (offering, taken) = offered(dir.path()).await;
        drop(take_over(dir.path().to_owned()).await.unwrap().unwrap());
        let mut inheritance = take_over(dir.path().to_owned()).await.unwrap().unwrap();
        assert_eq!(inheritance.boot_id, Uuid::from_u128(7));
        assert!(inheritance.take("thing").is_some() && inheritance.take("thing").is_none());
        assert!(!taken.is_cancelled());
        let predecessor = inheritance.confirm().unwrap();
        taken.cancelled().await;
        offering.abort();
        predecessor.gone().await;
    }

    #[tokio::test]
    async fn a_directory_with_a_long_name_will_do() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("x".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        let (_offering, _taken) = offered(&deep).await;
        assert!(take_over(deep).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_lock_that_is_handed_over_is_never_free_in_between() {
        let dir = tempfile::tempdir().unwrap();
        let open =
            || File::options().create(true).truncate(true).write(true).open(dir.path().join("lock")).unwrap();
        let first = open();
        first.try_lock().unwrap();
        let taken = CancellationToken::new();
        let things = vec![("lock".to_owned(), Arc::new(OwnedFd::from(first)))];
        let (path, token) = (dir.path().to_owned(), taken.clone());
        let offering = tokio::spawn(async move { offer(&path, Uuid::nil(), things, token).await });
        while !dir.path().join(SOCKET).exists() {
            tokio::task::yield_now().await;
        }
        let mut inheritance = take_over(dir.path().to_owned()).await.unwrap().unwrap();
        let second = inheritance.take("lock").unwrap();
        offering.abort();
        let _ = offering.await;
        assert!(open().try_lock().is_err(), "the new process holds it");
        // Whoever handed over waits for a word until the connection is closed.
        drop((second, inheritance));
        let began = std::time::Instant::now();
        while open().try_lock().is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "never free");
            tokio::task::yield_now().await;
        }
    }
}
