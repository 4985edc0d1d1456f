//! Hashes that crypt(3) checks: in the process where the C library knows the method, else by the program `cryptcheck`.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use subtle::ConstantTimeEq as _;
use sys::crypt::CryptError;
use zeroize::Zeroizing;

/// Why a password could not be checked: neither right nor wrong, so the answer is a temporary failure.
#[derive(Debug)]
pub enum Trouble {
    /// The system refused, at this object.
    System(PathBuf, io::Error),
    /// `cryptcheck` has said why on descriptor 2.
    Reported,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::System(path, e) => write!(f, "unable to check a password with {}: {e}", path.display()),
            Trouble::Reported => f.write_str("unable to check a password"),
        }
    }
}

impl std::error::Error for Trouble {}

/// Something that says whether a password has this crypt(3) hash.
pub trait Crypt {
    /// Whether it has; an unknown method is a mismatch.
    fn matches(&self, password: &[u8], hash: &[u8]) -> Result<bool, Trouble>;
}

/// The methods of crypt(3) by what can check them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// DES, `$1$`, `$2a$` `$2b$` `$2y$`, `$5$`, `$6$`: every C library.
    Library,
    /// Whatever else begins with `$`: libxcrypt, by `cryptcheck`.
    Checker,
}

/// The method of a hash, none where it cannot be one.
pub fn method(hash: &[u8]) -> Option<Method> {
    match hash {
        [b'$', b'1' | b'5' | b'6', b'$', ..] | [b'$', b'2', b'a' | b'b' | b'y', b'$', ..] => Some(Method::Library),
        [b'$', _, _, ..] => Some(Method::Checker),
        // Traditional DES, and BSDi's extended form.
        _ if hash.len() == 13 && hash.iter().all(is_crypt_digit) => Some(Method::Library),
        [b'_', rest @ ..] if rest.len() == 19 && rest.iter().all(is_crypt_digit) => Some(Method::Library),
        _ => None,
    }
}

fn is_crypt_digit(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/')
}

/// The C library, with `cryptcheck` behind it.
#[derive(Clone, Debug)]
pub struct System {
    /// The full path of `cryptcheck`.
    pub checker: PathBuf,
}

impl Crypt for System {
    fn matches(&self, password: &[u8], hash: &[u8]) -> Result<bool, Trouble> {
        match method(hash) {
            None => Ok(false),
            Some(Method::Checker) => check(&self.checker, password, hash),
            Some(Method::Library) => match in_process(password, hash) {
                // musl refuses more rounds and longer passwords than glibc.
                Ok(None) => check(&self.checker, password, hash),
                Ok(Some(matches)) => Ok(matches),
                Err(e) => Err(Trouble::System("crypt".into(), e)),
            },
        }
    }
}

/// Whether crypt(3) of this process gives this hash; none where it does not know the method.
pub fn in_process(password: &[u8], hash: &[u8]) -> io::Result<Option<bool>> {
    match sys::crypt::crypt(password, hash) {
        Ok(computed) => Ok(Some(computed.ct_eq(hash).into())),
        Err(CryptError::Refused) => Ok(None),
        Err(CryptError::OutOfMemory) => Err(io::ErrorKind::OutOfMemory.into()),
    }
}

/// The exit codes of `cryptcheck`.
pub mod verdict {
    /// The password has this hash.
    pub const MATCH: i32 = 0;
    /// It has not.
    pub const MISMATCH: i32 = 1;
}

/// Runs `cryptcheck` with password and hash on its descriptor 0, each ended by a NUL. It gets no environment, and the
/// network, which is on our 0 and 1, is not among its descriptors.
fn check(program: &Path, password: &[u8], hash: &[u8]) -> Result<bool, Trouble> {
    let trouble = |e| Trouble::System(program.to_owned(), e);
    if password.contains(&0) || hash.contains(&0) {
        return Ok(false);
    }
    let mut child =
        Command::new(program).env_clear().stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map_err(trouble)?;
    let sent = send(&mut child, password, hash);
    let status = child.wait().map_err(trouble)?;
    match status.code() {
        Some(verdict::MATCH) => sent.map(|()| true).map_err(trouble),
        Some(verdict::MISMATCH) => sent.map(|()| false).map_err(trouble),
        _ => Err(Trouble::Reported),
    }
}

fn send(child: &mut Child, password: &[u8], hash: &[u8]) -> io::Result<()> {
    let mut question = Zeroizing::new(Vec::with_capacity(password.len() + hash.len() + 2));
    for part in [password, hash] {
        question.extend_from_slice(part);
        question.push(0);
    }
    match child.stdin.take() {
        Some(mut pipe) => pipe.write_all(&question),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods() {
        for hash in ["ab1tqcfAqYn3M", "$1$x$y", "$2a$x", "$2b$x", "$2y$x", "$5$x$", "$6$x$", "_J9..CCCCXBrJUJV154M"] {
            assert_eq!(method(hash.as_bytes()), Some(Method::Library), "{hash}");
        }
        for hash in ["$y$j9T$x", "$gy$j9T$x", "$7$CU", "$2x$x", "$md5,rounds=1$x", "$sha1$1$x"] {
            assert_eq!(method(hash.as_bytes()), Some(Method::Checker), "{hash}");
        }
        for hash in ["", "x", "*", "!", "!!", "*LK*", "secret", "{SHA}x", "ab1tqcfAqYn3", "ab1tqcfAqYn:M", "$", "$1"] {
            assert_eq!(method(hash.as_bytes()), None, "{hash}");
        }
    }

    #[test]
    fn a_missing_checker_is_no_mismatch() {
        let system = System { checker: "/nowhere/cryptcheck".into() };
        assert!(system.matches(b"x", b"$y$j9T$x$y").is_err());
        assert!(!system.matches(b"x", b"!").unwrap());
    }
}
