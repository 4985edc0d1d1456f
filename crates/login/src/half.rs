//! The two halves: fork, one record, and the end of the child.

use crate::confine::confine;
use crate::record::Record;
use crate::settings::Settings;
use crate::wire::{Deadline, Wire, write};
use crate::{End, Outcome, Protocol};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::PollFlags;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, pipe2};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use sys::process::Fork;
use zeroize::Zeroizing;

/// The descriptor of the record, in the conversation half.
const RECORD: i32 = 3;

/// Why there is no record.
pub enum Lost {
    /// A system call of ours failed.
    Failed(&'static str, io::Error),
    /// It ended without a record: a bug, or an attack that found one.
    Died(WaitStatus),
    /// It did not end in time, though it keeps the time itself.
    Stuck,
}

/// Lets a half of its own talk to the client, and gives its record once that half is no more.
pub fn talk<P: Protocol>(protocol: &P, settings: &Settings, deadline: Deadline, sent: u64) -> Result<Record, Lost> {
    let (reading, writing) = pipe2(OFlag::O_CLOEXEC).map_err(|e| Lost::Failed("pipe", e.into()))?;
    let parent = getpid();
    match sys::process::fork().map_err(|e| Lost::Failed("fork", e))? {
        Fork::Child => {
            let code = converse(protocol, settings, deadline, sent, parent, writing);
            sys::process::exit_now(code)
        }
        Fork::Parent(child) => {
            drop(writing);
            let said = receive(&reading, deadline.and_a_little());
            let status = end(child);
            Record::decode(&said?).ok_or(Lost::Died(status))
        }
    }
}

/// The conversation half, from its first step to its exit code.
fn converse<P: Protocol>(
    protocol: &P,
    settings: &Settings,
    deadline: Deadline,
    sent: u64,
    parent: Pid,
    writing: OwnedFd,
) -> i32 {
    // From here on there is the connection, the record, and no log.
    let record = match sys::descriptors::place(writing, RECORD).and_then(|()| sys::descriptors::close_from(RECORD + 1))
    {
        Ok(()) => sys::descriptors::inherited(RECORD),
        Err(_) => None,
    };
    let Some(record) = record else { return chain::exit::TEMPORARY };
    let _ = nix::unistd::close(2);
    let ended = match confine(parent) {
        Ok(()) => hold(protocol, Wire::new(deadline, settings.idle, sent)),
        Err(why) => Record::unconfined(why),
    };
    let told = ended.encode().and_then(|bytes| write(record.as_fd(), &bytes, deadline.and_a_little()).ok());
    // To close a descriptor is not among the calls that are left; the end of the process does it.
    std::mem::forget(record);
    told.map_or(chain::exit::TEMPORARY, |()| chain::exit::DONE)
}

/// The conversation itself, up to its last words.
fn hold<P: Protocol>(protocol: &P, mut wire: Wire) -> Record {
    let outcome = protocol.converse(&mut wire).unwrap_or_else(|stop| Outcome::End(stop.into()));
    if let Outcome::End(end) = outcome {
        protocol.dismiss(end, wire.out());
    }
    let _ = wire.flush();
    if matches!(outcome, Outcome::End(End::Nonsense)) {
        wire.drain();
    }
    let (received, sent, commands) = wire.into_counts();
    Record { outcome: Ok(outcome), received, sent, commands }
}

/// Reads a record: its length, then as much as that and no more.
fn receive(reading: &OwnedFd, deadline: Deadline) -> Result<Zeroizing<Vec<u8>>, Lost> {
    let mut head = [0; 2];
    let length = fill(reading, &mut head, deadline)?;
    let whole = head.get(..length).and_then(Record::length).unwrap_or(length);
    let mut bytes = Zeroizing::new(vec![0; whole]);
    let (start, rest) = bytes.split_at_mut(length);
    start.copy_from_slice(head.get(..length).unwrap_or_default());
    let length = length + fill(reading, rest, deadline)?;
    bytes.truncate(length);
    Ok(bytes)
}

/// Fills the buffer, or as much of it as there is up to the end.
fn fill(reading: &OwnedFd, buffer: &mut [u8], deadline: Deadline) -> Result<usize, Lost> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match deadline.wait(reading.as_fd(), PollFlags::POLLIN) {
            Ok(true) => {}
            Ok(false) => return Err(Lost::Stuck),
            Err(e) => return Err(Lost::Failed("poll", e)),
        }
        match nix::unistd::read(reading, rest) {
            Ok(0) => break,
            Ok(n) => length += n,
            Err(Errno::EINTR) => {}
            Err(e) => return Err(Lost::Failed("read", e.into())),
        }
    }
    Ok(length)
}

/// Nothing but the chain may hold the connection: the child goes, whatever it is doing.
fn end(child: Pid) -> WaitStatus {
    let _ = kill(child, Signal::SIGKILL);
    loop {
        match waitpid(child, None) {
            Err(Errno::EINTR) => {}
            Ok(status) => return status,
            // Whoever started us may have asked the kernel to reap.
            Err(_) => return WaitStatus::StillAlive,
        }
    }
}

impl Lost {
    /// How a conversation that was lost counts for the log.
    pub fn describe(&self) -> Option<String> {
        Some(match self {
            Lost::Failed(what, e) => format!("unable to {what}: {}", chain::reason(e)),
            Lost::Died(WaitStatus::Signaled(_, signal, _)) => {
                format!("conversation ended by signal {}", *signal as i32)
            }
            Lost::Died(_) => "conversation ended without a record".to_owned(),
            Lost::Stuck => return None,
        })
    }

    /// The end that it is for the client.
    pub fn end(&self) -> End {
        match self {
            Lost::Stuck => End::Expired,
            _ => End::Closed,
        }
    }
}
