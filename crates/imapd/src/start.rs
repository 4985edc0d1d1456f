//! From `main` to the first byte for the client, in Courier's order of steps.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Instant;

use chain::exit;
use maildir::{Encoding, Root};

use crate::end::End;
use crate::entry::{self, Refusal};
use crate::log::{Client, PROGRAM};
use crate::origin::{self, Origin};
use crate::session::Session;
use crate::settings::Settings;
use crate::trace::Trace;
use crate::wire::Wire;
use crate::{command, sandbox, trash, wire};

/// A session to serve: for whom, and the tag that waits for its OK. Without a tag the greeting is still to be said.
pub struct Arrival {
    client: Client,
    tag: Option<&'static [u8]>,
}

/// Who is served. `None`: nobody has logged in.
pub fn arrival(settings: &Settings) -> Option<Arrival> {
    let (user, tag) = match origin::origin(settings) {
        Origin::Login { user, tag } => (user.to_vec(), Some(tag)),
        Origin::Shell => (origin::own_user(), None),
        Origin::NoLogin => return None,
    };
    let (ip, port) = origin::peer(tag.is_some());
    Some(Arrival { client: Client { user, ip, port, tls: settings.tls, since: Instant::now() }, tag })
}

/// Serves the session to its end. Returns the exit code.
pub fn serve(settings: Settings, arrival: Arrival) -> i32 {
    std::panic::set_hook(Box::new(|panic| {
        wire::last_words(b"* BYE [SERVERBUG] Internal error\r\n");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        PROGRAM.fatal(exit::TEMPORARY, format!("internal error at {place}").as_bytes())
    }));
    let Arrival { client, tag } = arrival;
    let mut wire = Wire::new(settings.limits);
    match open(&settings, &client, &mut wire) {
        Ok(root) => converse(Session::new(wire, settings, client, root), tag),
        Err(refusal) => {
            say_bye(&mut wire, refusal.words.as_bytes());
            refusal.code
        }
    }
}

fn say_bye(wire: &mut Wire, words: &[u8]) {
    wire.out().extend_from_slice(b"* BYE ");
    wire.out().extend_from_slice(words);
    wire.out().extend_from_slice(b"\r\n");
    // The client may be gone by now.
    let _unheard = wire.flush();
}

/// All that comes before the first byte of the client or of mail is looked at.
fn open(settings: &Settings, client: &Client, wire: &mut Wire) -> Result<Root, Refusal> {
    entry::enter(settings, client)?;
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        PROGRAM.warn(format!("unable to {what}: {error}").as_bytes());
        Refusal::new(exit::TEMPORARY, "[UNAVAILABLE] Fatal error: try again later")
    };
    let root = Root::open(Path::new("."), store(settings)).map_err(|e| failed("open the maildir", &e))?;
    wire.trace(debug_trace(settings));
    wire.catch_signals().map_err(|e| failed("catch signals", &e))?;
    sandbox::close(root.dir().as_fd(), settings.landlock_abi).map_err(|e| failed("confine the session", &e))?;
    trash::purge(&root, settings);
    Ok(root)
}

/// What the mail store wants to know of the environment.
fn store(settings: &Settings) -> maildir::Settings {
    maildir::Settings {
        host: settings.hostname.to_vec(),
        encoding: if settings.utf7_folders { Encoding::Utf7 } else { Encoding::Utf8 },
        use_locks: settings.use_locks,
        durable: settings.durable,
        quota: settings.quota.to_vec(),
        trash: settings.trash.to_vec(),
        ..maildir::Settings::default()
    }
}

fn converse(mut session: Session, tag: Option<&[u8]>) -> i32 {
    if let Some(option) = forbidden(&session.settings) {
        session.client.log_refused(option);
        if let Some(tag) = tag {
            session.wire.out().extend_from_slice(tag);
            session
                .wire
                .out()
                .extend_from_slice(b" NO [AUTHORIZATIONFAILED] IMAP access is disabled for this account\r\n");
        }
        say_bye(&mut session.wire, b"[ALERT] IMAP access is disabled for this account");
        return exit::DONE;
    }
    welcome(&mut session, tag);
    let greeted = session.wire.flush();
    session.client.log_login();
    let end = greeted.map_or_else(|end| end, |()| session.serve());
    farewell(&mut session, &end);
    exit::DONE
}

/// The account's options may forbid this service.
fn forbidden(settings: &Settings) -> Option<&'static str> {
    if settings.options.yes("disableimap") {
        Some("disableimap")
    } else if settings.options.yes("disableinsecureimap") && !settings.tls {
        Some("disableinsecureimap")
    } else {
        None
    }
}

/// What can be done differs from before the login, so it is said unasked.
fn welcome(session: &mut Session, tag: Option<&[u8]>) {
    let capability = command::capability(&session.settings);
    let out = session.wire.out();
    match tag {
        Some(tag) => {
            out.extend_from_slice(tag);
            out.extend_from_slice(b" OK");
        }
        None => out.extend_from_slice(b"* PREAUTH"),
    }
    out.extend_from_slice(b" [CAPABILITY ");
    out.extend_from_slice(&capability);
    out.extend_from_slice(if tag.is_some() { b"] LOGIN Ok.\r\n" } else { b"] Ready.\r\n" });
}

fn farewell(session: &mut Session, end: &End) {
    match end {
        End::Logout => {
            let _unheard = session.wire.flush();
            trash::purge(&session.root, &session.settings);
        }
        End::Disconnected => {}
        End::Timeout => say_bye(&mut session.wire, b"[UNAVAILABLE] Disconnected for inactivity"),
        End::Signal => say_bye(&mut session.wire, b"[UNAVAILABLE] Server shutting down"),
        End::Refused(words) => say_bye(&mut session.wire, words),
    }
    session.client.log_end(end, session.sent, session.wire.counts());
}

/// Nobody has logged in: the login program goes on. Without one this is a caller of the checkpassword
/// kind, whose request a module passed on and nobody accepted, or a wrong start.
pub fn back_to_login() -> ! {
    const REQUEST: i32 = 3;
    let chain = chain::Chain::of_this_program(PROGRAM);
    if chain.has_login() || sys::descriptors::inherited(REQUEST).is_some() {
        chain.back_to_login()
    }
    PROGRAM.fatal(exit::PERMANENT, b"nobody has logged in, and there is no login program to go back to")
}

/// `--version`.
pub fn print_version() -> i32 {
    let line = concat!("daisychain imapd ", env!("CARGO_PKG_VERSION"), "\n");
    if std::io::stdout().write_all(line.as_bytes()).is_ok() { exit::DONE } else { exit::TEMPORARY }
}

/// The trace file, where the account's owner made one.
fn debug_trace(settings: &Settings) -> Option<Trace> {
    let name = settings.debug_file?;
    let inside = !name.contains(&b'/');
    let flags = nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK;
    let file =
        inside.then(|| File::options().append(true).custom_flags(flags.bits()).open(OsStr::from_bytes(name)))?.ok()?;
    file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    Some(Trace::new(file))
}
