//! From one login attempt to the first authentication module.

use crate::attempt::{Attempt, travelling_name};
use crate::{Login, Protocol};
use account::name::with_domain;
use chain::environment::{own, own_set};
use chain::{Environment, Malformed, Next, Peer, Program, Request, Stage, exec, exit, reason};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// This program's place: where to come back to, and what comes next.
pub struct Place {
    program: Program,
    path: Vec<u8>,
    args: Vec<OsString>,
}

impl Place {
    /// Of this program with these arguments, to come back to at `path`.
    pub fn new(program: Program, path: Vec<u8>, args: Vec<OsString>) -> Place {
        Place { program, path, args }
    }

    /// Becomes the first module. Comes back only where the attempt cannot be told to one.
    pub fn hand_over<P: Protocol>(&self, attempt: &Attempt, peer: &Peer, login: &Login) -> Malformed {
        let user = full_name(&login.user);
        let request = match Request::login(&service::<P>(peer), &user, &login.password) {
            Ok(request) => request,
            Err(malformed) => return malformed,
        };
        let pipe = match request.into_pipe() {
            Ok(pipe) => pipe,
            Err(e) => self.fail(&format!("unable to hand the request over: {}", reason(&e))),
        };
        let environment = self.environment::<P>(attempt, peer, &login.tag, &user);
        let args = self.args.get(1..).unwrap_or_default();
        let error = exec(Next { args, environment: &environment, request: Some(pipe) });
        let next = args.first().map(|path| path.to_string_lossy()).unwrap_or_default();
        self.fail(&format!("unable to run {next}: {}", reason(&error)))
    }

    fn environment<P: Protocol>(&self, attempt: &Attempt, peer: &Peer, tag: &[u8], user: &[u8]) -> Environment {
        let mut next = Environment::inherited(Stage::Login);
        next.set("AUTHENTICATED", b"");
        next.set("AUTHUSER", &self.path);
        next.set("AUTHARGC", self.args.len().to_string().as_bytes());
        for (number, argument) in self.args.iter().enumerate() {
            next.set(&format!("AUTHARGV{number}"), argument.as_bytes());
        }
        next.set("AUTHEXPIRE", attempt.expires.to_string().as_bytes());
        // Counted before it is known: who hears of it again has failed.
        next.set("AUTHTRIES", attempt.tries.saturating_add(1).to_string().as_bytes());
        next.set("AUTHLOGIN", &travelling_name(user));
        next.set("PROTOCOL", P::PROTOCOL);
        if !tag.is_empty() {
            next.set("IMAPLOGINTAG", tag);
        }
        peer.describe(&mut next);
        next
    }

    fn fail(&self, what: &str) -> ! {
        self.program.fatal(exit::TEMPORARY, what.as_bytes())
    }
}

/// `AUTHSERVICE143` and the like, else the protocol's own.
fn service<P: Protocol>(peer: &Peer) -> Vec<u8> {
    let port = if peer.local_port.is_empty() { P::PORT } else { &peer.local_port };
    let named = std::str::from_utf8(port).ok().and_then(|port| own_set(&format!("AUTHSERVICE{port}")));
    named.unwrap_or(P::SERVICE).to_vec()
}

/// With the default domain where the name has none.
pub fn full_name(user: &[u8]) -> Vec<u8> {
    match own_set("DEFDOMAIN") {
        Some(domain) => with_domain(user, domain, own("DOMAINSEP")),
        None => user.to_vec(),
    }
}
