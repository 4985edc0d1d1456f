//! The two descriptors to the client: one read buffer, one write buffer, the
//! time limits, and the byte counts that the log line shows at the end.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{MsgFlags, SockType, getsockopt, send, setsockopt, sockopt};

use crate::end::End;
use crate::trace::Trace;

/// How long a client may be silent.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Between two commands, and while it takes nothing of what we send.
    pub idle: Duration,
    /// Within a literal that it announced.
    pub literal: Duration,
}

/// One read takes at most so much while commands are read.
const READ: usize = 1024;
/// One read takes at most so much of a literal.
const READ_LITERAL: usize = 64 * 1024;
/// The reply is written once it is so long, though the command is not done.
const FULL: usize = 32 * 1024;
/// Only one item of a hostile message's reply is longer; nothing of that is kept.
const USUAL: usize = 256 * 1024;
/// A client that paused for so long may pause for longer: buffers are given back.
const PAUSE: Duration = Duration::from_millis(500);
/// A pipe that poll(2) calls writable takes so much without blocking.
const PIPE_BUF: usize = 4096;

/// Part of a reply is with the client, and the rest is not: nothing else may be said.
static MID_REPLY: AtomicBool = AtomicBool::new(false);

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Bytes of the client are there.
    Input,
    /// The watched descriptor is readable.
    Watch,
    /// Nothing happened in time.
    Late,
}

/// The connection.
pub struct Wire {
    input: Vec<u8>,
    /// Bytes of `input` that are used up.
    used: usize,
    out: Vec<u8>,
    signals: Option<SignalFd>,
    socket: bool,
    received: u64,
    sent: u64,
    trace: Option<Trace>,
    /// A reply went out in part only: nothing may follow it.
    broken: bool,
    limits: Limits,
}

impl Wire {
    /// Takes fd 0 and fd 1 as they are: their flags are not ours alone to change.
    pub fn new(limits: Limits) -> Wire {
        let socket = getsockopt(&std::io::stdout(), sockopt::SockType).is_ok_and(|kind| kind == SockType::Stream);
        if socket {
            // The end of a long reply is not to wait until the client confirms what went before. No TCP: no matter.
            let _not_tcp = setsockopt(&std::io::stdout(), sockopt::TcpNoDelay, &true);
        }
        Wire {
            input: Vec::new(),
            used: 0,
            out: Vec::new(),
            signals: None,
            socket,
            received: 0,
            sent: 0,
            trace: None,
            broken: false,
            limits,
        }
    }

    /// From here on TERM, HUP and INT end the session between two steps, with a `BYE`.
    pub fn catch_signals(&mut self) -> Result<(), Errno> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
            set.add(signal);
        }
        set.thread_block()?;
        self.signals = Some(SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?);
        Ok(())
    }

    /// Copies what passes to the trace file.
    pub fn trace(&mut self, trace: Option<Trace>) {
        self.trace = trace;
    }

    /// Bytes read from and written to the client so far.
    pub fn counts(&self) -> (u64, u64) {
        (self.received, self.sent)
    }

    // --- reading ---

    /// What the client sent and nobody took yet.
    pub fn pending(&self) -> &[u8] {
        self.input.get(self.used..).unwrap_or_default()
    }

    /// Takes `count` bytes off `pending`.
    pub fn consume(&mut self, count: usize) {
        self.used = self.used.saturating_add(count).min(self.input.len());
        if self.used == self.input.len() {
            self.input.clear();
            self.used = 0;
        }
    }

    /// Waits for more of a command's line and adds it to `pending`.
    pub fn fill(&mut self) -> Result<(), End> {
        self.read_more(READ, self.limits.idle)
    }

    /// The same within a literal.
    pub fn fill_literal(&mut self) -> Result<(), End> {
        self.read_more(READ_LITERAL, self.limits.literal)
    }

    /// The next bytes of a literal, at most `max`; `consume` what was used.
    pub fn literal(&mut self, max: u64) -> Result<&[u8], End> {
        if self.pending().is_empty() && max > 0 {
            let most = usize::try_from(max).unwrap_or(READ_LITERAL).min(READ_LITERAL);
            self.read_more(most, self.limits.literal)?;
        }
        let pending = self.pending();
        let count = usize::try_from(max).unwrap_or(usize::MAX).min(pending.len());
        Ok(pending.get(..count).unwrap_or_default())
    }

    fn read_more(&mut self, most: usize, limit: Duration) -> Result<(), End> {
        self.flush()?;
        if self.used > 0 {
            self.input.drain(..self.used);
            self.used = 0;
        }
        let deadline = Instant::now() + limit;
        loop {
            if self.pause(deadline.saturating_duration_since(Instant::now()))? == Woken::Late {
                return Err(End::Timeout);
            }
            let length = self.input.len();
            self.input.resize(length.saturating_add(most), 0);
            let read = nix::unistd::read(std::io::stdin(), self.input.get_mut(length..).unwrap_or_default());
            self.input.truncate(length.saturating_add(*read.as_ref().unwrap_or(&0)));
            match read {
                Ok(0) => return Err(End::Disconnected),
                Ok(count) => {
                    self.received = self.received.saturating_add(count as u64);
                    return Ok(());
                }
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(_) => return Err(End::Disconnected),
            }
        }
    }

    /// Sends what is ready, then waits for the client, the watched descriptor, or the time.
    pub fn wait(&mut self, watch: Option<BorrowedFd<'_>>, limit: Duration) -> Result<Woken, End> {
        if !self.pending().is_empty() {
            return Ok(Woken::Input);
        }
        self.flush()?;
        self.give_back();
        self.wait_readable(watch, limit)
    }

    /// A wait for the client with both buffers, while it is busy; with none once it is not.
    fn pause(&mut self, limit: Duration) -> Result<Woken, End> {
        let short = limit.min(PAUSE);
        let woken = self.wait_readable(None, short)?;
        if woken != Woken::Late || short == limit {
            return Ok(woken);
        }
        self.give_back();
        self.wait_readable(None, limit.saturating_sub(short))
    }

    fn give_back(&mut self) {
        self.out.shrink_to_fit();
        self.input.shrink_to_fit();
    }

    fn wait_readable(&self, watch: Option<BorrowedFd<'_>>, limit: Duration) -> Result<Woken, End> {
        let stdin = std::io::stdin();
        let signals = self.signals.as_ref().map(AsFd::as_fd);
        // What there is not, stdin stands in for: it does no harm to look at it twice.
        let mut fds = [Some(stdin.as_fd()), signals, watch]
            .map(|fd| PollFd::new(fd.unwrap_or_else(|| stdin.as_fd()), PollFlags::POLLIN));
        if !poll_until(&mut fds, limit)? {
            return Ok(Woken::Late);
        }
        let [input, signal, _] = fds.map(|fd| fd.any().unwrap_or(true));
        match signal && signals.is_some() {
            true => Err(End::Signal),
            false => Ok(if input { Woken::Input } else { Woken::Watch }),
        }
    }

    // --- writing ---

    /// The reply so far. What is appended here goes out with the next `flush`.
    pub fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Between two pieces of a long reply: writes if enough is waiting.
    pub fn relieve(&mut self) -> Result<(), End> {
        if self.out.len() < FULL {
            return Ok(());
        }
        MID_REPLY.store(true, Ordering::Relaxed);
        self.flush()
    }

    /// The last command is answered to its end.
    pub fn between_replies(&self) {
        MID_REPLY.store(false, Ordering::Relaxed);
    }

    /// Writes all that is waiting.
    pub fn flush(&mut self) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let out = std::mem::take(&mut self.out);
        if let Some(trace) = &mut self.trace {
            trace.written(&out);
        }
        let result = if self.broken { Err(End::Disconnected) } else { self.write_all(&out) };
        self.broken |= result.is_err();
        self.out = out;
        self.out.clear();
        self.out.shrink_to(USUAL);
        result
    }

    /// Notes what a command said, for the trace.
    pub fn trace_command(&mut self, length: usize) {
        if let Some(trace) = &mut self.trace {
            trace.read(self.input.get(self.used..self.used.saturating_add(length)).unwrap_or_default());
        }
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> Result<(), End> {
        while !bytes.is_empty() {
            match self.write_some(bytes) {
                Ok(count) => {
                    self.sent = self.sent.saturating_add(count as u64);
                    bytes = bytes.get(count..).unwrap_or_default();
                }
                Err(Errno::EAGAIN) => self.wait_writable()?,
                Err(Errno::EINTR) => {}
                Err(_) => return Err(End::Disconnected),
            }
        }
        Ok(())
    }

    /// One write that does not block for longer than the idle limit.
    fn write_some(&self, bytes: &[u8]) -> Result<usize, Errno> {
        if self.socket {
            let fd = std::io::stdout().as_raw_fd();
            return send(fd, bytes, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL);
        }
        self.wait_writable().map_err(|_| Errno::EPIPE)?;
        nix::unistd::write(std::io::stdout(), bytes.get(..PIPE_BUF).unwrap_or(bytes))
    }

    /// A client that takes nothing is no reason to hang. Signals end this too: it may take long.
    fn wait_writable(&self) -> Result<(), End> {
        let stdout = std::io::stdout();
        let signals = self.signals.as_ref().map(AsFd::as_fd);
        let mut fds = [
            PollFd::new(stdout.as_fd(), PollFlags::POLLOUT),
            PollFd::new(signals.unwrap_or_else(|| stdout.as_fd()), PollFlags::POLLIN),
        ];
        if !poll_until(if signals.is_some() { &mut fds } else { &mut fds[..1] }, self.limits.idle)? {
            return Err(End::Timeout);
        }
        let [writable, _] = fds.map(|fd| fd.any().unwrap_or(true));
        if writable { Ok(()) } else { Err(End::Signal) }
    }
}

/// For the panic hook, which has no `Wire`: a last line, if a line may stand here.
pub fn last_words(line: &[u8]) {
    if !MID_REPLY.load(Ordering::Relaxed) {
        let _nobody_listens = nix::unistd::write(std::io::stdout(), line);
    }
}

/// poll(2) that goes on after a signal that nobody waits for. False: the time is up.
fn poll_until(fds: &mut [PollFd<'_>], limit: Duration) -> Result<bool, End> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up: a wait that ends early would spin.
        let left = PollTimeout::try_from(left + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX);
        match nix::poll::poll(fds, left) {
            Ok(0) if Instant::now() < deadline => {}
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(Errno::EINTR) => {}
            Err(_) => return Err(End::Disconnected),
        }
    }
}
