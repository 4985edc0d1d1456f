//! One line on stderr for each problem, and the exit code that goes with it.

use std::io::{self, Write};

/// How to call this program.
pub const USAGE: &str = "usage: conf2env [-c] [-k] [-s NAME=value]... envdir [file...] | conf2env -e [-k] [-s NAME=value]... file... -- program";

const PERMANENT: u8 = 100;
const TEMPORARY: u8 = 111;

/// Why nothing was done.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    text: Vec<u8>,
}

impl Failure {
    /// The command line makes no sense (exit 100).
    pub fn usage() -> Self {
        Failure { code: PERMANENT, text: USAGE.into() }
    }

    /// Bad input at a line of a file (exit 100).
    pub fn input(file: &[u8], line: usize, what: &str) -> Self {
        Failure { code: PERMANENT, text: located(file, line, what) }
    }

    /// A setting that an envdir cannot carry (exit 100).
    pub fn value(name: &[u8], what: &str) -> Self {
        Failure { code: PERMANENT, text: [name, b": ", what.as_bytes()].concat() }
    }

    /// A system call failed (exit 111).
    pub fn system(action: &str, object: &[u8], error: &io::Error) -> Self {
        let text = [b"unable to ", action.as_bytes(), b" ", object, b": ", reason(error).as_bytes()].concat();
        Failure { code: TEMPORARY, text }
    }

    /// Says it on stderr and returns the exit code.
    pub fn report(&self) -> u8 {
        say(b"conf2env: fatal: ", &self.text);
        self.code
    }
}

/// A line that does not stop the work.
pub fn warn(text: &[u8]) {
    say(b"conf2env: warning: ", text);
}

/// `file:line: what`.
pub fn located(file: &[u8], line: usize, what: &str) -> Vec<u8> {
    [file, b":", line.to_string().as_bytes(), b": ", what.as_bytes()].concat()
}

fn reason(error: &io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn say(prefix: &[u8], text: &[u8]) {
    let clean = text.iter().map(|&byte| if (b' '..=b'~').contains(&byte) { byte } else { b'?' });
    let mut line: Vec<u8> = prefix.iter().copied().chain(clean).take(1000).collect();
    line.push(b'\n');
    // A closed or full stderr changes nothing of the work itself.
    let _ = io::stderr().write_all(&line);
}
