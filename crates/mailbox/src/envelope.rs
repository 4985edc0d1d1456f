//! ENVELOPE (RFC 3501 section 7.4.2): the header fields that a list of messages shows.

use std::io;

use imap::write;
use message::address::{self, Address, Entry};
use message::header::Collector;
use message::{MAX_ADDRESSES, Position};

use crate::message::{Message, Source};

/// Bytes of one address list as shown; what comes after is left out.
const MAX_LIST: usize = 1 << 20;

/// A longer answer gets room for itself and no more: growing by doubling may not fit in a small address space.
const EXACT: usize = 4 << 10;

const TEXTS: [&str; 4] = ["Date", "Subject", "In-Reply-To", "Message-ID"];
const LISTS: [&str; 6] = ["From", "Sender", "Reply-To", "To", "Cc", "Bcc"];

impl<S: Source> Message<S> {
    /// Appends the ENVELOPE.
    pub fn envelope(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let header = self.header()?;
        self.envelope_of(header.header, header.body, out)
    }

    /// The same of the header between two places.
    pub(crate) fn envelope_of(&mut self, start: Position, end: Position, out: &mut Vec<u8>) -> io::Result<()> {
        let mut envelope = Envelope::default();
        let mut collector = Collector::new();
        let choose = |name: &[u8]| TEXTS.iter().chain(&LISTS).any(|known| is(name, known));
        let mut at = start.file;
        while at < end.file && !collector.ended() {
            let piece = self.bytes(at, end.file - at)?;
            if piece.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            at += piece.len() as u64;
            collector.push(piece, choose, |name, value| envelope.field(name, value));
        }
        collector.finish(choose, |name, value| envelope.field(name, value));
        drop(collector);
        envelope.write(out);
        Ok(())
    }
}

fn is(name: &[u8], known: &str) -> bool {
    name.eq_ignore_ascii_case(known.as_bytes())
}

#[derive(Default)]
struct Envelope {
    texts: [Option<Vec<u8>>; 4],
    lists: [List; 6],
}

/// An address list as it will be shown, without the brackets around it.
#[derive(Default)]
struct List {
    shown: Vec<u8>,
    entries: usize,
    in_group: bool,
}

impl Envelope {
    fn field(&mut self, name: &[u8], value: &[u8]) {
        // Of a text that is there twice the first counts; addresses come together.
        if let Some((_, text)) = TEXTS.iter().zip(&mut self.texts).find(|(known, _)| is(name, known)) {
            text.get_or_insert_with(|| value.to_vec());
        }
        if let Some((_, list)) = LISTS.iter().zip(&mut self.lists).find(|(known, _)| is(name, known)) {
            list.add(value);
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let [date, subject, in_reply_to, message_id] = &self.texts;
        let [from, sender, reply_to, to, cc, bcc] = &self.lists;
        let texts: usize = self.texts.iter().flatten().map(Vec::len).sum();
        let lists = [from, from, from, sender, reply_to, to, cc, bcc].map(|list| list.shown.len());
        let long = texts + lists.iter().sum::<usize>();
        if long > EXACT {
            out.reserve_exact(long + EXACT);
        }
        out.push(b'(');
        write::nstring(out, date.as_deref());
        out.push(b' ');
        write::nstring(out, subject.as_deref());
        for list in [from, sender.or(from), reply_to.or(from), to, cc, bcc] {
            out.push(b' ');
            list.write(out);
        }
        for text in [in_reply_to, message_id] {
            out.push(b' ');
            write::nstring(out, text.as_deref());
        }
        out.push(b')');
    }
}

impl List {
    fn add(&mut self, value: &[u8]) {
        for entry in address::entries(value) {
            let full = self.entries >= MAX_ADDRESSES || self.shown.len() >= MAX_LIST;
            self.entries += 1;
            match entry {
                // A group that was begun is ended all the same.
                Entry::GroupEnd if self.in_group => {
                    self.in_group = false;
                    self.shown.extend_from_slice(b"(NIL NIL NIL NIL)");
                }
                _ if full => {}
                Entry::GroupEnd => {}
                Entry::Address(address) => write_address(&mut self.shown, &address),
                Entry::GroupStart(name) => {
                    self.in_group = true;
                    self.shown.extend_from_slice(b"(NIL NIL ");
                    write::string(&mut self.shown, &name);
                    self.shown.extend_from_slice(b" NIL)");
                }
            }
        }
    }

    fn or<'a>(&'a self, other: &'a List) -> &'a List {
        if self.shown.is_empty() { other } else { self }
    }

    fn write(&self, out: &mut Vec<u8>) {
        if self.shown.is_empty() {
            return out.extend_from_slice(b"NIL");
        }
        out.push(b'(');
        out.extend_from_slice(&self.shown);
        out.push(b')');
    }
}

/// `(name adl mailbox host)`. Mailbox and host are never NIL here: that would be a group.
fn write_address(out: &mut Vec<u8>, address: &Address) {
    out.push(b'(');
    write::nstring(out, address.name.as_deref());
    out.push(b' ');
    write::nstring(out, address.route.as_deref());
    out.push(b' ');
    write::string(out, &address.mailbox);
    out.push(b' ');
    write::string(out, &address.host);
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(header: &str) -> String {
        let mut out = Vec::new();
        Message::new(header.as_bytes()).envelope(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn all_fields() {
        let header = "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\nFrom: Terry Gray <gray@cac.washington.edu>\n\
            Subject: IMAP4rev1 WG mtg summary\n and minutes\nTo: imap@cac.washington.edu\n\
            Cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\nIn-Reply-To: <1@x>\nMessage-Id: <B27397-0100000@cac>\n\n";
        let gray = "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\"))";
        let wanted = format!(
            "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" {gray} {gray} {gray} \
            ((NIL NIL \"imap\" \"cac.washington.edu\")) ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")\
            (\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL \"<1@x>\" \"<B27397-0100000@cac>\")"
        );
        assert_eq!(envelope(header), wanted);
    }

    #[test]
    fn absent_empty_and_repeated() {
        assert_eq!(envelope(""), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
        assert_eq!(envelope("Subject:\nSubject: no\nSender:\n\n"), "(NIL \"\" NIL NIL NIL NIL NIL NIL NIL NIL)");
        let a = "((NIL NIL \"a\" \"b\"))";
        assert_eq!(
            envelope("From: a@b\nSender: \nTo: c@d\nTo: e@f\n"),
            format!("(NIL NIL {a} {a} {a} ((NIL NIL \"c\" \"d\")(NIL NIL \"e\" \"f\")) NIL NIL NIL NIL)")
        );
    }

    #[test]
    fn a_list_is_cut_between_entries() {
        let header = format!("To: {}, G: {}\n\n", "a@b,".repeat(9_990), "c@d,".repeat(1_000));
        let shown = envelope(&header);
        assert_eq!(shown.matches("(NIL NIL \"").count(), MAX_ADDRESSES);
        assert!(shown.ends_with("(NIL NIL \"c\" \"d\")(NIL NIL NIL NIL)) NIL NIL NIL NIL)"));
    }

    #[test]
    fn groups_and_odd_strings() {
        assert_eq!(
            envelope("To: G: a@b;, H:;\nSubject: \"q\\\"\nFrom: x\n\n"),
            "(NIL \"\\\"q\\\\\\\"\" ((NIL NIL \"x\" \"\")) ((NIL NIL \"x\" \"\")) ((NIL NIL \"x\" \"\")) \
            ((NIL NIL \"G\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)(NIL NIL \"H\" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL)"
        );
        assert_eq!(envelope("Subject: ü\n\n"), "(NIL {2}\r\nü NIL NIL NIL NIL NIL NIL NIL NIL)");
    }
}
