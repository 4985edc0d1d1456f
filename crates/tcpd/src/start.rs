//! From the command line to the loop: bind, drop, open, say that we are ready.

use crate::access::Source;
use crate::daemon::{self, Side};
use crate::launch::Launch;
use crate::limits::Slots;
use crate::options::{self, Command, Options, Stderr};
use crate::server::{Said, Server};
use crate::{PROGRAM, identity, listen, ready};
use chain::exit::{DONE, PERMANENT, TEMPORARY};
use chain::{Environment, Stage};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The program `tcpd`; gives its exit code.
pub fn tcpd(args: Vec<OsString>) -> i32 {
    let services = std::fs::read("/etc/services").unwrap_or_default();
    match options::parse(args, &String::from_utf8_lossy(&services)) {
        Ok(Command::Run(options)) => run(*options),
        Ok(Command::Stop(pid_file)) => signal(&pid_file, Signal::SIGTERM),
        Ok(Command::Restart(pid_file)) => signal(&pid_file, Signal::SIGHUP),
        Err(what) => PROGRAM.fatal(PERMANENT, what.as_bytes()),
    }
}

fn signal(pid_file: &Path, signal: Signal) -> i32 {
    or_fatal(daemon::send(pid_file, signal), pid_file.display());
    DONE
}

fn run(options: Options) -> i32 {
    let inherited = inherited(options.notify);
    if let Stderr::File(path) = &options.stderr {
        or_fatal(append_to(path), path.display());
    }
    umask(Mode::from_bits_truncate(0o077));
    let lock = options.pid.as_deref().map(|pid_file| match or_fatal(daemon::lock(pid_file), pid_file.display()) {
        Some(lock) => lock,
        // Courier's way: what was asked for is running.
        None => std::process::exit(DONE),
    });
    let sockets = match inherited.sockets {
        sockets if sockets.is_empty() => listen::open(&options),
        sockets => listen::adopt(sockets),
    };
    let sockets = sockets.unwrap_or_else(|what| PROGRAM.fatal(TEMPORARY, what.as_bytes()));
    let starter = options.pid.as_deref().and_then(background);
    if let Err((code, what)) = identity::assume(&options) {
        PROGRAM.fatal(code, what.as_bytes());
    }
    let server = server(options, sockets);
    announce(&server, inherited.notify, starter);
    let code = server.run();
    drop(lock);
    code
}

/// What whoever started us left open for us.
struct Inherited {
    sockets: Vec<OwnedFd>,
    notify: Option<OwnedFd>,
}

/// Takes the descriptors that are meant for us and closes all others: each of them would live on in every session.
fn inherited(notify: Option<i32>) -> Inherited {
    let count = passed_sockets();
    let behind = 3 + count;
    let mut notify = notify.map(|number| match sys::descriptors::inherited(number) {
        Some(fd) if number >= behind => fd,
        _ => PROGRAM.fatal(PERMANENT, format!("-notify-fd={number}: not an open descriptor of its own").as_bytes()),
    });
    if let Some(fd) = notify.take() {
        or_fatal(sys::descriptors::place(fd, behind), "-notify-fd");
        notify = sys::descriptors::inherited(behind);
    }
    let first_unknown = if notify.is_some() { behind + 1 } else { behind };
    or_fatal(sys::descriptors::close_from(first_unknown), "inherited descriptors");
    let sockets = (3..behind).filter_map(sys::descriptors::inherited).collect::<Vec<_>>();
    if sockets.len() != usize::try_from(count).unwrap_or(0) {
        PROGRAM.fatal(PERMANENT, b"LISTEN_FDS names descriptors that are not open");
    }
    Inherited { sockets, notify }
}

/// How many sockets a service manager passed on to this very process.
fn passed_sockets() -> i32 {
    let number =
        |name| chain::environment::own(name).and_then(|value| std::str::from_utf8(value).ok()?.parse::<u32>().ok());
    if number("LISTEN_PID") != Some(std::process::id()) {
        return 0;
    }
    number("LISTEN_FDS").and_then(|count| i32::try_from(count).ok()).filter(|count| *count <= 1000).unwrap_or(0)
}

fn append_to(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).mode(0o660).open(path)?;
    Ok(dup2_stderr(file)?)
}

/// Returns in the daemon alone, with the way to tell the process that started it.
fn background(pid_file: &Path) -> Option<OwnedFd> {
    let said = match or_fatal(daemon::detach(), "unable to go into the background") {
        Side::Starter(code) => std::process::exit(code),
        Side::Daemon(said) => said,
    };
    or_fatal(daemon::write_pid(pid_file), pid_file.display());
    Some(said)
}

fn server(options: Options, sockets: Vec<TcpListener>) -> Server {
    let source = options.access.clone().map(|path| open_access(Source::new(path, options.access_dialect)));
    if options.access_local && !source.as_ref().and_then(Source::access).is_some_and(|access| access.knows_local()) {
        PROGRAM.warn(b"-accesslocal without a database that has Courier's keys");
    }
    let environment = Environment::inherited(Stage::Listener);
    let launch = or_fatal(Launch::new(&options, &environment), "unable to prepare the program");
    // What we were started with passes to no child.
    sys::process::default_signals();
    let signals = or_fatal(signals(), "signalfd");
    let slots = Slots::new(options.limits);
    Server {
        options,
        sockets,
        source,
        launch,
        signals,
        slots,
        preparing: Vec::new(),
        said: Said::default(),
        paused: None,
    }
}

/// A database that is missing means no rules, as in Courier, and is said; any other trouble is the end, since rules
/// that cannot be read would let everyone in.
fn open_access(mut source: Source) -> Source {
    match source.refresh(true) {
        Ok(()) => {}
        Err(e) if e.is_missing() => {
            PROGRAM.warn(format!("{}: {}, serving without rules", source.path().display(), e.reason()).as_bytes());
        }
        Err(e) => {
            let code = if e.is_temporary() { TEMPORARY } else { PERMANENT };
            PROGRAM.fatal(code, format!("{}: {}", source.path().display(), e.reason()).as_bytes());
        }
    }
    source
}

/// The signals that the loop reads. Blocked with them is the one that a log without a reader would send us; a child
/// starts with none blocked.
fn signals() -> io::Result<SignalFd> {
    let set: SigSet = [Signal::SIGCHLD, Signal::SIGHUP, Signal::SIGTERM, Signal::SIGINT].into_iter().collect();
    set.thread_block()?;
    SigSet::from(Signal::SIGPIPE).thread_block()?;
    Ok(SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
}

/// Says that connections are taken, in every way that was asked for, and lets go of descriptors 0 and 1.
fn announce(server: &Server, notify: Option<OwnedFd>, starter: Option<OwnedFd>) {
    let said = |result: io::Result<()>, what: &str| {
        if let Err(e) = result {
            PROGRAM.warn(format!("{what}: {}", chain::reason(&e)).as_bytes());
        }
    };
    // Opened first: whoever hears that we are ready may rely on all of it.
    let null = or_fatal(File::options().read(true).write(true).open("/dev/null"), "/dev/null");
    if server.options.print_port {
        said(ready::print_ports(&server.sockets), "-1");
    }
    said(let_go(&null), "/dev/null");
    if let Some(fd) = notify {
        said(ready::notify(fd), "-notify-fd");
    }
    said(ready::notify_socket(), "NOTIFY_SOCKET");
    if let Some(fd) = starter {
        said(ready::notify(fd), "-pid");
    }
}

fn let_go(null: &File) -> io::Result<()> {
    dup2_stdin(null)?;
    Ok(dup2_stdout(null)?)
}

fn or_fatal<T>(result: io::Result<T>, what: impl std::fmt::Display) -> T {
    result.unwrap_or_else(|e| PROGRAM.fatal(TEMPORARY, format!("{what}: {}", chain::reason(&e)).as_bytes()))
}
