//! The client's descriptors, in both halves: with deadlines, limits and counters.
//!
//! What stands behind the login command belongs to the programs that follow, so no byte beyond a
//! command's end may be taken from descriptor 0. On a socket the kernel shows bytes without giving
//! them away (MSG_PEEK); from a pipe they are read one by one.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use zeroize::{Zeroize, Zeroizing};

use crate::End;

/// A command's longest form, and so the buffer at its largest.
const COMMAND: usize = 8 * 1024;
/// What holds most commands.
const USUAL: usize = 512;
/// Bytes from a stranger.
const TOTAL: u64 = 64 * 1024;

/// Why there are no more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The client is gone, or takes nothing.
    Closed,
    /// It said nothing for too long.
    Idle,
    /// The time for logging in is over.
    Expired,
    /// It said too much.
    TooMuch,
}

impl From<Stop> for End {
    fn from(stop: Stop) -> End {
        match stop {
            Stop::Closed => End::Closed,
            Stop::Idle => End::Idle,
            Stop::Expired => End::Expired,
            Stop::TooMuch => End::Nonsense,
        }
    }
}

/// Until when, by the monotonic clock in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(u64);

impl Deadline {
    /// So many seconds from now; none is now.
    pub fn within(seconds: i64) -> Deadline {
        let milliseconds = u64::try_from(seconds).unwrap_or(0).saturating_mul(1000);
        Deadline(sys::clock::monotonic_milliseconds().saturating_add(milliseconds))
    }

    /// A little later, for the half that watches over the other.
    pub fn and_a_little(self) -> Deadline {
        Deadline(self.0.saturating_add(1000))
    }

    /// Waits until the descriptor is ready, or the deadline is over: `false`.
    pub fn wait(self, fd: BorrowedFd<'_>, events: PollFlags) -> io::Result<bool> {
        loop {
            let left = self.0.saturating_sub(sys::clock::monotonic_milliseconds());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(fd, events)], timeout) {
                Ok(0) if left == 0 => return Ok(false),
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(true),
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// The earlier of the two.
    pub fn or_earlier(self, other: Deadline) -> Deadline {
        Deadline(self.0.min(other.0))
    }
}

/// The conversation with a client.
pub struct Wire {
    input: BorrowedFd<'static>,
    output: BorrowedFd<'static>,
    deadline: Deadline,
    idle: u32,
    peeks: bool,
    buffer: Zeroizing<Vec<u8>>,
    /// Bytes at the beginning of the buffer that have been taken from the descriptor.
    kept: usize,
    /// Those, and the ones behind them that only have been looked at.
    seen: usize,
    out: Vec<u8>,
    received: u64,
    sent: u64,
    commands: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(deadline: Deadline, idle: u32, sent: u64) -> Wire {
        Wire::on(sys::descriptors::standard(0), sys::descriptors::standard(1), deadline, idle, sent)
    }

    fn on(input: BorrowedFd<'static>, output: BorrowedFd<'static>, deadline: Deadline, idle: u32, sent: u64) -> Wire {
        Wire {
            input,
            output,
            deadline,
            idle,
            peeks: true,
            buffer: Zeroizing::new(vec![0; USUAL]),
            kept: 0,
            seen: 0,
            out: Vec::new(),
            received: 0,
            sent,
            commands: Vec::new(),
        }
    }

    /// The present command as far as it is there. The bytes beyond those kept are only looked at:
    /// after [`Wire::keep`] they must be looked at again.
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.seen).unwrap_or_default()
    }

    /// How many of them have been taken.
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// Sends what is to be sent, then waits for at least one byte more than are kept.
    /// `certain`: so many bytes more belong to this command in any case; at least one.
    pub fn look(&mut self, certain: usize) -> Result<(), Stop> {
        self.flush()?;
        self.seen = self.kept;
        loop {
            let soon = self.deadline.or_earlier(Deadline::within(i64::from(self.idle)));
            match soon.wait(self.input, PollFlags::POLLIN) {
                Ok(true) => {}
                Ok(false) if self.deadline.0 <= soon.0 => return Err(Stop::Expired),
                Ok(false) => return Err(Stop::Idle),
                Err(_) => return Err(Stop::Closed),
            }
            match self.see(certain.max(1)) {
                Ok(0) => return Err(Stop::Closed),
                Ok(_) => return Ok(()),
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(_) => return Err(Stop::Closed),
            }
        }
    }

    fn see(&mut self, certain: usize) -> io::Result<usize> {
        if self.kept == self.buffer.len() {
            self.grow();
        }
        let room = self.buffer.get_mut(self.kept..).unwrap_or_default();
        if self.peeks {
            match sys::descriptors::peek(self.input, room) {
                Err(e) if e.raw_os_error() == Some(Errno::ENOTSOCK as i32) => self.peeks = false,
                Err(e) => return Err(e),
                Ok(n) => {
                    self.seen = self.kept + n;
                    return Ok(n);
                }
            }
        }
        let length = certain.min(room.len());
        let n = nix::unistd::read(self.input, room.get_mut(..length).unwrap_or_default())?;
        self.received = self.received.saturating_add(n as u64);
        self.kept += n;
        self.seen = self.kept;
        Ok(n)
    }

    /// Makes room for the longest command; the old buffer is wiped.
    fn grow(&mut self) {
        let mut larger = Zeroizing::new(vec![0; COMMAND]);
        larger.iter_mut().zip(self.buffer.iter()).for_each(|(new, old)| *new = *old);
        self.buffer = larger;
    }

    /// Takes the bytes up to this place of [`Wire::bytes`]: they belong to the command.
    pub fn keep(&mut self, up_to: usize) -> Result<(), Stop> {
        while self.kept < up_to.min(self.seen) {
            let room = self.buffer.get_mut(self.kept..up_to).unwrap_or_default();
            match nix::unistd::read(self.input, room) {
                Ok(0) => return Err(Stop::Closed),
                Ok(n) => {
                    self.kept += n;
                    self.received = self.received.saturating_add(n as u64);
                }
                Err(Errno::EINTR) => {}
                Err(_) => return Err(Stop::Closed),
            }
        }
        self.seen = self.kept;
        if self.received > TOTAL { Err(Stop::TooMuch) } else { Ok(()) }
    }

    /// The command is done with: its bytes, which may hold a password, are wiped.
    pub fn clear(&mut self) {
        if let Some(bytes) = self.buffer.get_mut(..self.seen) {
            bytes.zeroize();
        }
        self.kept = 0;
        self.seen = 0;
    }

    /// Where answers are appended; they go out before the next wait.
    pub fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Sends what is to be sent.
    pub fn flush(&mut self) -> Result<(), Stop> {
        if self.out.is_empty() {
            return Ok(());
        }
        self.sent = self.sent.saturating_add(self.out.len() as u64);
        let result = write(self.output, &self.out, self.deadline);
        self.out.clear();
        result.map_err(|_| Stop::Closed)
    }

    /// Reads over what a client that is sent away has said too much, as far as that is bearable: to
    /// close a socket with unread bytes in it resets the connection, and the last words are lost.
    pub(crate) fn drain(&mut self) {
        self.idle = self.idle.min(1);
        self.clear();
        let limit = self.received.saturating_add(TOTAL);
        while self.received < limit && self.look(COMMAND).is_ok() {
            let seen = self.bytes().len();
            // That it is too much is known by now.
            if self.keep(seen) == Err(Stop::Closed) {
                return;
            }
            self.clear();
        }
    }

    /// Remembers a command's name for the log.
    pub fn note(&mut self, command: &[u8]) {
        let words = [&b" "[..], command];
        let room = 512usize.saturating_sub(self.commands.len());
        let start = usize::from(self.commands.is_empty());
        self.commands.extend(words.concat().iter().skip(start).take(room));
    }

    pub(crate) fn into_counts(self) -> (u64, u64, Vec<u8>) {
        (self.received, self.sent, self.commands)
    }
}

/// Writes all, or gives up at the deadline. In pieces that a ready descriptor takes at once.
pub(crate) fn write(fd: BorrowedFd<'_>, bytes: &[u8], deadline: Deadline) -> io::Result<()> {
    for piece in bytes.chunks(4096) {
        let mut rest = piece;
        while !rest.is_empty() {
            if !deadline.wait(fd.as_fd(), PollFlags::POLLOUT)? {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match nix::unistd::write(fd, rest) {
                Ok(n) => rest = rest.get(n..).unwrap_or_default(),
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
