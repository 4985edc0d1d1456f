//! The lines that tell the administrator who came and went, in Courier's words.

use std::time::Instant;

use chain::Program;

use crate::end::End;

/// Our name in messages.
pub const PROGRAM: Program = Program::new("imapd");

/// Who is served, from where, since when.
pub struct Client {
    /// The account's name.
    pub user: Vec<u8>,
    /// The peer's address.
    pub ip: Vec<u8>,
    /// The peer's port.
    pub port: Vec<u8>,
    /// The client's side is encrypted.
    pub tls: bool,
    /// When the session began.
    pub since: Instant,
}

/// Bytes of mail sent, for the last line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// Bytes of message headers.
    pub headers: u64,
    /// Bytes of message bodies.
    pub body: u64,
}

impl Client {
    /// `INFO: LOGIN, ...`
    pub fn log_login(&self) {
        let mut line = self.event(b"INFO: LOGIN");
        line.extend_from_slice(b", protocol=IMAP");
        self.finish(line);
    }

    /// `INFO: LOCKED, ...`: the home directory is sticky.
    pub fn log_locked(&self) {
        PROGRAM.log(&self.event(b"INFO: LOCKED"));
    }

    /// `INFO: REFUSED, ...`: an option of the account forbids this service.
    pub fn log_refused(&self, option: &str) {
        let mut line = self.event(b"INFO: REFUSED");
        line.extend_from_slice(b", option=");
        line.extend_from_slice(option.as_bytes());
        PROGRAM.log(&line);
    }

    /// `INFO: ID, ...`: what the client says it is. `fields` begins with a comma.
    pub fn log_id(&self, fields: &[u8]) {
        let mut line = self.event(b"INFO: ID");
        line.extend_from_slice(fields);
        PROGRAM.log(&line);
    }

    /// `INFO: EXPUNGED, ...`: a message's file went, or moved to the trash. Names of files stand as
    /// they are, at the line's end, with the comma that they have.
    pub fn log_expunged(&self, old_name: &[u8], new_name: Option<&[u8]>) {
        let mut line = self.event(b"INFO: EXPUNGED");
        line.extend_from_slice(b", old_name=");
        line.extend(old_name.iter().take(256));
        if let Some(name) = new_name {
            line.extend_from_slice(b", new_name=");
            line.extend(name.iter().take(256));
        }
        PROGRAM.log(&line);
    }

    /// The last line of a session.
    pub fn log_end(&self, end: &End, mail: Sent, (received, sent): (u64, u64)) {
        let mut line = self.event(match end {
            End::Logout => b"INFO: LOGOUT",
            End::Disconnected | End::Refused(_) => b"INFO: DISCONNECTED",
            End::Timeout => b"INFO: TIMEOUT",
            End::Signal => b"NOTICE: Disconnected during shutdown by signal",
        });
        let fields: [(&[u8], u64); 5] = [
            (b", headers=", mail.headers),
            (b", body=", mail.body),
            (b", rcvd=", received),
            (b", sent=", sent),
            (b", time=", self.since.elapsed().as_secs()),
        ];
        for (name, value) in fields {
            line.extend_from_slice(name);
            line.extend_from_slice(value.to_string().as_bytes());
        }
        self.finish(line);
    }

    /// `what, user=U, ip=[I], port=[P]`
    fn event(&self, what: &[u8]) -> Vec<u8> {
        let mut line = Vec::with_capacity(256);
        line.extend_from_slice(what);
        let fields: [(&[u8], &[u8], &[u8]); 3] =
            [(b", user=", &self.user, b""), (b", ip=[", &self.ip, b"]"), (b", port=[", &self.port, b"]")];
        for (before, value, after) in fields {
            line.extend_from_slice(before);
            chain::field(&mut line, value);
            line.extend_from_slice(after);
        }
        line
    }

    fn finish(&self, mut line: Vec<u8>) {
        if self.tls {
            line.extend_from_slice(b", starttls=1");
        }
        PROGRAM.log(&line);
    }
}
