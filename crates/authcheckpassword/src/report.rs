//! What the child says of itself when checkpassword has made it the account.
//!
//! It says nothing of its ids: another process of the same account could hold it up and change its words, so those come
//! from the kernel.

use chain::{environment, exit};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;

/// In front of the report: checkpassword programs may write to descriptor 1 too.
const BEGIN: &[u8] = b"\0daisychain report\0";
/// Behind it: half a report is none.
const END: &[u8] = b"\0whole\0";
/// What is asked of the environment, in the order of the report.
const NAMES: [&str; 6] = ["USER", "SHELL", "NAME", "MAILDIR", "MAILDIRQUOTA", "OPTIONS"];

/// An account as checkpassword made it. What it did not say is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub directory: Vec<u8>,
    pub user: Vec<u8>,
    pub shell: Vec<u8>,
    pub fullname: Vec<u8>,
    pub maildir: Vec<u8>,
    pub quota: Vec<u8>,
    pub options: Vec<u8>,
}

/// Reports on this process to descriptor 1, then waits there until it has been looked at; gives the exit code.
pub fn write() -> i32 {
    // One of our own modules stood in checkpassword's place, and passed the request on.
    if environment::own("AUTHENTICATED") == Some(b"") {
        return exit::REFUSED;
    }
    let Ok(directory) = std::env::current_dir() else {
        return exit::TEMPORARY;
    };
    let mut report = [BEGIN, directory.as_os_str().as_bytes()].concat();
    for name in NAMES {
        report.push(0);
        report.extend_from_slice(environment::own_set(name).unwrap_or_default());
    }
    report.extend_from_slice(END);
    let mut out = std::io::stdout();
    if out.write_all(&report).and_then(|()| out.flush()).is_err() {
        return exit::TEMPORARY;
    }
    // The other side says nothing; it closes.
    let _ = nix::unistd::read(sys::descriptors::standard(1), &mut [0]);
    exit::DONE
}

/// The report in what came out of the child, if there is a whole one.
pub fn parse(output: &[u8]) -> Option<Report> {
    let begin = output.windows(BEGIN.len()).rposition(|part| part == BEGIN)? + BEGIN.len();
    let fields = output.get(begin..)?.strip_suffix(END)?;
    let mut fields = fields.split(|&byte| byte == 0);
    let mut next = || fields.next().map(<[u8]>::to_vec);
    let report = Report {
        directory: next()?,
        user: next()?,
        shell: next()?,
        fullname: next()?,
        maildir: next()?,
        quota: next()?,
        options: next()?,
    };
    fields.next().is_none().then_some(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_reports_alone() {
        let text = b"noise\0daisychain report\0/home/joe\0joe\0/bin/sh\0\0Maildir\0\0\0whole\0";
        let expected = Report {
            directory: b"/home/joe".to_vec(),
            user: b"joe".to_vec(),
            shell: b"/bin/sh".to_vec(),
            maildir: b"Maildir".to_vec(),
            ..Report::default()
        };
        assert_eq!(parse(text), Some(expected));
        for cut in 0..text.len() {
            assert_eq!(parse(&text[..cut]), None);
        }
        assert_eq!(parse(b"\0daisychain report\0\0whole\0"), None);
    }
}
