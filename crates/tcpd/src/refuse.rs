//! What a client is told that is not served.

use crate::connection::Connection;
use std::ffi::{OsStr, OsString};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;

/// What a client expects to read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// A greeting of IMAP.
    Imap,
    /// A greeting of POP3.
    Pop3,
    /// Something we cannot say in clear, or do not know.
    Silent,
}

/// Why a client is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The access database, or `-drop`.
    Denied,
    /// `-maxperip`.
    AddressFull,
    /// `-maxperc`.
    BlockFull,
    /// Only reserved slots are left.
    Full,
    /// Something of ours does not work.
    Broken,
}

impl Reason {
    /// The line for the log where a limit was reached; the first is Courier's.
    pub fn event(self, connection: &Connection) -> Vec<u8> {
        let what = match self {
            Reason::BlockFull => "for the network of",
            Reason::Full => "but for reserved slots, refused",
            _ => "for",
        };
        format!("ALERT: Maximum connection limit reached {what} {}", connection.remote.ip()).into_bytes()
    }
}

impl Protocol {
    /// By the port, else by the names of the programs in the chain.
    pub fn of(port: u16, program: &[OsString]) -> Protocol {
        let names =
            |wanted: &[&str]| program.iter().any(|word| wanted.iter().any(|name| base_name(word) == name.as_bytes()));
        if matches!(port, 993 | 995) || names(&["sslwrap", "couriertls"]) {
            Protocol::Silent
        } else if port == 143 || names(&["imaplogin", "imapd"]) {
            Protocol::Imap
        } else if port == 110 || names(&["pop3login", "courierpop3login", "pop3d", "courierpop3d"]) {
            Protocol::Pop3
        } else {
            Protocol::Silent
        }
    }

    /// The one line before the connection is closed; empty where there is none.
    pub fn farewell(self, reason: Reason) -> &'static [u8] {
        match (self, reason) {
            (Protocol::Imap, Reason::Denied) => b"* BYE [NOPERM] Access denied.\r\n",
            (Protocol::Imap, Reason::AddressFull) => b"* BYE [UNAVAILABLE] Too many connections from your address.\r\n",
            (Protocol::Imap, Reason::BlockFull) => b"* BYE [UNAVAILABLE] Too many connections from your network.\r\n",
            (Protocol::Imap, Reason::Full) => b"* BYE [UNAVAILABLE] Too many connections, try again later.\r\n",
            (Protocol::Imap, Reason::Broken) => b"* BYE [UNAVAILABLE] Temporary failure, try again later.\r\n",
            (Protocol::Pop3, Reason::Broken) => b"-ERR [SYS/TEMP] Temporary failure, try again later.\r\n",
            (Protocol::Pop3, Reason::Denied) => b"-ERR [SYS/PERM] Access denied.\r\n",
            (Protocol::Pop3, Reason::AddressFull) => b"-ERR [SYS/TEMP] Too many connections from your address.\r\n",
            (Protocol::Pop3, Reason::BlockFull) => b"-ERR [SYS/TEMP] Too many connections from your network.\r\n",
            (Protocol::Pop3, Reason::Full) => b"-ERR [SYS/TEMP] Too many connections, try again later.\r\n",
            (Protocol::Silent, _) => b"",
        }
    }
}

/// Sends what fits into the socket's buffer, which a line always does, and the end of the stream. Never waits.
pub fn close_with(stream: &TcpStream, text: &[u8]) {
    use nix::sys::socket::{MsgFlags, Shutdown, send, shutdown};
    if !text.is_empty() {
        // A client that is gone already is told nothing.
        let _ = send(stream.as_raw_fd(), text, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL);
        let _ = shutdown(stream.as_raw_fd(), Shutdown::Write);
    }
}

fn base_name(word: &OsStr) -> &[u8] {
    word.as_bytes().rsplit(|&b| b == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(port: u16, line: &str) -> Protocol {
        Protocol::of(port, &line.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn ports_and_programs_tell_the_protocol() {
        assert_eq!(of(143, "/bin/cat"), Protocol::Imap);
        assert_eq!(of(110, "/bin/cat"), Protocol::Pop3);
        assert_eq!(of(993, "/x/imaplogin"), Protocol::Silent);
        assert_eq!(of(995, "/bin/cat"), Protocol::Silent);
        assert_eq!(of(1143, "/x/imaplogin /x/authpwd"), Protocol::Imap);
        assert_eq!(of(1143, "/usr/bin/envdir ./env /x/imaplogin"), Protocol::Imap);
        assert_eq!(of(1110, "/x/pop3login"), Protocol::Pop3);
        assert_eq!(of(143, "/x/sslwrap /x/imaplogin"), Protocol::Silent);
        assert_eq!(of(4190, "/bin/cat"), Protocol::Silent);
    }
}
