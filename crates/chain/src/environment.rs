//! The environment of the next program: what is on the list, and nothing else.

use crate::names;
use std::borrow::Cow;
use std::ffi::{CStr, CString};

/// The only directories in which a program of the chain may look for another.
const PATH: &CStr = c"PATH=/usr/local/bin:/usr/bin:/bin";
const LANG: &CStr = c"LANG=C";
/// Longest value that comes from the network: a host name, a certificate's subject.
const NETWORK_VALUE: usize = 1024;
/// Longest zone name.
const ZONE: usize = 64;

/// Who builds the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The program that accepts connections. It describes the peer itself, so whatever it
    /// was given about one is dropped.
    Listener,
    /// The login program, for its first module. It owns every name of the login.
    Login,
    /// A module, for the next one, or on the way back to the login program.
    Module,
    /// A module that accepted, or one behind it that steps aside: what belongs to the login
    /// alone ends here, and what an earlier module said of the account passes.
    Account,
}

/// The environment of the next program.
///
/// What is inherited is not copied: the strings stand where the kernel put them.
#[derive(Default)]
pub struct Environment {
    entries: Vec<Cow<'static, CStr>>,
}

/// A variable of this program's own environment; the first where a name comes twice.
pub fn own(name: &str) -> Option<&'static [u8]> {
    sys::environment::variables().find_map(|entry| value_of(entry, name))
}

/// The same, where an empty value means that it is not set.
pub fn own_set(name: &str) -> Option<&'static [u8]> {
    own(name).filter(|value| !value.is_empty())
}

impl Environment {
    /// What may pass from this program's own environment at this stage, with `PATH` and `LANG`
    /// as they always are.
    pub fn inherited(stage: Stage) -> Environment {
        Environment::filtered(stage, sys::environment::variables().map(Cow::Borrowed))
    }

    fn filtered(stage: Stage, variables: impl Iterator<Item = Cow<'static, CStr>> + Clone) -> Environment {
        let filter = Filter::new(stage, variables.clone());
        let mut next = Environment { entries: Vec::with_capacity(48) };
        next.entries.push(Cow::Borrowed(PATH));
        next.entries.push(Cow::Borrowed(LANG));
        for entry in variables {
            let Some((name, value)) = split(&entry) else {
                continue;
            };
            if filter.admits(name, value) && next.find(name).is_none() {
                next.entries.push(entry);
            }
        }
        next
    }

    /// Sets a variable. A value with a NUL, which no variable can hold, leaves it unset.
    pub fn set(&mut self, name: &str, value: &[u8]) {
        self.unset(name);
        let mut entry = Vec::with_capacity(name.len() + value.len() + 2);
        entry.extend_from_slice(name.as_bytes());
        entry.push(b'=');
        entry.extend_from_slice(value);
        if let Ok(entry) = CString::new(entry) {
            self.entries.push(Cow::Owned(entry));
        }
    }

    /// Removes a variable.
    pub fn unset(&mut self, name: &str) {
        if let Some(at) = self.find(name.as_bytes()) {
            self.entries.remove(at);
        }
    }

    /// The value the next program would see.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.entries.iter().find_map(|entry| value_of(entry, name))
    }

    /// The strings `NAME=value`, for the exec.
    pub fn entries(&self) -> Vec<&CStr> {
        self.entries.iter().map(AsRef::as_ref).collect()
    }

    fn find(&self, name: &[u8]) -> Option<usize> {
        self.entries.iter().position(|entry| split(entry).is_some_and(|(n, _)| n == name))
    }
}

/// What decides over a variable besides its name.
struct Filter<'a> {
    stage: Stage,
    /// The value of `PROTO` where it is one.
    proto: Option<Cow<'a, [u8]>>,
    /// The names in `PASSENV`.
    passenv: Vec<u8>,
    /// Did a TLS stage run before us?
    tls: bool,
    /// Did an earlier module accept?
    authenticated: bool,
}

impl<'a> Filter<'a> {
    fn new(stage: Stage, variables: impl Iterator<Item = Cow<'static, CStr>>) -> Filter<'a> {
        let mut filter = Filter { stage, proto: None, passenv: Vec::new(), tls: false, authenticated: false };
        for entry in variables {
            match split(&entry) {
                Some((b"PROTO", value)) if names::is_proto(value) => {
                    filter.proto = Some(Cow::Owned(value.to_vec()));
                    filter.tls |= value == b"SSL";
                }
                Some((b"PASSENV", value)) => filter.passenv = value.to_vec(),
                Some((b"IMAP_TLS" | b"POP3_TLS", value)) => filter.tls |= is_number(value),
                Some((b"AUTHENTICATED", value)) => filter.authenticated = !value.is_empty(),
                _ => {}
            }
        }
        filter
    }

    fn admits(&self, name: &[u8], value: &[u8]) -> bool {
        let stage = self.stage;
        let before_account = stage != Stage::Account;
        let proto = self.proto.as_deref();
        if names::is_setting(name) {
            true
        } else if name == b"TZ" {
            is_zone(value)
        } else if names::is_in(names::OF_LISTENER, name) {
            before_account
        } else if names::is_in(names::UNTIL_LOGIN, name) || names::is_argument(name) {
            stage == Stage::Module
        } else if names::is_in(names::OF_LOGIN, name) {
            matches!(stage, Stage::Module | Stage::Account)
        } else if names::is_in(names::OF_ACCOUNT, name) {
            stage == Stage::Account && self.authenticated
        } else if names::is_tls(name) {
            self.tls && stage != Stage::Listener && is_harmless(value)
        } else if names::is_peer(name, proto) {
            stage != Stage::Listener && is_harmless(value)
        } else {
            self.passes(name) && !names::is_reserved(name, proto)
        }
    }

    fn passes(&self, name: &[u8]) -> bool {
        self.passenv.split(|b| matches!(b, b' ' | b'\t' | b'\n' | b',')).any(|word| word == name)
    }
}

/// A value that came over the network in some form may not be long or hold a control character.
pub(crate) fn is_harmless(value: &[u8]) -> bool {
    value.len() <= NETWORK_VALUE && !value.iter().any(u8::is_ascii_control)
}

/// A plain zone name: the C library opens the file it names.
fn is_zone(value: &[u8]) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"_+-/,.".contains(b);
    value.len() <= ZONE
        && value.first().is_some_and(u8::is_ascii_alphanumeric)
        && value.iter().all(plain)
        && !value.windows(2).any(|two| two == b"..")
}

/// What the servers take for "on": a number that is not 0.
fn is_number(value: &[u8]) -> bool {
    value.first().is_some_and(u8::is_ascii_digit) && value.iter().any(|b| (b'1'..=b'9').contains(b))
}

fn split(entry: &CStr) -> Option<(&[u8], &[u8])> {
    let bytes = entry.to_bytes();
    let at = bytes.iter().position(|b| *b == b'=')?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

fn value_of<'a>(entry: &'a CStr, name: &str) -> Option<&'a [u8]> {
    entry.to_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b"=")
}

#[cfg(test)]
#[path = "environment_tests.rs"]
mod tests;
