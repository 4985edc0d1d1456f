//! What a search reads of a message: chosen header fields, and text parts decoded.

use std::io;

use imap::Date;
use message::content::transfer_encoding;
use message::find::{Haystack, Needle};
use message::header::Collector;
use message::{ContentField, Kind, Part, Structure, charset, date, encoded_word, transfer};

use super::plan::{Condition, Verdict};
use crate::message::{Message, Source};

/// What may stand between the words that people see, and is not seen itself.
const UNQUOTED: [u8; 4] = *b"\"\\()";
/// Bytes of a field that are decoded at a time.
const MAX_PIECE: usize = 32 << 10;

impl<S: Source> Message<S> {
    /// Fills in what the header answers. What is asked of a field and not found there is answered with no; what a
    /// text may still be found in the body stays open.
    pub(crate) fn search_header(&mut self, conditions: &[Condition], known: &mut [Verdict]) -> io::Result<()> {
        let part = self.header()?;
        self.each_field(&part, |name, value| look_at_field(name, value, conditions, known))?;
        for (condition, verdict) in conditions.iter().zip(known.iter_mut()) {
            if matches!(condition, Condition::Sent(..) | Condition::Field(..)) {
                verdict.get_or_insert(false);
            }
        }
        Ok(())
    }

    /// Fills in what the body answers.
    pub(crate) fn search_body(&mut self, conditions: &[Condition], known: &mut [Verdict]) -> io::Result<()> {
        let structure = std::mem::take(self.structure_mut()?);
        let result = self.search_parts(&structure, conditions, known);
        *self.structure_mut()? = structure;
        for (condition, verdict) in conditions.iter().zip(known.iter_mut()) {
            if needle_in_body(condition).is_some() {
                verdict.get_or_insert(false);
            }
        }
        result
    }

    fn search_parts(
        &mut self,
        structure: &Structure,
        conditions: &[Condition],
        known: &mut [Verdict],
    ) -> io::Result<()> {
        let mut body = Text::new(conditions, known, needle_in_body);
        if body.look() {
            return Ok(());
        }
        for part in structure.parts() {
            body.hay.cut();
            let in_message =
                part.parent.and_then(|parent| structure.part(parent)).is_some_and(|p| p.kind == Kind::Message);
            if in_message {
                // The header of a message inside is text of the body.
                self.each_field(part, |name, value| body.push_field(name, value))?;
            }
            if part.kind == Kind::Leaf && self.search_part(structure, part, &mut body)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Looks into one part. True when nothing is left to look for.
    fn search_part<'a, W>(&mut self, structure: &Structure, part: &Part, body: &mut Text<'a, W>) -> io::Result<bool>
    where
        W: Fn(&'a Condition) -> Option<&'a Needle>,
    {
        let content = structure.content_type(part);
        if !content.is_kind("text") && !content.is_kind("message") {
            return Ok(false);
        }
        let encoding = transfer_encoding(structure.field(part, ContentField::TransferEncoding));
        let mut transfer = transfer::Decoder::named(encoding).unwrap_or_else(transfer::Decoder::identity);
        let mut charset = charset::Decoder::new(content.parameter("charset").unwrap_or_default());
        let mut decoded = Vec::new();
        let mut at = part.body.file;
        while at < part.end.file {
            let bytes = self.bytes(at, part.end.file - at)?;
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            at += bytes.len() as u64;
            let done = if transfer.is_identity() {
                body.push(charset.push(bytes, false))
            } else {
                decoded.clear();
                transfer.push(bytes, &mut decoded);
                body.push(charset.push(&decoded, false))
            };
            if done {
                return Ok(true);
            }
        }
        decoded.clear();
        transfer.finish(&mut decoded);
        Ok(body.push(charset.push(&decoded, true)))
    }

    fn each_field(&mut self, part: &Part, mut out: impl FnMut(&[u8], &[u8])) -> io::Result<()> {
        let mut collector = Collector::new();
        let mut at = part.header.file;
        while at < part.body.file && !collector.ended() {
            let bytes = self.bytes(at, part.body.file - at)?;
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            at += bytes.len() as u64;
            collector.push(bytes, |_| true, &mut out);
        }
        collector.finish(|_| true, &mut out);
        Ok(())
    }
}

/// Text that goes by, and what is looked for in it.
struct Text<'a, W> {
    hay: Haystack,
    conditions: &'a [Condition],
    known: &'a mut [Verdict],
    /// What a condition looks for in this text, if anything.
    wanted: W,
}

impl<'a, W: Fn(&'a Condition) -> Option<&'a Needle>> Text<'a, W> {
    fn new(conditions: &'a [Condition], known: &'a mut [Verdict], wanted: W) -> Text<'a, W> {
        let longest = conditions.iter().filter_map(&wanted).map(Needle::len).max().unwrap_or_default();
        Text { hay: Haystack::new(longest), conditions, known, wanted }
    }

    /// The next piece. True when nothing is left to look for.
    fn push(&mut self, text: &str) -> bool {
        if text.is_empty() {
            return false;
        }
        self.hay.push(text);
        self.look()
    }

    /// A field as people read it. Where quotes, backslashes or comments may stand in the way of what is looked for,
    /// the value follows once more without them.
    fn push_field(&mut self, name: &[u8], value: &[u8]) {
        self.hay.cut();
        if self.look() {
            return;
        }
        if !name.is_empty() {
            self.push(&charset::to_utf8(b"", name));
            self.push(": ");
        }
        for piece in pieces(value) {
            self.push(&encoded_word::decode(piece));
        }
        self.hay.cut();
        if value.iter().any(|byte| UNQUOTED.contains(byte)) {
            for piece in pieces(value) {
                let seen = piece.iter().filter(|byte| !UNQUOTED.contains(byte));
                self.push(&encoded_word::decode(&seen.copied().collect::<Vec<u8>>()));
            }
            self.hay.cut();
        }
    }

    fn look(&mut self) -> bool {
        let mut open = false;
        for (condition, verdict) in self.conditions.iter().zip(self.known.iter_mut()) {
            if let (Some(needle), None) = ((self.wanted)(condition), &verdict) {
                if needle.is_empty() || self.hay.has(needle) {
                    *verdict = Some(true);
                } else {
                    open = true;
                }
            }
        }
        !open
    }
}

/// A long value in pieces, cut at blanks: decoding makes several copies.
fn pieces(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let most = rest.get(..MAX_PIECE).unwrap_or(rest);
        let blank = most.iter().rposition(|byte| *byte == b' ').filter(|_| most.len() < rest.len());
        let (piece, tail) = rest.split_at_checked(blank.map_or(most.len(), |blank| blank + 1))?;
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}

fn needle_in_body(condition: &Condition) -> Option<&Needle> {
    match condition {
        Condition::Body(needle) | Condition::Text(needle) => Some(needle),
        _ => None,
    }
}

fn needle_in_header(condition: &Condition) -> Option<&Needle> {
    match condition {
        Condition::Text(needle) => Some(needle),
        _ => None,
    }
}

fn needle_in_field<'a>(condition: &'a Condition, name: &[u8]) -> Option<&'a Needle> {
    match condition {
        Condition::Field(field, needle) if field.eq_ignore_ascii_case(name) => Some(needle),
        _ => None,
    }
}

fn look_at_field(name: &[u8], value: &[u8], conditions: &[Condition], known: &mut [Verdict]) {
    for (condition, verdict) in conditions.iter().zip(known.iter_mut()) {
        if let (Condition::Sent(order, named), None) = (condition, &verdict)
            && name.eq_ignore_ascii_case(b"Date")
        {
            *verdict = Some(sent(value).is_some_and(|date| order.holds(date, *named)));
        }
    }
    Text::new(conditions, known, |condition| needle_in_field(condition, name)).push_field(b"", value);
    Text::new(conditions, known, needle_in_header).push_field(name, value);
}

/// The day in a Date field, as written there: the zone does not matter.
fn sent(value: &[u8]) -> Option<Date> {
    let date = date::Date::parse(value)?;
    Date::new(date.year, date.month, date.day)
}
