//! `-pid`, `-stop`, `-restart`: a daemon that is found again by a file.
//!
//! The lock is on the file beside, `FILE.lock`, as in Courier: who can take it knows that no daemon runs, whatever
//! number the pid file holds.

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, pipe2, setsid};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use sys::lock::{Kind, attempt};
use sys::process::{Fork, fork};

/// A lock that lasts as long as the daemon.
#[derive(Debug)]
pub struct Held {
    _lock: File,
}

/// Takes the lock; none where a daemon runs already.
pub fn lock(pid_file: &Path) -> io::Result<Option<Held>> {
    let lock = open_lock(pid_file, true)?;
    Ok(attempt(lock.as_fd(), Kind::Exclusive)?.then_some(Held { _lock: lock }))
}

/// The two sides of going into the background.
pub enum Side {
    /// The one that was started: it waits for the other to be ready and ends with this code.
    Starter(i32),
    /// The daemon, in a session of its own; it says on this descriptor that it is ready.
    Daemon(OwnedFd),
}

/// Goes into the background.
pub fn detach() -> io::Result<Side> {
    let (heard, said) = pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    match fork()? {
        Fork::Child => {
            drop(heard);
            setsid()?;
            Ok(Side::Daemon(said))
        }
        Fork::Parent(_) => {
            drop(said);
            let mut byte = [0];
            // The end of the pipe without a byte: the daemon ended, and said why.
            let ready = matches!(File::from(heard).read(&mut byte), Ok(1));
            Ok(Side::Starter(if ready { chain::exit::DONE } else { chain::exit::TEMPORARY }))
        }
    }
}

/// Writes our process id.
pub fn write_pid(pid_file: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(pid_file)?;
    writeln!(file, "{}", std::process::id())
}

/// Sends a signal to the daemon. Where none runs there is nothing to do.
pub fn send(pid_file: &Path, signal: Signal) -> io::Result<()> {
    let lock = match open_lock(pid_file, false) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        lock => lock?,
    };
    if attempt(lock.as_fd(), Kind::Exclusive)? {
        return Ok(());
    }
    let text = std::fs::read_to_string(pid_file)?;
    let pid = text.trim().parse::<i32>().ok().filter(|pid| *pid > 1).ok_or(io::ErrorKind::InvalidData)?;
    kill(Pid::from_raw(pid), signal)?;
    Ok(())
}

/// Ends the connections of the daemon too: they are in its process group.
pub fn end_group() {
    // Our own copy of the signal waits in the mask; we are about to end anyway.
    let _ = kill(Pid::from_raw(0), Signal::SIGTERM);
}

fn open_lock(pid_file: &Path, create: bool) -> io::Result<File> {
    let mut name = pid_file.as_os_str().to_owned();
    name.push(".lock");
    OpenOptions::new().read(true).write(true).create(create).mode(0o644).open(PathBuf::from(name))
}
