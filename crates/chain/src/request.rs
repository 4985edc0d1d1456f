//! The login request on descriptor 3.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use zeroize::Zeroizing;

/// Longest request. What follows in the pipe is not read.
pub const MAXIMUM: usize = 8191;
/// Almost every request is shorter; a buffer for the longest costs each login a mapping and three pages.
const ORDINARY: usize = 512;
/// Longest request in the checkpassword dialect.
const CHECKPASSWORD_MAXIMUM: usize = 512;

/// A login request, as the bytes that are handed from module to module. Wiped when dropped.
pub struct Request {
    bytes: Zeroizing<Vec<u8>>,
}

/// A request taken apart.
#[derive(PartialEq, Eq)]
pub enum Dialect<'a> {
    /// `service LF authtype LF authdata LF`.
    Classic {
        /// Such as `imap`.
        service: &'a [u8],
        /// Such as `login` or `cram-md5`.
        authtype: &'a [u8],
        /// What the type wants, without the last LF.
        authdata: &'a [u8],
    },
    /// `login NUL password NUL timestamp NUL`, told by its NULs.
    Checkpassword {
        /// The name.
        login: &'a [u8],
        /// The password, or a digest made with it.
        password: &'a [u8],
        /// What the digest was made of; empty for a plain password.
        timestamp: &'a [u8],
    },
}

/// Not to be said in a request: an empty name or password, a NUL or LF inside a field, too many
/// bytes, or bytes that have no form at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed login request")
    }
}

/// Why there is no request to read.
#[derive(Debug)]
pub enum RequestError {
    /// Descriptor 3 is closed.
    Absent,
    /// It is open, and ended without a byte.
    Empty,
    /// Reading failed.
    Unreadable(io::Error),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::Absent => f.write_str("descriptor 3 is closed"),
            RequestError::Empty => f.write_str("no login request on descriptor 3"),
            RequestError::Unreadable(e) => {
                write!(f, "unable to read descriptor 3: {}", crate::reason(e))
            }
        }
    }
}

impl Request {
    /// Name and password.
    pub fn login(service: &[u8], user: &[u8], password: &[u8]) -> Result<Request, Malformed> {
        Request::sasl(service, b"login", &[user, password])
    }

    /// Any other kind; each field of its data ends in LF, and none is empty.
    pub fn sasl(service: &[u8], authtype: &[u8], fields: &[&[u8]]) -> Result<Request, Malformed> {
        let fields = || [service, authtype].into_iter().chain(fields.iter().copied());
        let length = fields().fold(1, |sum: usize, field| sum.saturating_add(field.len()).saturating_add(1));
        let bad = |field: &[u8]| field.is_empty() || field.iter().any(|b| matches!(b, 0 | b'\n'));
        if length > MAXIMUM || fields().any(bad) {
            return Err(Malformed);
        }
        // As long as it will be: a vector that grows leaves an unwiped copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        for field in fields() {
            bytes.extend_from_slice(field);
            bytes.push(b'\n');
        }
        bytes.push(b'\n');
        Ok(Request { bytes })
    }

    /// In the dialect of checkpassword programs.
    pub fn checkpassword(login: &[u8], password: &[u8], timestamp: &[u8]) -> Result<Request, Malformed> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(CHECKPASSWORD_MAXIMUM));
        for field in [login, password, timestamp] {
            let fits = bytes.len() + field.len() < CHECKPASSWORD_MAXIMUM;
            if field.contains(&0) || !fits {
                return Err(Malformed);
            }
            bytes.extend_from_slice(field);
            bytes.push(0);
        }
        if login.is_empty() || password.is_empty() {
            return Err(Malformed);
        }
        Ok(Request { bytes })
    }

    /// Reads descriptor 3 to its end and closes it. Call it first thing in a program.
    pub fn read() -> Result<Request, RequestError> {
        let pipe = sys::descriptors::inherited(3).ok_or(RequestError::Absent)?;
        Request::read_from(pipe)
    }

    fn read_from(pipe: OwnedFd) -> Result<Request, RequestError> {
        let mut bytes = Zeroizing::new(vec![0; ORDINARY]);
        let mut length = fill(&pipe, &mut bytes, 0)?;
        if length == ORDINARY {
            let mut longer = Zeroizing::new(vec![0; MAXIMUM]);
            longer.iter_mut().zip(bytes.iter()).for_each(|(to, from)| *to = *from);
            bytes = longer;
            length = fill(&pipe, &mut bytes, length)?;
        }
        bytes.truncate(length);
        if bytes.is_empty() {
            return Err(RequestError::Empty);
        }
        Ok(Request { bytes })
    }

    /// Takes the request apart.
    pub fn dialect(&self) -> Result<Dialect<'_>, Malformed> {
        if self.bytes.contains(&0) {
            return self.checkpassword_fields().ok_or(Malformed);
        }
        self.classic_fields().ok_or(Malformed)
    }

    fn classic_fields(&self) -> Option<Dialect<'_>> {
        let (service, rest) = cut(&self.bytes, b'\n')?;
        let (authtype, rest) = cut(rest, b'\n')?;
        // Some callers leave the LF after the data out.
        let authdata = match rest.strip_suffix(b"\n\n") {
            Some(_) => rest.get(..rest.len() - 1)?,
            None => rest,
        };
        Some(Dialect::Classic { service, authtype, authdata })
    }

    fn checkpassword_fields(&self) -> Option<Dialect<'_>> {
        let (login, rest) = cut(&self.bytes, 0)?;
        let (password, rest) = cut(rest, 0)?;
        // Programs that test by hand often end after the password.
        let timestamp = cut(rest, 0).map_or(rest, |(timestamp, _)| timestamp);
        let usable = !login.is_empty() && self.bytes.len() <= CHECKPASSWORD_MAXIMUM;
        usable.then_some(Dialect::Checkpassword { login, password, timestamp })
    }

    /// A new pipe with the request in it, ready for an exec.
    ///
    /// The pipe must take it at once (it does unless the user has too many pipes and the request
    /// is long): nobody is left to write the rest.
    pub fn into_pipe(&self) -> io::Result<OwnedFd> {
        let (reading, writing) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        fcntl(writing.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let written = nix::unistd::write(&writing, &self.bytes)?;
        if written != self.bytes.len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(reading)
    }
}

/// The two fields of the `login` type: name and password, each ended by LF and not empty.
pub fn login_fields(authdata: &[u8]) -> Option<(&[u8], &[u8])> {
    let (user, rest) = cut(authdata, b'\n')?;
    let password = cut(rest, b'\n').map_or(rest, |(password, _)| password);
    (!user.is_empty() && !password.is_empty()).then_some((user, password))
}

/// Reads behind the first `length` bytes until the buffer is full or the pipe ends; gives how many are there then.
fn fill(pipe: &OwnedFd, buffer: &mut [u8], mut length: usize) -> Result<usize, RequestError> {
    while let Some(room) = buffer.get_mut(length..).filter(|room| !room.is_empty()) {
        match nix::unistd::read(pipe, room) {
            Ok(0) => break,
            Ok(n) => length += n,
            Err(Errno::EINTR) => {}
            Err(e) => return Err(RequestError::Unreadable(e.into())),
        }
    }
    Ok(length)
}

/// What stands before and after the first `at`.
fn cut(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let position = bytes.iter().position(|b| *b == at)?;
    Some((bytes.get(..position)?, bytes.get(position + 1..)?))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
