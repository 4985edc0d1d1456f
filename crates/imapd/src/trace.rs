//! `IMAPDEBUGFILE`: a record of the dialogue, without passwords and without mail.
//!
//! The file is written only if the account's owner put it into the Maildir.
//! A line of the client is shown whole but for what follows LOGIN and
//! AUTHENTICATE; of a literal only the length is shown, in both directions.

use std::fs::File;
use std::io::Write;

/// So much of a line is shown.
const SHOWN: usize = 1000;

/// The open trace file.
pub struct Trace {
    file: File,
    reply: Skipper,
}

impl Trace {
    /// Takes the file, opened for appending.
    pub fn new(file: File) -> Trace {
        Trace { file, reply: Skipper::default() }
    }

    /// One command of the client, with its literals.
    pub fn read(&mut self, command: &[u8]) {
        let mut record = Vec::new();
        Skipper::default().show(b"READ: ", without_secret(command), &mut record);
        self.append(&record);
    }

    /// What we sent; it may begin or end anywhere in a reply.
    pub fn written(&mut self, bytes: &[u8]) {
        let mut record = Vec::new();
        self.reply.show(b"WRITE: ", bytes, &mut record);
        self.append(&record);
    }

    /// A trace that cannot be written (disk full) is no reason to end the session.
    fn append(&mut self, record: &[u8]) {
        if self.file.write_all(record).is_err() {
            self.reply = Skipper::default();
        }
    }
}

/// The command up to the word that is followed by a secret.
fn without_secret(command: &[u8]) -> &[u8] {
    let mut words = command.splitn(3, |byte| *byte == b' ');
    let tag = words.next().map_or(0, <[u8]>::len);
    let name = words.next().unwrap_or_default();
    let secret = name.eq_ignore_ascii_case(b"LOGIN") || name.eq_ignore_ascii_case(b"AUTHENTICATE");
    if secret { command.get(..tag.saturating_add(name.len()).saturating_add(1)).unwrap_or(command) } else { command }
}

/// Shows lines and skips literals, across any cut of the stream.
#[derive(Default)]
struct Skipper {
    line: Vec<u8>,
    skip: u64,
}

impl Skipper {
    fn show(&mut self, prefix: &[u8], mut bytes: &[u8], record: &mut Vec<u8>) {
        loop {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
            self.skip = self.skip.saturating_sub(skipped as u64);
            bytes = bytes.get(skipped..).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |at| at + 1));
            self.line.extend_from_slice(part);
            bytes = rest;
            if end.is_some() || prefix == b"READ: " {
                self.skip = literal_length(&self.line);
                record.extend_from_slice(prefix);
                let shown = self.line.trim_ascii_end().iter().take(SHOWN);
                record.extend(shown.map(|byte| if byte.is_ascii_control() { b'?' } else { *byte }));
                record.push(b'\n');
                self.line.clear();
            }
        }
    }
}

/// The length that `{n}`, `{n+}` at the end of a line announces.
fn literal_length(line: &[u8]) -> u64 {
    let Some(line) = line.trim_ascii_end().strip_suffix(b"}") else { return 0 };
    let line = line.strip_suffix(b"+").unwrap_or(line);
    let Some(at) = line.iter().rposition(|byte| *byte == b'{') else { return 0 };
    let digits = line.get(at + 1..).unwrap_or_default();
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(prefix: &[u8], pieces: &[&[u8]]) -> String {
        let (mut skipper, mut record) = (Skipper::default(), Vec::new());
        for piece in pieces {
            skipper.show(prefix, piece, &mut record);
        }
        String::from_utf8(record).unwrap()
    }

    #[test]
    fn literals_are_left_out_wherever_the_stream_is_cut() {
        let whole = b"* 1 FETCH (BODY[] {11}\r\nsecret\r\nabc)\r\na OK done\r\n";
        for cut in 0..whole.len() {
            let (left, right) = whole.split_at(cut);
            let text = shown(b"WRITE: ", &[left, right]);
            assert_eq!(text, "WRITE: * 1 FETCH (BODY[] {11}\nWRITE: )\nWRITE: a OK done\n", "cut at {cut}");
        }
    }

    #[test]
    fn passwords_are_left_out() {
        assert_eq!(without_secret(b"a login joe secret\r\n"), b"a login");
        assert_eq!(without_secret(b"a AUTHENTICATE PLAIN AGEAYg==\r\n"), b"a AUTHENTICATE");
        assert_eq!(without_secret(b"a NOOP\r\n"), b"a NOOP\r\n");
        assert_eq!(shown(b"READ: ", &[without_secret(b"a login {3}\r\njoe {3}\r\nabc\r\n")]), "READ: a login\n");
    }
}
