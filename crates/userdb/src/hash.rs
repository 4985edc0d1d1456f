//! `userdbpw [-md5 | -sha512 | -hmac-md5 | -hmac-sha1 | -hmac-sha256]`: makes a stored password.

use crate::output::print;
use crate::secret;
use account::hmac::{HASHES, Hash};
use chain::{Program, exit, reason};
use std::ffi::OsString;
use zeroize::Zeroizing;

const PROGRAM: Program = Program::new("userdbpw");
/// Courier's code for a wrong word and for no password.
const REFUSED: i32 = 1;
/// The digits of crypt(3), 64 of them: a random byte's low six bits choose one.
const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

enum Form {
    /// crypt(3): what stands before the salt, the digits of salt, what stands behind.
    Crypt(&'static str, usize),
    Context(Hash),
}

/// Runs the program with these arguments; gives its exit code.
pub fn run(args: &[OsString]) -> i32 {
    let Some(form) = form(args) else {
        PROGRAM.fatal(REFUSED, b"usage: userdbpw [-md5 | -sha512 | -hmac-md5 | -hmac-sha1 | -hmac-sha256]");
    };
    let password = match secret::new_password() {
        Ok(Some(password)) => password,
        Ok(None) => return REFUSED,
        Err(e) => PROGRAM.fatal(exit::TEMPORARY, format!("unable to read a password: {}", reason(&e)).as_bytes()),
    };
    let mut line = match form {
        Form::Crypt(prefix, digits) => crypt(prefix, digits, &password),
        Form::Context(hash) => hash.context(&password),
    };
    line.push(b'\n');
    match print(&line) {
        Ok(()) => exit::DONE,
        Err(e) => PROGRAM.fatal(exit::TEMPORARY, format!("unable to write: {}", reason(&e)).as_bytes()),
    }
}

fn form(args: &[OsString]) -> Option<Form> {
    let word = match args {
        [] => return Some(Form::Crypt("", 2)),
        [word] => word.to_str()?.strip_prefix('-')?,
        _ => return None,
    };
    match word {
        "md5" => Some(Form::Crypt("$1$", 8)),
        "sha512" => Some(Form::Crypt("$6$", 16)),
        _ => HASHES.into_iter().find(|hash| hash.name() == word).map(Form::Context),
    }
}

fn crypt(prefix: &str, digits: usize, password: &[u8]) -> Zeroizing<Vec<u8>> {
    match stored_form(prefix, digits, password) {
        Some(hash) => Zeroizing::new(hash),
        None => PROGRAM.fatal(exit::TEMPORARY, b"crypt(3) refuses this password"),
    }
}

/// A crypt(3) hash of the password under a new salt.
pub(crate) fn stored_form(prefix: &str, digits: usize, password: &[u8]) -> Option<Vec<u8>> {
    let mut random = vec![0; digits];
    sys::random::fill(&mut random).ok()?;
    let salt = random.iter().filter_map(|byte| DIGITS.get(usize::from(byte & 63)));
    let setting: Vec<u8> = prefix.bytes().chain(salt.copied()).collect();
    sys::crypt::crypt(password, &setting).ok()
}
