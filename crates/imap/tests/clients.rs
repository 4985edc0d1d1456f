//! What real clients say is understood, to the byte where each command ends.

#![allow(clippy::panic, clippy::expect_used, reason = "a test's helpers")]
use imap::append::{self, Head};
use imap::{Command, Framer, Rules, Step, line_end, parse, peek};

/// A client's session from its connection to LOGOUT, maybe several; LF stands for CR LF, as in the files.
struct Session {
    bytes: Vec<u8>,
    rules: Rules,
}

impl Session {
    fn of(transcript: &str) -> Session {
        Session { bytes: transcript.replace('\n', "\r\n").into_bytes(), rules: Rules::AFTER_LOGIN }
    }

    /// Every command there is.
    fn commands(mut self) -> Vec<String> {
        let mut names = Vec::new();
        while !self.bytes.is_empty() {
            names.extend(self.command());
        }
        names
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        self.bytes.drain(..length).collect()
    }

    /// The next command's name, none for an empty line.
    fn command(&mut self) -> Option<String> {
        if self.bytes.starts_with(b"\r\n") {
            self.take(2);
            return None;
        }
        let mut framer = Framer::new(&self.rules);
        let end = loop {
            match framer.step(&self.bytes) {
                Step::Complete { end } => break end,
                Step::Literal(literal) if peek(&self.bytes).name.eq_ignore_ascii_case(b"APPEND") => {
                    return Some(self.append(literal.at));
                }
                Step::Literal(literal) => {
                    assert!(literal.fits);
                    framer.take_literal();
                }
                step => panic!("{step:?} at {}", self.bytes.escape_ascii()),
            }
        };
        let line = self.take(end);
        let tagged = parse(&line, &self.rules).unwrap_or_else(|error| panic!("{}: {error:?}", line.escape_ascii()));
        if tagged.command == Command::Idle {
            let length = line_end(&self.bytes).expect("DONE");
            assert_eq!(self.take(length), b"DONE\r\n");
        }
        Some(String::from_utf8_lossy(peek(&line).name).to_uppercase())
    }

    fn append(&mut self, at: usize) -> String {
        let head = self.take(at);
        let size = match append::parse_head(&head, &self.rules) {
            Ok(Head::Message(head)) => head.message.literal.size,
            other => panic!("{}: {other:?}", head.escape_ascii()),
        };
        // curl was interrupted behind its announcement.
        if !self.bytes.starts_with(b"A004") {
            self.take(size as usize);
            assert_eq!(self.take(2), b"\r\n");
        }
        "APPEND".into()
    }
}

fn count(transcript: &str, name: &str) -> usize {
    let commands = Session::of(transcript).commands();
    assert_eq!(commands.last().map(String::as_str), Some("LOGOUT"));
    commands.iter().filter(|command| *command == name).count()
}

#[test]
fn mutt() {
    assert_eq!(count(include_str!("clients/mutt.txt"), "UID"), 9);
}

#[test]
fn mbsync() {
    assert_eq!(count(include_str!("clients/mbsync.txt"), "APPEND"), 1);
}

#[test]
fn offlineimap() {
    assert_eq!(count(include_str!("clients/offlineimap.txt"), "LOGOUT"), 2);
}

#[test]
fn fetchmail() {
    assert_eq!(count(include_str!("clients/fetchmail.txt"), "FETCH"), 9);
}

#[test]
fn python() {
    assert_eq!(count(include_str!("clients/imaplib.txt"), "STATUS"), 1);
}

#[test]
fn curl() {
    assert_eq!(count(include_str!("clients/curl.txt"), "CAPABILITY"), 4);
}

#[test]
fn thunderbird() {
    assert_eq!(count(include_str!("clients/thunderbird.txt"), "UID"), 12);
}

#[test]
fn apple_mail() {
    assert_eq!(count(include_str!("clients/apple-mail.txt"), "IDLE"), 1);
}
