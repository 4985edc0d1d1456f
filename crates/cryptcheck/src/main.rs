//! Checks one password against one crypt(3) hash, for programs whose C library knows fewer methods.
//!
//! Descriptor 0 gives the password and the hash, each ended by a NUL; the exit code is the answer.
#![forbid(unsafe_code)]

use account::crypt::{in_process, verdict};
use chain::{Program, exit};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io::Read as _;
use zeroize::Zeroizing;

const PROGRAM: Program = Program::new("cryptcheck");
/// A login request is shorter.
const LONGEST: usize = 16_384;

fn main() {
    let question = read();
    let mut fields = question.split(|&byte| byte == 0);
    let (Some(password), Some(hash), Some(b""), None) = (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        PROGRAM.fatal(exit::PERMANENT, b"usage: password and hash on descriptor 0, each ended by a NUL");
    };
    raise_memory_limits();
    match in_process(password, hash) {
        Ok(Some(true)) => std::process::exit(verdict::MATCH),
        Ok(_) => std::process::exit(verdict::MISMATCH),
        Err(_) => PROGRAM.fatal(exit::TEMPORARY, b"out of memory in crypt: raise the limit"),
    }
}

fn read() -> Zeroizing<Vec<u8>> {
    let mut question = Zeroizing::new(vec![0; LONGEST]);
    let mut length = 0;
    while let Some(room) = question.get_mut(length..).filter(|room| !room.is_empty()) {
        match std::io::stdin().read(room) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => {
                let what = format!("unable to read descriptor 0: {}", chain::reason(&e));
                PROGRAM.fatal(exit::TEMPORARY, what.as_bytes());
            }
        }
    }
    question.truncate(length);
    question
}

/// yescrypt wants 16 MiB; softlimit(8) lowers the soft limits alone. A limit that cannot be raised is the administrator's
/// word, and crypt(3) finds out whether it suffices.
fn raise_memory_limits() {
    for resource in [Resource::RLIMIT_AS, Resource::RLIMIT_DATA] {
        if let Ok((_, hard)) = getrlimit(resource) {
            let _ = setrlimit(resource, hard, hard);
        }
    }
}
