//! The streaming MIME scanner.

use crate::content::{ContentField, ContentType, transfer_encoding};
use crate::header::{begins_header, is_blank, is_continuation, name_of, without_end};
use crate::lines::{Line, Lines};
use crate::structure::{Kind, Part, StoredField, Structure};
use crate::wire::{Position, ToWire};
use crate::{MAX_DEPTH, MAX_PARTS};

/// Bytes kept of one content field.
const MAX_KEPT: usize = 64 << 10;
/// Bytes kept of all content fields together: the rest counts as absent.
const MAX_TEXT: usize = 512 << 10;
/// Places remembered; twice as far apart each time there are more.
const MAX_MARKS: usize = 4096;
/// The distance of the places remembered in a message of usual size.
const MARK_EVERY: u64 = 32 << 10;

/// Finds the structure of a message that is pushed through it in pieces.
///
/// It holds one line and the boundaries of the parts that are open, whatever the length of the message.
#[derive(Debug)]
pub struct Scanner {
    lines: Lines,
    machine: Machine,
}

impl Default for Scanner {
    fn default() -> Scanner {
        Scanner::new()
    }
}

impl Scanner {
    /// A scanner at the beginning of a message.
    pub fn new() -> Scanner {
        Scanner { lines: Lines::default(), machine: Machine::new() }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.machine.only_counting {
            if let Some(line) = self.lines.take(&mut bytes) {
                self.machine.line(line);
            }
        }
        for piece in bytes.chunks(MARK_EVERY as usize) {
            self.machine.count(piece);
        }
    }

    /// The message itself, once its header has gone by.
    pub fn header(&self) -> Option<&Part> {
        let reading = self.machine.header.is_some() && self.machine.open.len() == 1;
        self.machine.structure.root().filter(|_| !reading)
    }

    /// The message ends here.
    pub fn finish(mut self) -> Structure {
        if let Some(line) = self.lines.rest() {
            self.machine.line(line);
        }
        self.machine.finish()
    }
}

/// A part whose end is still to come.
#[derive(Debug)]
struct Open {
    part: u32,
    /// The boundary between its parts; empty when there is none or the last one has been seen.
    boundary: Vec<u8>,
    last_child: Option<u32>,
    digest: bool,
    /// Line ends before its body.
    lines_before: u64,
}

#[derive(Debug)]
struct Machine {
    structure: Structure,
    /// The innermost part is last. This is the stack that recursion would be.
    open: Vec<Open>,
    header: Option<Header>,
    at: Position,
    lines: u64,
    /// The length of the last line end, which belongs to a boundary that follows.
    line_end: Position,
    wire: ToWire,
    next_mark: u64,
    mark_every: u64,
    /// No boundary can come any more.
    only_counting: bool,
}

/// The header that is being read.
#[derive(Debug, Default)]
struct Header {
    begun: bool,
    field: Option<ContentField>,
    start: usize,
}

impl Machine {
    fn new() -> Machine {
        let mut machine = Machine {
            structure: Structure::default(),
            open: Vec::new(),
            header: None,
            at: Position::default(),
            lines: 0,
            line_end: Position::default(),
            wire: ToWire::new(),
            next_mark: MARK_EVERY,
            mark_every: MARK_EVERY,
            only_counting: false,
        };
        machine.begin_part(Position::default());
        machine
    }

    fn line(&mut self, line: Line<'_>) {
        let boundary = if line.first && line.bytes.starts_with(b"--") { self.boundary(line) } else { None };
        if let Some((depth, close)) = boundary {
            self.cross(depth, close, line);
        } else if self.header.is_some() {
            self.header_line(line);
        } else {
            self.pass(line);
        }
    }

    fn pass(&mut self, line: Line<'_>) {
        let end = self.wire.line_end(line.bytes);
        let file = line.bytes.len() as u64;
        self.at = self.at.plus(Position { file, wire: file + u64::from(end == 1) });
        self.lines += u64::from(end > 0);
        self.line_end = Position { file: end, wire: if end > 0 { 2 } else { 0 } };
        self.mark();
    }

    /// Passes over text in which nothing is looked for.
    fn count(&mut self, bytes: &[u8]) {
        let (wire, lines) = self.wire.measure(bytes);
        self.at = self.at.plus(Position { file: bytes.len() as u64, wire });
        self.lines += lines;
        self.mark();
    }

    fn mark(&mut self) {
        // A place right after a CR would need to know about it.
        if self.at.file < self.next_mark || self.wire.is_after_cr() {
            return;
        }
        self.structure.marks.push(self.at);
        if self.structure.marks.len() >= MAX_MARKS {
            let mut odd = false;
            self.structure.marks.retain(|_| {
                odd = !odd;
                odd
            });
            self.mark_every *= 2;
        }
        self.next_mark = self.at.file + self.mark_every;
    }

    /// Which open multipart this line is a boundary of, the innermost first, and whether it is the last one.
    ///
    /// The line must be the boundary and nothing but blanks, so that one boundary may begin with another.
    fn boundary(&self, line: Line<'_>) -> Option<(usize, bool)> {
        if !line.last {
            return None;
        }
        let text = line.bytes.get(2..)?.trim_ascii_end();
        let closing = text.strip_suffix(b"--");
        self.open.iter().enumerate().rev().filter(|(_, o)| !o.boundary.is_empty()).find_map(|(depth, open)| {
            if open.boundary == text {
                Some((depth, false))
            } else {
                (Some(open.boundary.as_slice()) == closing).then_some((depth, true))
            }
        })
    }

    fn cross(&mut self, depth: usize, close: bool, line: Line<'_>) {
        while self.header.is_some() {
            self.end_header(false);
        }
        let mut end = self.at.minus(self.line_end);
        while self.open.len() > depth + 1 {
            end = self.end_part(end);
        }
        self.pass(line);
        if !close {
            self.begin_part(self.at);
        } else if let Some(open) = self.open.get_mut(depth) {
            open.boundary.clear();
            self.only_counting = self.open.iter().all(|o| o.boundary.is_empty());
        }
    }

    /// Begins a part inside the innermost open one. Past the limit nothing begins and the text just goes by.
    fn begin_part(&mut self, at: Position) {
        if self.structure.parts.len() < MAX_PARTS {
            let part = self.add_part(at);
            self.open.push(Open {
                part,
                boundary: Vec::new(),
                last_child: None,
                digest: false,
                lines_before: self.lines,
            });
            self.header = Some(Header::default());
        }
    }

    fn add_part(&mut self, at: Position) -> u32 {
        let index = self.structure.parts.len() as u32;
        let fields = self.structure.fields.len() as u32;
        let (parent, in_digest, before) = match self.open.last_mut() {
            Some(open) => (Some(open.part), open.digest, open.last_child.replace(index)),
            None => (None, false, None),
        };
        if let Some(before) = before.and_then(|i| self.structure.parts.get_mut(i as usize)) {
            before.next = Some(index);
        } else if let Some(parent) = parent.and_then(|i| self.structure.parts.get_mut(i as usize)) {
            parent.first = Some(index);
        }
        let parts = &mut self.structure.parts;
        if parts.len() == parts.capacity() {
            // Doubling would take half as much again from a small address space.
            parts.reserve_exact(parts.len() / 4 + 4);
        }
        parts.push(Part {
            header: at,
            body: at,
            end: at,
            lines: 0,
            kind: Kind::Leaf,
            separated: false,
            in_digest,
            parent,
            first: None,
            next: None,
            fields: (fields, fields),
        });
        index
    }

    fn header_line(&mut self, line: Line<'_>) {
        if line.first && line.last && is_blank(line.bytes) {
            self.pass(line);
            self.end_header(true);
            return;
        }
        let Some(header) = &mut self.header else { return };
        // A line without a colon further down is passed over: it is most often a field folded badly.
        if line.first && !header.begun && !begins_header(line.bytes) {
            self.end_header(false);
            self.line(line);
            return;
        }
        header.begun = true;
        keep(header, line, &mut self.structure);
        self.pass(line);
    }

    /// The header of the innermost part ends here: what the part is decides what comes.
    fn end_header(&mut self, separated: bool) {
        if let Some(mut header) = self.header.take() {
            store(&mut header, &mut self.structure);
        }
        let Some(open) = self.open.last_mut() else { return };
        open.lines_before = self.lines;
        let index = open.part as usize;
        let stored = self.structure.fields.len() as u32;
        if let Some(part) = self.structure.parts.get_mut(index) {
            part.body = self.at;
            part.separated = separated;
            part.fields.1 = stored;
        }
        let Some(part) = self.structure.parts.get(index) else { return };
        let content = self.structure.content_type(part);
        let encoding = transfer_encoding(self.structure.field(part, ContentField::TransferEncoding));
        let room = self.open.len() <= MAX_DEPTH && self.structure.parts.len() < MAX_PARTS;
        let kind = kind_of(&content, encoding, room);
        if let Some(part) = self.structure.parts.get_mut(index) {
            part.kind = kind;
        }
        self.open_inside(kind, &content);
        self.only_counting = self.header.is_none() && self.open.iter().all(|o| o.boundary.is_empty());
    }

    fn open_inside(&mut self, kind: Kind, content: &ContentType) {
        match kind {
            Kind::Multipart => {
                if let Some(open) = self.open.last_mut() {
                    open.boundary = content.parameter("boundary").unwrap_or_default().trim_ascii_end().to_vec();
                    open.digest = content.subtype.eq_ignore_ascii_case(b"digest");
                }
            }
            Kind::Message => self.begin_part(self.at),
            Kind::Leaf | Kind::Opaque => (),
        }
    }

    /// The innermost open part ends at `end`, or where its header or what is inside it ended, if that came later.
    fn end_part(&mut self, end: Position) -> Position {
        let Some(open) = self.open.last() else { return end };
        let empty = open.last_child.is_none();
        let full = self.structure.parts.len() >= MAX_PARTS;
        let Some(part) = self.structure.parts.get_mut(open.part as usize) else { return end };
        let end = part.body.max(end);
        // The last line end is the boundary's.
        let stripped = u64::from(end < self.at);
        part.end = end;
        part.lines = self.lines.saturating_sub(stripped + open.lines_before);
        if part.kind == Kind::Multipart && empty {
            if full {
                part.kind = Kind::Opaque;
            } else {
                let child = self.add_part(end) as usize;
                // What a digest would make of it is a message; an empty text serves better.
                if let Some(part) = self.structure.parts.get_mut(child) {
                    part.in_digest = false;
                }
            }
        }
        self.open.pop();
        end
    }

    fn finish(mut self) -> Structure {
        while self.header.is_some() {
            self.end_header(false);
        }
        while !self.open.is_empty() {
            self.end_part(self.at);
        }
        self.structure.end = self.at;
        self.structure
    }
}

fn kind_of(content: &ContentType, encoding: &[u8], room: bool) -> Kind {
    let multipart = content.is_kind("multipart");
    if !multipart && !content.is("message", "rfc822") {
        return Kind::Leaf;
    }
    let encoded = ["base64", "quoted-printable", "x-uuencode", "uuencode", "x-uue"];
    if !room || (!multipart && encoded.iter().any(|e| encoding.eq_ignore_ascii_case(e.as_bytes()))) {
        return Kind::Opaque;
    }
    if multipart { Kind::Multipart } else { Kind::Message }
}

/// Keeps what belongs to a content field.
fn keep(header: &mut Header, line: Line<'_>, structure: &mut Structure) {
    let mut bytes = line.bytes;
    if line.first && !is_continuation(bytes) {
        store(header, structure);
        let Some(name) = name_of(bytes) else { return };
        header.field = ContentField::named(name).filter(|_| structure.text.len() < MAX_TEXT);
        header.start = structure.text.len();
        let colon = memchr::memchr(b':', bytes).unwrap_or_default();
        bytes = bytes.get(colon + 1..).unwrap_or_default();
    }
    if header.field.is_some() {
        let room = MAX_KEPT.saturating_sub(structure.text.len() - header.start);
        let text = without_end(bytes);
        structure.text.extend_from_slice(text.get(..room.min(text.len())).unwrap_or_default());
    }
}

/// The field that was being kept is complete.
fn store(header: &mut Header, structure: &mut Structure) {
    let Some(name) = header.field.take() else { return };
    let kept = structure.text.get(header.start..).unwrap_or_default();
    let trimmed = kept.trim_ascii_end();
    let start = header.start + (trimmed.len() - trimmed.trim_ascii_start().len());
    let end = header.start + trimmed.len();
    structure.text.truncate(end);
    structure.fields.push(StoredField { name, start: start as u32, end: end as u32 });
}

#[cfg(test)]
mod tests;
