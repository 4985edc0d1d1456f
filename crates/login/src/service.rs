//! One run of a login program.

use crate::attempt::{Attempt, Failed, own_path};
use crate::event::Events;
use crate::half;
use crate::handover::{Place, full_name};
use crate::record::Record;
use crate::settings::Settings;
use crate::wire::{Deadline, write};
use crate::{ATTEMPTS, End, Login, Outcome, Protocol, Refusal};
use chain::{Peer, exit};
use nix::poll::PollFlags;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// Runs a login program: greet or refuse, let a half talk, hand its attempt over.
pub fn run<P: Protocol>(protocol: &P) -> ! {
    let args: Vec<OsString> = std::env::args_os().collect();
    let Some(path) = own_path(args.first().map(|argument| argument.as_bytes())) else {
        let what = b"AUTHUSER is not initialized to a complete path";
        P::PROGRAM.fatal(exit::PERMANENT, what)
    };
    if args.len() < 2 {
        chain::Chain::with_arguments(P::PROGRAM, args).broken()
    }
    let settings = Settings::from_environment();
    let attempt = Attempt::from_environment(settings.timeout);
    prepare(attempt.failed.is_some());
    let peer = Peer::of_connection();
    let events = Events::new(P::PROGRAM, &peer);
    let place = Place::new(P::PROGRAM, path, args);
    Run { protocol, settings, attempt, peer: &peer, events, place, sent: 0 }.go()
}

/// Reaps what classic modules leave to a re-run, the children that wrote their requests, and gives
/// up what no later program needs: to leave a password in a core file.
fn prepare(is_rerun: bool) {
    sys::process::default_signal(nix::sys::signal::Signal::SIGCHLD);
    while is_rerun
        && matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive)
    {}
    let _ = nix::sys::prctl::set_dumpable(false);
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
}

struct Run<'a, P> {
    protocol: &'a P,
    settings: Settings,
    attempt: Attempt,
    peer: &'a Peer,
    events: Events<'a>,
    place: Place,
    sent: u64,
}

impl<P: Protocol> Run<'_, P> {
    fn go(mut self) -> ! {
        loop {
            let deadline = self.deadline();
            self.open(deadline);
            match half::talk(self.protocol, &self.settings, deadline, self.sent) {
                Ok(record) => self.proceed(record),
                Err(lost) => {
                    if let Some(what) = lost.describe() {
                        P::PROGRAM.fatal(exit::TEMPORARY, what.as_bytes())
                    }
                    self.leave(lost.end(), 0)
                }
            }
        }
    }

    /// The first words of this run: the greeting, or the answer to what failed.
    fn open(&mut self, deadline: Deadline) {
        let mut out = Vec::with_capacity(512);
        match self.attempt.failed.take() {
            None => {
                self.events.connection();
                self.protocol.greet(&mut out);
            }
            Some(failed) => {
                self.refuse(&failed, &mut out);
                self.delay(deadline);
                if self.attempt.tries >= ATTEMPTS {
                    self.protocol.dismiss(End::Refused, &mut out);
                    let _ = self.say(&out, deadline);
                    self.leave(End::Refused, 0)
                }
            }
        }
        if self.attempt.expires <= sys::clock::seconds() {
            self.protocol.dismiss(End::Expired, &mut out);
            let _ = self.say(&out, deadline.and_a_little());
            self.leave(End::Expired, 0)
        }
        if self.say(&out, deadline).is_err() {
            self.leave(End::Closed, 0)
        }
    }

    fn refuse(&self, failed: &Failed, out: &mut Vec<u8>) {
        let name = self.settings.names_failed.then_some(&failed.name[..]);
        let why = if failed.temporary {
            self.events.unavailable(name);
            Refusal::Unavailable
        } else {
            self.events.failed(name);
            Refusal::Credentials
        };
        self.protocol.refuse(&failed.tag, why, out);
    }

    /// Guessing takes time. No secret is in memory meanwhile, and no half is running. A client that
    /// takes nothing more is not waited for; one that has said all it has to say is.
    fn delay(&self, deadline: Deadline) {
        let delay = Deadline::within(i64::from(self.settings.delay)).or_earlier(deadline);
        if matches!(delay.wait(sys::descriptors::standard(1), PollFlags::empty()), Ok(true)) {
            self.leave(End::Closed, 0)
        }
    }

    fn proceed(&mut self, record: Record) {
        self.sent = record.sent;
        if self.settings.debug {
            let names = record.commands.split(|byte| *byte == b' ').filter(|name| !name.is_empty());
            names.for_each(|name| self.events.command(name));
        }
        match record.outcome {
            Ok(Outcome::Login(login)) => self.attempt_login(login),
            Ok(Outcome::End(end)) => self.leave(end, record.received),
            Err(why) => {
                let what = [b"unable to confine the conversation: ", &why[..]].concat();
                P::PROGRAM.fatal(exit::TEMPORARY, &what)
            }
            Ok(Outcome::Starttls) => {
                P::PROGRAM.fatal(exit::PERMANENT, b"conversation asked for a TLS that is not offered")
            }
        }
    }

    fn attempt_login(&mut self, login: Login) {
        if !(login.tag.is_empty() || self.protocol.is_tag(&login.tag)) {
            P::PROGRAM.fatal(exit::TEMPORARY, b"conversation ended with a record that makes no sense")
        }
        if self.settings.debug {
            self.events.name(&full_name(&login.user));
        }
        // Only a request that no module could read comes back: refused like any other.
        let _malformed = self.place.hand_over::<P>(&self.attempt, self.peer, &login);
        self.attempt.tries += 1;
        let name = crate::attempt::travelling_name(&login.user);
        self.attempt.failed = Some(Failed { tag: login.tag, name, temporary: false });
    }

    fn leave(&self, end: End, received: u64) -> ! {
        self.events.ended(end, received, self.sent, self.attempt.age(self.settings.timeout));
        std::process::exit(exit::DONE)
    }

    fn say(&mut self, bytes: &[u8], deadline: Deadline) -> std::io::Result<()> {
        self.sent = self.sent.saturating_add(bytes.len() as u64);
        write(sys::descriptors::standard(1), bytes, deadline)
    }

    fn deadline(&self) -> Deadline {
        Deadline::within(self.attempt.expires.saturating_sub(sys::clock::seconds()))
    }
}
