//! The login program in two halves.
//!
//! A stranger's bytes are parsed by a forked half that has no rights at all: no files, no network
//! but its two descriptors, no log. It ends with one bounded record: a login attempt, or the end.
//! The other half, which keeps the process id, waits for that record, kills and reaps its child,
//! writes the log, and becomes the first authentication module. Where nobody is logged in, the
//! chain comes back and this program runs again: that is how it learns of a failed attempt.
//!
//! A protocol is a [`Protocol`]; `imaplogin` and `pop3login` are one each, and their `main` is
//! [`run`].
#![forbid(unsafe_code)]

mod attempt;
mod confine;
mod event;
mod half;
mod handover;
mod record;
mod service;
mod settings;
mod wire;

use chain::Program;
use zeroize::Zeroizing;

pub use account::{base64, sasl};
pub use service::run;
pub use settings::is_on;
pub use wire::{Stop, Wire};

/// Failed attempts after which a connection ends.
pub const ATTEMPTS: u32 = 3;
/// Commands that make no sense, after which a conversation ends.
pub const BAD_COMMANDS: u32 = 3;

/// What differs between IMAP and POP3.
pub trait Protocol {
    /// The name in messages.
    const PROGRAM: Program;
    /// The service name that modules hear where `AUTHSERVICE` with the port says no other.
    const SERVICE: &'static [u8];
    /// The value of `PROTOCOL` for the next programs.
    const PROTOCOL: &'static [u8];
    /// The port assumed where nothing tells it.
    const PORT: &'static [u8];

    /// Appends what a new client hears first.
    fn greet(&self, out: &mut Vec<u8>);

    /// Appends the answer to a failed attempt whose command had this tag.
    fn refuse(&self, tag: &[u8], why: Refusal, out: &mut Vec<u8>);

    /// Appends the last words to a client that is sent away; empty where there are none.
    fn dismiss(&self, why: End, out: &mut Vec<u8>);

    /// May this come from a conversation as the tag of a command? It is told to the next programs.
    fn is_tag(&self, tag: &[u8]) -> bool;

    /// Talks until there is one login attempt. Runs in the half without rights.
    fn converse(&self, wire: &mut Wire) -> Result<Outcome, Stop>;
}

/// Why an attempt failed, as far as a client may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Unknown user, wrong password, anything: it is all the same.
    Credentials,
    /// Nobody could tell.
    Unavailable,
}

/// How a conversation ended well.
pub enum Outcome {
    /// A name and a password to try.
    Login(Login),
    /// The client wants encryption, and has been told to begin. (Room kept; nothing offers it yet.)
    Starttls,
    /// The client took its leave, or was sent away.
    End(End),
}

/// A login attempt.
pub struct Login {
    /// The command's tag, for the answer; empty in POP3.
    pub tag: Vec<u8>,
    /// The name as typed.
    pub user: Vec<u8>,
    /// The password as typed.
    pub password: Zeroizing<Vec<u8>>,
}

/// Why a conversation ended without a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client said so.
    Logout,
    /// The client went away.
    Closed,
    /// The client said nothing for too long.
    Idle,
    /// The time for logging in is over.
    Expired,
    /// Too many bytes, or commands that make no sense.
    Nonsense,
    /// Too many failed attempts.
    Refused,
}
