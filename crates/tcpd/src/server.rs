//! The loop: accept, decide, start the program, reap.

use crate::access::Source;
use crate::child::Child;
use crate::connection::Connection;
use crate::decide::{Decision, decide};
use crate::launch::Launch;
use crate::limits::{Slots, Verdict};
use crate::once::OnceAMinute;
use crate::options::{Haproxy, Options};
use crate::ports::{Bind, Port, bytes_of};
use crate::refuse::{Protocol, Reason, close_with};
use crate::report::{self, Message};
use crate::rule::Dialect;
use crate::{PROGRAM, daemon};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};
use sys::process::{Fork, fork};

/// For how long no connection is taken after the system had no descriptor or memory for one.
const PAUSE: Duration = Duration::from_secs(1);

/// A running server.
pub struct Server {
    /// The command line.
    pub options: Options,
    /// The sockets that listen.
    pub sockets: Vec<TcpListener>,
    /// The access database.
    pub source: Option<Source>,
    /// The program.
    pub launch: Launch,
    /// SIGCHLD, SIGHUP, SIGTERM and SIGINT, blocked and read here.
    pub signals: SignalFd,
    /// Who is served.
    pub slots: Slots,
    /// Children that are not the program yet, with the way to each.
    pub preparing: Vec<(i32, OwnedFd)>,
    /// What is said once a minute.
    pub said: Said,
    /// No connection is taken before.
    pub paused: Option<Instant>,
}

/// The lines that Courier writes at most once a minute.
#[derive(Default)]
pub struct Said {
    full: OnceAMinute,
    many: OnceAMinute,
    no_accept: OnceAMinute,
}

/// What a turn of the loop found.
struct Found {
    signals: bool,
    /// Of the children that prepare.
    children: Vec<usize>,
    sockets: Vec<usize>,
}

impl Server {
    /// Serves until SIGTERM or SIGINT.
    pub fn run(mut self) -> i32 {
        loop {
            let found = match self.wait() {
                Ok(found) => found,
                Err(Errno::EINTR) => continue,
                Err(e) => {
                    PROGRAM.fatal(chain::exit::TEMPORARY, format!("poll: {}", chain::reason(&e.into())).as_bytes())
                }
            };
            if found.signals && self.take_signals() {
                return chain::exit::DONE;
            }
            // From the end, as those that are done leave the list.
            for at in found.children.into_iter().rev() {
                self.hear(at);
            }
            for at in found.sockets {
                self.accept(at);
            }
        }
    }

    /// Waits for a signal, a child's word or a connection. While all slots are taken, connections wait in the
    /// system's queue.
    fn wait(&mut self) -> Result<Found, Errno> {
        let now = Instant::now();
        let pause = self.paused.and_then(|until| until.checked_duration_since(now));
        if pause.is_none() {
            self.paused = None;
        }
        let open = !self.slots.full() && pause.is_none();
        let sockets = if open { self.sockets.as_slice() } else { &[] };
        let mut polled = Vec::with_capacity(1 + self.preparing.len() + sockets.len());
        polled.push(PollFd::new(self.signals.as_fd(), PollFlags::POLLIN));
        polled.extend(self.preparing.iter().map(|(_, fd)| PollFd::new(fd.as_fd(), PollFlags::POLLIN)));
        polled.extend(sockets.iter().map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN)));
        let timeout = pause.and_then(|pause| PollTimeout::try_from(pause).ok()).unwrap_or(PollTimeout::NONE);
        poll(&mut polled, timeout)?;
        let mut ready = polled.iter().map(|fd| fd.any().unwrap_or(true));
        let signals = ready.next().unwrap_or(false);
        let indices =
            |ready: Vec<bool>| ready.into_iter().enumerate().filter(|(_, ready)| *ready).map(|(at, _)| at).collect();
        let children = indices(ready.by_ref().take(self.preparing.len()).collect());
        Ok(Found { signals, children, sockets: indices(ready.collect()) })
    }

    /// True where it is time to end.
    fn take_signals(&mut self) -> bool {
        while let Ok(Some(info)) = self.signals.read_signal() {
            match i32::try_from(info.ssi_signo).map(Signal::try_from) {
                Ok(Ok(Signal::SIGCHLD)) => self.reap(),
                Ok(Ok(Signal::SIGHUP)) => self.refresh(true),
                _ => {
                    if self.options.pid.is_some() {
                        daemon::end_group();
                    }
                    return true;
                }
            }
        }
        false
    }

    fn reap(&mut self) {
        let now = Instant::now();
        while let Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..)) =
            waitpid(None, Some(WaitPidFlag::WNOHANG))
        {
            self.slots.release(pid.as_raw(), now);
        }
    }

    fn accept(&mut self, at: usize) {
        // Another socket may have taken the last slot in this very turn.
        if self.slots.full() {
            return;
        }
        let (stream, remote) = match self.sockets.get(at).map(TcpListener::accept) {
            Some(Ok(accepted)) => accepted,
            Some(Err(e)) => return self.not_accepted(&e),
            None => return,
        };
        // A client that is gone again has no second address.
        let Ok(local) = stream.local_addr() else { return };
        self.refresh(false);
        self.count();
        let connection = Connection::new(remote, local);
        let proxied = self.options.haproxy.as_ref().is_some_and(|proxy| proxy.applies_to(local));
        if proxied || self.options.dns || self.options.ident {
            self.prepare(stream, connection, proxied);
        } else {
            self.serve(stream, connection);
        }
    }

    /// The short way: all is known, the program starts at once.
    fn serve(&mut self, stream: TcpStream, connection: Connection) {
        let protocol = self.protocol(connection.local);
        let variables = match decide(&self.options, self.source.as_ref().and_then(Source::access), &connection) {
            Decision::Serve { variables, per_address } => {
                if self.turned_away(&stream, &connection, per_address) {
                    return;
                }
                variables
            }
            refused => {
                let refusal = refused.refusal(&self.options, protocol, &connection);
                PROGRAM.log(&refusal.line);
                return close_with(&stream, &refusal.farewell);
            }
        };
        let address = bytes_of(connection.remote.ip());
        match self.launch.spawn(&stream, &connection.variables(variables)) {
            Ok(pid) => self.slots.take(pid.as_raw(), Some(address), Instant::now()),
            Err(e) => {
                PROGRAM.warn(&self.launch.failure(&e));
                close_with(&stream, protocol.farewell(Reason::Broken));
            }
        }
    }

    /// The long way: a child finds out what is missing.
    fn prepare(&mut self, stream: TcpStream, connection: Connection, proxied: bool) {
        let protocol = self.protocol(connection.local);
        let address = if proxied { None } else { Some(bytes_of(connection.remote.ip())) };
        if !proxied && self.refused_already(&stream, &connection, protocol) {
            return;
        }
        let forked = report::pair().and_then(|(ours, theirs)| Ok((ours, theirs, fork()?)));
        match forked {
            Ok((ours, server, Fork::Child)) => {
                // What it kept open would hold our ports, and other children, beyond our end.
                drop(ours);
                self.sockets.clear();
                self.preparing.clear();
                let proxy = self.options.haproxy.as_ref().filter(|_| proxied);
                let source = self.source.as_ref();
                let child = Child { options: &self.options, source, launch: &self.launch, protocol, server };
                child.run(stream, connection, proxy)
            }
            Ok((ours, _, Fork::Parent(pid))) => {
                self.slots.take(pid.as_raw(), address, Instant::now());
                self.preparing.push((pid.as_raw(), ours));
            }
            Err(e) => {
                PROGRAM.warn(format!("unable to fork: {}", chain::reason(&e)).as_bytes());
                close_with(&stream, protocol.farewell(Reason::Broken));
            }
        }
    }

    /// What is wrong whatever the names will be. Rules for names can only be known by the child.
    fn refused_already(&self, stream: &TcpStream, connection: &Connection, protocol: Protocol) -> bool {
        let access = self.source.as_ref().and_then(Source::access);
        let per_address = match decide(&self.options, access, connection) {
            Decision::Serve { per_address, .. } => per_address,
            _ if access.is_some_and(|access| access.dialect() == Dialect::Tcprules) => None,
            refused => {
                let refusal = refused.refusal(&self.options, protocol, connection);
                PROGRAM.log(&refusal.line);
                close_with(stream, &refusal.farewell);
                return true;
            }
        };
        self.turned_away(stream, connection, per_address)
    }

    fn turned_away(&self, stream: &TcpStream, connection: &Connection, per_address: Option<usize>) -> bool {
        let reason = match self.slots.judge(bytes_of(connection.remote.ip()), per_address, Instant::now()) {
            Verdict::Admit => return false,
            Verdict::AddressFull => Reason::AddressFull,
            Verdict::BlockFull => Reason::BlockFull,
            Verdict::Reserved => Reason::Full,
        };
        PROGRAM.log(&reason.event(connection));
        close_with(stream, self.protocol(connection.local).farewell(reason));
        true
    }

    /// A word of a child that prepares, or its end: it is the program now, or gone.
    fn hear(&mut self, at: usize) {
        let Some((pid, fd)) = self.preparing.get(at) else { return };
        match report::hear(fd) {
            Some(Message::Claim { address, per_address }) => {
                let verdict = self.slots.judge_holder(*pid, address, per_address, Instant::now());
                if verdict == Verdict::Admit {
                    self.slots.name(*pid, address);
                }
                report::answer(fd, verdict);
            }
            Some(Message::Event(line)) => PROGRAM.log(&line),
            Some(Message::Warning(line)) => PROGRAM.warn(&line),
            None => drop(self.preparing.swap_remove(at)),
        }
    }

    /// Courier's lines about the number of connections.
    fn count(&mut self) {
        let (taken, now) = (self.slots.taken() + 1, Instant::now());
        if taken >= self.options.limits.slots {
            if self.said.full.due(now) {
                PROGRAM.log(format!("ALERT: {} maximum active connections.", self.options.limits.slots).as_bytes());
            }
        } else if taken >= self.options.warn && self.said.many.due(now) {
            PROGRAM.log(format!("WARN: {taken} active connections.").as_bytes());
        }
    }

    fn refresh(&mut self, again: bool) {
        let Some(source) = self.source.as_mut() else { return };
        if let Err(e) = source.refresh(again) {
            let what = format!("{}: {}, keeping the rules in force", source.path().display(), e.reason());
            PROGRAM.warn(what.as_bytes());
        }
    }

    fn not_accepted(&mut self, e: &io::Error) {
        match Errno::from_raw(e.raw_os_error().unwrap_or(0)) {
            Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM => {
                let now = Instant::now();
                self.paused = Some(now + PAUSE);
                if self.said.no_accept.due(now) {
                    PROGRAM.warn(format!("unable to accept: {}", chain::reason(e)).as_bytes());
                }
            }
            // The client gave up, or another process was quicker.
            _ => {}
        }
    }

    fn protocol(&self, local: SocketAddr) -> Protocol {
        Protocol::of(local.port(), &self.options.program)
    }
}

impl Haproxy {
    /// Is a header due on this socket?
    pub fn applies_to(&self, local: SocketAddr) -> bool {
        let fits = |port: &Port| {
            port.port == local.port()
                && match port.address {
                    Some(Bind::One(address)) => address.to_canonical() == local.ip().to_canonical(),
                    Some(Bind::All) | None => true,
                }
        };
        self.ports.is_empty() || self.ports.iter().any(fits)
    }
}
