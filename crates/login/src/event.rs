//! The log of logins, in Courier's words, which filters and statistics know.

use crate::End;
use chain::{Peer, Program, field};

/// Writes the lines of one connection.
pub struct Events<'a> {
    program: Program,
    peer: &'a Peer,
}

impl<'a> Events<'a> {
    /// Of the connection with this peer.
    pub fn new(program: Program, peer: &'a Peer) -> Events<'a> {
        Events { program, peer }
    }

    /// A client is there.
    pub fn connection(&self) {
        self.write(b"DEBUG: Connection, ", &[], b"");
    }

    /// An attempt failed; `None` where the name is not to be told.
    pub fn failed(&self, name: Option<&[u8]>) {
        self.write(b"INFO: LOGIN FAILED, ", &[(b"user=", name.unwrap_or_default())], b"");
    }

    /// Nobody could tell whether an attempt was right.
    pub fn unavailable(&self, name: Option<&[u8]>) {
        let line = b"ERR: authentication error: temporary failure, ";
        self.write(line, &[(b"user=", name.unwrap_or_default())], b"");
    }

    /// A connection ended without a login.
    pub fn ended(&self, end: End, received: u64, sent: u64, age: i64) {
        let counts = format!(", rcvd={received}, sent={sent}");
        match end {
            End::Logout => self.write(b"INFO: LOGOUT, ", &[], counts.as_bytes()),
            End::Idle | End::Expired => self.write(b"INFO: TIMEOUT, ", &[], format!("{counts}, time={age}").as_bytes()),
            End::Closed | End::Nonsense | End::Refused => {
                self.write(b"DEBUG: Disconnected, ", &[], format!(", time={age}").as_bytes());
            }
        }
    }

    /// `DEBUG_LOGIN`: what was said before the login.
    pub fn command(&self, command: &[u8]) {
        self.debug(b"command=", command);
    }

    /// `DEBUG_LOGIN`: who is to be logged in. There is no such line for passwords, at any level.
    pub fn name(&self, name: &[u8]) {
        self.debug(b"username=", name);
    }

    fn debug(&self, key: &[u8], value: &[u8]) {
        let mut line = b"DEBUG: LOGIN: ip=[".to_vec();
        field(&mut line, self.ip());
        line.extend_from_slice(b"], ");
        line.extend_from_slice(key);
        field(&mut line, value);
        self.program.log(&line);
    }

    /// `BEGIN` fields, `ip=[..], port=[..]`, `END`.
    fn write(&self, begin: &[u8], fields: &[(&[u8], &[u8])], end: &[u8]) {
        let mut line = Vec::with_capacity(160);
        line.extend_from_slice(begin);
        for (key, value) in fields {
            line.extend_from_slice(key);
            field(&mut line, value);
            line.extend_from_slice(b", ");
        }
        line.extend_from_slice(b"ip=[");
        field(&mut line, self.ip());
        line.extend_from_slice(b"], port=[");
        field(&mut line, self.port());
        line.push(b']');
        line.extend_from_slice(end);
        self.program.log(&line);
    }

    /// As the next program hears it where there is no network: Courier's words for that.
    fn ip(&self) -> &[u8] {
        match self.peer.shown_ip() {
            b"" => b"127.0.0.1",
            ip => ip,
        }
    }

    fn port(&self) -> &[u8] {
        match &self.peer.remote_port[..] {
            b"" => b"N/A",
            port => port,
        }
    }
}
