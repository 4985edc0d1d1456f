//! Who started us: the chain with a login, somebody's shell, or a mistake.
//!
//! A remote client must not get a mailbox because a stage forgot to set a
//! variable. So a missing login means "run from a shell" only where nothing at
//! all speaks of a network.

use std::os::unix::ffi::OsStringExt;

use nix::sys::socket::{AddressFamily, SockaddrLike, SockaddrStorage, getsockname};

use crate::settings::Settings;

/// Where the session comes from.
#[derive(Debug, PartialEq, Eq)]
pub enum Origin {
    /// A login program; its client waits for the OK with this tag.
    Login {
        /// The account's name.
        user: &'static [u8],
        /// The tag.
        tag: &'static [u8],
    },
    /// A shell, an inner command of ssh: the caller is the account.
    Shell,
    /// Neither: nobody has logged in.
    NoLogin,
}

/// Looks at the variables and at stdin.
pub fn origin(settings: &Settings) -> Origin {
    match (settings.authenticated, settings.login_tag) {
        (Some(user), Some(tag)) => Origin::Login { user, tag },
        (_, None) if settings.login_program.is_none() && !speaks_of_a_network() => Origin::Shell,
        _ => Origin::NoLogin,
    }
}

/// A variable that only a server sets (even to nothing), or an internet socket on stdin.
fn speaks_of_a_network() -> bool {
    sys::environment::variables().any(|entry| {
        let name = entry.to_bytes().split(|byte| *byte == b'=').next().unwrap_or_default();
        name == b"PROTO" || name == b"AUTHUSER" || name == b"IMAPLOGINTAG" || name.ends_with(b"REMOTEIP")
    }) || stdin_is_internet_socket()
}

fn stdin_is_internet_socket() -> bool {
    getsockname::<SockaddrStorage>(0).is_ok_and(|address| !matches!(address.family(), None | Some(AddressFamily::Unix)))
}

/// The name of the account we run as.
pub fn own_user() -> Vec<u8> {
    let uid = nix::unistd::getuid();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => std::ffi::OsString::from(user.name).into_vec(),
        _ => uid.to_string().into_bytes(),
    }
}

/// The peer's address and port, for the log. A shell has Courier's stand-ins.
pub fn peer(remote: bool) -> (Vec<u8>, Vec<u8>) {
    if !remote {
        return (b"127.0.0.1".to_vec(), b"0".to_vec());
    }
    let peer = chain::Peer::of_connection();
    (peer.shown_ip().to_vec(), peer.remote_port)
}
