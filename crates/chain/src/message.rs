//! One line on descriptor 2 for each event, in one write, so that lines of many processes mix
//! whole. A log that is gone or full never stops or ends a session.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Longest line, with its newline.
const LINE: usize = 1000;
/// Longest field from outside in a login event.
const FIELD: usize = 256;
/// Lines a second from one process; the rest is counted.
const RATE: u32 = 10;
/// How long a full log is waited for.
const PATIENCE_MS: u16 = 100;

/// The program that speaks.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    name: &'static str,
}

impl Program {
    /// With the name shown in its messages.
    pub const fn new(name: &'static str) -> Program {
        Program { name }
    }

    /// The name shown in its messages.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// `NAME: warning: WHAT`.
    pub fn warn(&self, what: &[u8]) {
        RATE_LIMIT.write(&self.line(b": warning: ", what));
    }

    /// `NAME: fatal: WHAT`, and the end.
    pub fn fatal(&self, code: i32, what: &[u8]) -> ! {
        write_line(&self.line(b": fatal: ", what));
        std::process::exit(code)
    }

    /// A login event in Courier's shape, without a prefix. Fields from outside go through
    /// [`field`] first; what else is no printable ASCII becomes `?`.
    pub fn log(&self, line: &[u8]) {
        RATE_LIMIT.write(&printable(line));
    }

    fn line(&self, kind: &[u8], what: &[u8]) -> Vec<u8> {
        let mut line = Vec::with_capacity(self.name.len() + kind.len() + what.len() + 1);
        line.extend_from_slice(self.name.as_bytes());
        line.extend_from_slice(kind);
        line.extend_from_slice(what);
        printable(&line)
    }
}

/// Appends a value from outside to a login event: control characters as `.`, as Courier does;
/// what could forge a further field or hide one (`,` `"` `\` and bytes above ASCII) as `\xHH`.
pub fn field(line: &mut Vec<u8>, value: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for byte in value.iter().take(FIELD) {
        match byte {
            0..=31 | 127 => line.push(b'.'),
            b',' | b'"' | b'\\' | 128.. => {
                line.extend_from_slice(b"\\x");
                for digit in [byte >> 4, byte & 15] {
                    line.push(HEX.get(usize::from(digit)).copied().unwrap_or(b'?'));
                }
            }
            _ => line.push(*byte),
        }
    }
}

/// The words for an error of the system: "no such file or directory".
pub fn reason(error: &io::Error) -> String {
    let text = match error.raw_os_error() {
        Some(number) => nix::errno::Errno::from_raw(number).desc().to_owned(),
        None => error.to_string(),
    };
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => text,
    }
}

/// Space and the visible characters stay; the line is cut where it is too long.
fn printable(text: &[u8]) -> Vec<u8> {
    let mut line: Vec<u8> =
        text.iter().take(LINE - 1).map(|byte| if (32..127).contains(byte) { *byte } else { b'?' }).collect();
    line.push(b'\n');
    line
}

/// One write, if the log takes it soon. A log that was full is not waited for again before it took a line: a server
/// that waited for each would serve ten clients a second.
fn write_line(line: &[u8]) {
    static FULL: AtomicBool = AtomicBool::new(false);
    let log = sys::descriptors::standard(2);
    let patience = if FULL.load(Ordering::Relaxed) { 0 } else { PATIENCE_MS };
    let mut ready = [PollFd::new(log.as_fd(), PollFlags::POLLOUT)];
    let full = matches!(poll(&mut ready, PollTimeout::from(patience)), Ok(0));
    FULL.store(full, Ordering::Relaxed);
    if !full {
        let _ = nix::unistd::write(log, line);
    }
}

static RATE_LIMIT: RateLimit =
    RateLimit { second: AtomicU64::new(0), written: AtomicU32::new(0), left_out: AtomicU32::new(0) };

/// How much was written in the present second. (Atomics, as statics need them; there is one
/// thread.)
struct RateLimit {
    second: AtomicU64,
    written: AtomicU32,
    left_out: AtomicU32,
}

impl RateLimit {
    fn write(&self, line: &[u8]) {
        if let Some(left_out) = self.admit(sys::clock::monotonic_milliseconds() / 1000) {
            if left_out > 0 {
                write_line(format!("WARN: {left_out} lines left out\n").as_bytes());
            }
            write_line(line);
        }
    }

    /// `None`: this line is one too many. Else how many were left out before it.
    fn admit(&self, now: u64) -> Option<u32> {
        if self.second.swap(now, Ordering::Relaxed) != now {
            self.written.store(0, Ordering::Relaxed);
        }
        if self.written.fetch_add(1, Ordering::Relaxed) < RATE {
            Some(self.left_out.swap(0, Ordering::Relaxed))
        } else {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        let line = Program::new("imapd").line(b": fatal: ", b"unable to read a\nb\x80: no");
        assert_eq!(line, b"imapd: fatal: unable to read a?b?: no\n");
        let line = printable(&[b'x'; 5000]);
        assert_eq!(line.len(), LINE);
        assert!(line.ends_with(b"x\n"));
    }

    #[test]
    fn a_field_cannot_forge_another() {
        let mut line = b"user=".to_vec();
        field(&mut line, b"a, ip=[1.2.3.4]\r\n\"\\\xe9");
        assert_eq!(line, b"user=a\\x2c ip=[1.2.3.4]..\\x22\\x5c\\xe9");
        let mut line = Vec::new();
        field(&mut line, &[b'a'; 5000]);
        assert_eq!(line.len(), FIELD);
    }

    #[test]
    fn reasons_are_lower_case_words() {
        let gone = io::Error::from_raw_os_error(nix::libc::ENOENT);
        assert_eq!(reason(&gone), "no such file or directory");
        assert_eq!(reason(&io::Error::other("Odd")), "odd");
    }

    #[test]
    fn ten_lines_a_second() {
        let limit = RateLimit { second: AtomicU64::new(0), written: AtomicU32::new(0), left_out: AtomicU32::new(0) };
        let admitted = (0..100).filter(|_| limit.admit(7).is_some()).count();
        assert_eq!(admitted, 10);
        assert_eq!(limit.admit(8), Some(90));
        assert_eq!(limit.admit(8), Some(0));
    }
}
