//! Header fields: cut out of a block, selected from a stream, unfolded.

use crate::MAX_FIELD;
use crate::lines::{Line, Lines};
use memchr::{memchr, memchr2};

/// One field of a header block in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name without blanks and colon; empty for a line that is no field.
    pub name: &'a [u8],
    /// What follows the colon, folded as it was.
    pub folded: &'a [u8],
    /// The whole field with its line ends.
    pub bytes: &'a [u8],
}

impl Field<'_> {
    /// Whether the field is called `name`.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line, without blanks around it.
    pub fn value(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(self.folded.len());
        unfold(self.folded, &mut value);
        trimmed(value)
    }
}

/// The fields of a header block, up to its empty line.
pub fn fields(block: &[u8]) -> Fields<'_> {
    Fields { rest: block, begun: false }
}

/// The first field called `name`.
pub fn find<'a>(block: &'a [u8], name: &str) -> Option<Field<'a>> {
    fields(block).find(|f| f.is(name))
}

/// See [`fields`].
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    begun: bool,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let first = line_of(self.rest);
        if first.is_empty() || is_blank(first) || !(self.begun || begins_header(first)) {
            return None;
        }
        self.begun = true;
        let mut length = line_of(self.rest).len();
        while let Some(next) = self.rest.get(length..).filter(|r| matches!(r.first(), Some(b' ' | b'\t'))) {
            length += line_of(next).len();
        }
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        let (name, folded) = match name_of(bytes) {
            Some(name) => (name, memchr(b':', bytes).and_then(|c| bytes.get(c + 1..)).unwrap_or_default()),
            None => (&[] as &[u8], bytes),
        };
        Some(Field { name, folded, bytes })
    }
}

/// A piece of a selected field, raw.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// A line with its line end, or a piece of a very long one.
    pub bytes: &'a [u8],
    /// The name, where a field begins here.
    pub name: Option<&'a [u8]>,
}

/// Passes on the fields of a header that goes by in pieces, choosing by name, holding at most one line.
///
/// A line that is neither a field nor its continuation is offered with an empty name.
#[derive(Debug, Default)]
pub struct Selector {
    lines: Lines,
    chosen: bool,
    begun: bool,
    ended: bool,
}

impl Selector {
    /// A selector at the beginning of a header.
    pub fn new() -> Selector {
        Selector::default()
    }

    /// Takes the next bytes of the header, and gives out the fields whose names `choose` likes.
    pub fn push(&mut self, mut bytes: &[u8], mut choose: impl FnMut(&[u8]) -> bool, mut out: impl FnMut(Piece<'_>)) {
        while !bytes.is_empty() && !self.ended {
            let Selector { lines, chosen, begun, ended } = self;
            if let Some(line) = lines.take(&mut bytes) {
                *ended = select(line, begun, chosen, &mut choose, &mut out);
            }
        }
    }

    /// The header ends here.
    pub fn finish(&mut self, mut choose: impl FnMut(&[u8]) -> bool, mut out: impl FnMut(Piece<'_>)) {
        let Selector { lines, chosen, begun, ended } = self;
        if let Some(line) = lines.rest().filter(|_| !*ended) {
            *ended = select(line, begun, chosen, &mut choose, &mut out);
        }
    }

    /// Whether the header has ended: at its empty line, or before it began.
    pub fn ended(&self) -> bool {
        self.ended
    }
}

/// Gives one line out if its field is chosen; true where the header ends.
fn select(
    line: Line<'_>,
    begun: &mut bool,
    chosen: &mut bool,
    choose: &mut impl FnMut(&[u8]) -> bool,
    out: &mut impl FnMut(Piece<'_>),
) -> bool {
    if line.first && ((line.last && is_blank(line.bytes)) || !(*begun || begins_header(line.bytes))) {
        return true;
    }
    *begun = true;
    let mut name = None;
    if line.first && !is_continuation(line.bytes) {
        let found = name_of(line.bytes).unwrap_or_default();
        *chosen = choose(found);
        name = Some(found);
    }
    if *chosen {
        out(Piece { bytes: line.bytes, name });
    }
    false
}

/// Gathers the unfolded values of chosen fields from a header that goes by in pieces.
#[derive(Debug, Default)]
pub struct Collector {
    selector: Selector,
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Collector {
    /// A collector at the beginning of a header.
    pub fn new() -> Collector {
        Collector::default()
    }

    /// Takes the next bytes of the header; `out` gets name and value of each field that `choose` likes and that is
    /// complete.
    pub fn push(&mut self, bytes: &[u8], choose: impl FnMut(&[u8]) -> bool, mut out: impl FnMut(&[u8], &[u8])) {
        let Collector { selector, name, value } = self;
        selector.push(bytes, choose, |piece| gather(piece, name, value, &mut out));
    }

    /// The header ends here.
    pub fn finish(&mut self, choose: impl FnMut(&[u8]) -> bool, mut out: impl FnMut(&[u8], &[u8])) {
        let Collector { selector, name, value } = self;
        selector.finish(choose, |piece| gather(piece, name, value, &mut out));
        deliver(name, value, &mut out);
    }

    /// Whether the header has ended: at its empty line, or before it began.
    pub fn ended(&self) -> bool {
        self.selector.ended()
    }
}

fn gather(piece: Piece<'_>, name: &mut Vec<u8>, value: &mut Vec<u8>, out: &mut impl FnMut(&[u8], &[u8])) {
    let mut bytes = piece.bytes;
    if let Some(found) = piece.name {
        deliver(name, value, out);
        name.extend_from_slice(found);
        if !found.is_empty() {
            bytes = memchr(b':', bytes).and_then(|c| bytes.get(c + 1..)).unwrap_or_default();
        }
    }
    if bytes.len() > value.capacity() - value.len() && value.len() >= STEP {
        // Doubling would cost a megabyte of a hostile message's field that nobody looks at.
        value.reserve_exact(bytes.len().max(STEP));
    }
    let room = MAX_FIELD.saturating_sub(value.len());
    unfold(bytes.get(..room.min(bytes.len())).unwrap_or_default(), value);
}

/// From this length on a value grows by steps.
const STEP: usize = 64 << 10;

fn deliver(name: &mut Vec<u8>, value: &mut Vec<u8>, out: &mut impl FnMut(&[u8], &[u8])) {
    if !name.is_empty() {
        out(name, value.trim_ascii());
    }
    name.clear();
    value.clear();
}

/// Appends `folded` without its line ends (RFC 5322 section 2.2.3); a CR within a line stays.
pub fn unfold(folded: &[u8], out: &mut Vec<u8>) {
    for line in folded.split_inclusive(|b| *b == b'\n') {
        out.extend_from_slice(without_end(line));
    }
}

/// The name of the field that begins with this line, if one does.
pub(crate) fn name_of(line: &[u8]) -> Option<&[u8]> {
    let end = memchr2(b':', b'\n', line).filter(|i| line.get(*i) == Some(&b':'))?;
    let name = line.get(..end)?.trim_ascii_end();
    (!name.is_empty() && name.iter().all(|b| *b > b' ' && *b != 127)).then_some(name)
}

/// Whether a header may begin with this line: a field, or the envelope line of an mbox. A text that begins otherwise
/// has no header, and would be lost to the reader if it were taken for one.
pub(crate) fn begins_header(line: &[u8]) -> bool {
    name_of(line).is_some() || line.starts_with(b"From ") || line.starts_with(b">From ")
}

pub(crate) fn is_continuation(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// An empty line, which ends a header.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

pub(crate) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn line_of(bytes: &[u8]) -> &[u8] {
    memchr(b'\n', bytes).and_then(|lf| bytes.get(..=lf)).unwrap_or(bytes)
}

fn trimmed(mut value: Vec<u8>) -> Vec<u8> {
    value.truncate(value.trim_ascii_end().len());
    let blanks = value.len() - value.trim_ascii_start().len();
    value.drain(..blanks);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &[u8] = b"From: a@b\r\nSubject : one\n two\r\n\tthree \nno field\nX:\nFrom: c@d\n\nFrom: not\n";

    fn collected(piece: usize) -> Vec<(String, String)> {
        let (mut c, mut all) = (Collector::new(), Vec::new());
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        for bytes in BLOCK.chunks(piece) {
            c.push(bytes, |_| true, |n, v| all.push((text(n), text(v))));
        }
        c.finish(|_| true, |n, v| all.push((text(n), text(v))));
        all
    }

    #[test]
    fn fields_are_found_folded_or_not() {
        let all: Vec<_> = fields(BLOCK).map(|f| (f.name.to_vec(), f.value())).collect();
        assert_eq!(all.len(), 5);
        assert_eq!(all[1], (b"Subject".to_vec(), b"one two\tthree".to_vec()));
        assert_eq!(all[2], (Vec::new(), b"no field".to_vec()));
        assert_eq!(all[3], (b"X".to_vec(), Vec::new()));
        assert_eq!(find(BLOCK, "FROM").unwrap().value(), b"a@b");
        assert!(find(BLOCK, "To").is_none());
    }

    #[test]
    fn a_stream_gives_the_same_fields_however_it_is_cut() {
        let whole = collected(BLOCK.len());
        assert_eq!(whole.len(), 4);
        for piece in 1..BLOCK.len() {
            assert_eq!(collected(piece), whole, "pieces of {piece}");
        }
    }

    #[test]
    fn a_text_without_a_header_has_no_fields() {
        let text = b"Dear Sir,\nSubject: of this letter\n\n";
        assert_eq!(fields(text).count(), 0);
        let (mut c, mut all) = (Collector::new(), 0);
        c.push(text, |_| true, |_, _| all += 1);
        c.finish(|_| true, |_, _| all += 1);
        assert_eq!(all, 0);
        assert_eq!(fields(b"From joe Mon Jan 1\nSubject: x\n\n").count(), 2);
    }

    #[test]
    fn selected_fields_come_as_they_were() {
        let (mut s, mut out) = (Selector::new(), Vec::new());
        let choose = |n: &[u8]| n.eq_ignore_ascii_case(b"subject");
        s.push(BLOCK, choose, |p| out.extend_from_slice(p.bytes));
        s.finish(choose, |p| out.extend_from_slice(p.bytes));
        assert_eq!(out, b"Subject : one\n two\r\n\tthree \n");
        assert!(s.ended());
    }

    #[test]
    fn a_field_is_gathered_only_to_the_limit() {
        let (mut c, mut got) = (Collector::new(), 0);
        c.push(b"X: ", |_| true, |_, _| ());
        let megabyte = vec![b'x'; MAX_FIELD];
        c.push(&megabyte, |_| true, |_, _| ());
        c.push(&megabyte, |_| true, |_, _| ());
        c.finish(|_| true, |_, v| got = v.len());
        assert!(got <= MAX_FIELD && got > MAX_FIELD - 8192);
    }
}
