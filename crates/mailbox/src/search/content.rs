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
const UNQUOTED: [u8; 3] = *b"\"\\(";

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
        let longest = conditions.iter().filter_map(needle_in_body).map(Needle::len).max().unwrap_or_default();
        let mut body = Text { hay: Haystack::new(longest), conditions, known };
        if body.look() {
            return Ok(());
        }
        for part in structure.parts() {
            body.hay.cut();
            let in_message =
                part.parent.and_then(|parent| structure.part(parent)).is_some_and(|p| p.kind == Kind::Message);
            if in_message {
                // The header of a message inside is text of the body.
                self.each_field(part, |name, value| {
                    body.push(&field_text(name, value));
                })?;
                body.hay.cut();
            }
            if part.kind == Kind::Leaf && self.search_part(structure, part, &mut body)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Looks into one part. True when nothing is left to look for.
    fn search_part(&mut self, structure: &Structure, part: &Part, body: &mut Text<'_>) -> io::Result<bool> {
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

/// The text of a body that goes by, and what is looked for in it.
struct Text<'a> {
    hay: Haystack,
    conditions: &'a [Condition],
    known: &'a mut [Verdict],
}

impl Text<'_> {
    /// The next piece. True when nothing is left to look for.
    fn push(&mut self, text: &str) -> bool {
        if text.is_empty() {
            return false;
        }
        self.hay.push(text);
        self.look()
    }

    fn look(&mut self) -> bool {
        let mut open = false;
        for (condition, verdict) in self.conditions.iter().zip(self.known.iter_mut()) {
            if let (Some(needle), None) = (needle_in_body(condition), &verdict) {
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

fn needle_in_body(condition: &Condition) -> Option<&Needle> {
    match condition {
        Condition::Body(needle) | Condition::Text(needle) => Some(needle),
        _ => None,
    }
}

fn look_at_field(name: &[u8], value: &[u8], conditions: &[Condition], known: &mut [Verdict]) {
    let mut decoded = None;
    for (condition, verdict) in conditions.iter().zip(known.iter_mut()).filter(|(_, verdict)| verdict.is_none()) {
        match condition {
            Condition::Sent(order, named) if name.eq_ignore_ascii_case(b"Date") => {
                *verdict = Some(sent(value).is_some_and(|date| order.holds(date, *named)));
            }
            Condition::Field(wanted, needle) if wanted.eq_ignore_ascii_case(name) => {
                let text = decoded.get_or_insert_with(|| field_text(b"", value));
                *verdict = finds(needle, text).then_some(true);
            }
            Condition::Text(needle) if finds(needle, &field_text(name, value)) => *verdict = Some(true),
            _ => {}
        }
    }
}

fn finds(needle: &Needle, text: &str) -> bool {
    let mut hay = Haystack::new(needle.len());
    hay.push(text);
    hay.has(needle)
}

/// A field as people read it. Where quotes, backslashes or comments may stand in the way of what is looked for, the
/// value follows once more without them.
fn field_text(name: &[u8], value: &[u8]) -> String {
    let mut text = String::new();
    if !name.is_empty() {
        text.push_str(&charset::to_utf8(b"", name));
        text.push_str(": ");
    }
    text.push_str(&encoded_word::decode(value));
    if value.iter().any(|byte| UNQUOTED.contains(byte)) {
        let plain: Vec<u8> = value.iter().copied().filter(|byte| !UNQUOTED.contains(byte) && *byte != b')').collect();
        text.push('\n');
        text.push_str(&encoded_word::decode(&plain));
    }
    text
}

/// The day in a Date field, as written there: the zone does not matter.
fn sent(value: &[u8]) -> Option<Date> {
    let date = date::Date::parse(value)?;
    Date::new(date.year, date.month, date.day)
}
