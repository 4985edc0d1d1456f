//! What a scan found: the parts of a message, flat, in the order of the file.

use crate::content::{ContentField, ContentType};
use crate::wire::Position;

/// What a part is to one who looks inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No parts inside.
    Leaf,
    /// Its children are its parts; there is always one at least.
    Multipart,
    /// A message/rfc822 whose one child is the message inside.
    Message,
    /// Not looked into (nested too deeply, or encoded): shown as application/octet-stream.
    Opaque,
}

/// One part of a message; the first one is the message itself.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Where its header begins.
    pub header: Position,
    /// Where the header, with its empty line, has ended and the body begins.
    pub body: Position,
    /// Where the body ends.
    pub end: Position,
    /// Line ends in the body.
    pub lines: u64,
    /// What is inside.
    pub kind: Kind,
    /// Whether the header ends with an empty line.
    pub separated: bool,
    /// Whether it is a part of a multipart/digest, where a missing type means message/rfc822.
    pub in_digest: bool,
    /// The part around it.
    pub parent: Option<u32>,
    pub(crate) first: Option<u32>,
    pub(crate) next: Option<u32>,
    pub(crate) fields: (u32, u32),
}

impl Part {
    /// Octets of the body as sent to clients.
    pub fn body_octets(&self) -> u64 {
        self.end.wire.saturating_sub(self.body.wire)
    }

    /// Octets of the header as sent to clients, without an empty line that is not there.
    pub fn header_octets(&self) -> u64 {
        self.body.wire.saturating_sub(self.header.wire)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredField {
    pub name: ContentField,
    pub start: u32,
    pub end: u32,
}

/// The structure of one message.
#[derive(Clone, Debug, Default)]
pub struct Structure {
    pub(crate) parts: Vec<Part>,
    pub(crate) fields: Vec<StoredField>,
    pub(crate) text: Vec<u8>,
    pub(crate) marks: Vec<Position>,
    pub(crate) end: Position,
}

impl Structure {
    /// All parts, each before the parts inside it.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The length of the whole message.
    pub fn size(&self) -> Position {
        self.end
    }

    /// The message itself.
    pub fn root(&self) -> Option<&Part> {
        self.parts.first()
    }

    /// The part with this index.
    pub fn part(&self, index: u32) -> Option<&Part> {
        self.parts.get(index as usize)
    }

    /// The parts right inside `part`.
    pub fn children<'a>(&'a self, part: &Part) -> impl Iterator<Item = &'a Part> + use<'a> {
        let mut at = part.first;
        std::iter::from_fn(move || {
            let part = self.part(at?)?;
            at = part.next;
            Some(part)
        })
    }

    /// The unfolded value of the first content field of this name in the part's header.
    pub fn field(&self, part: &Part, name: ContentField) -> Option<&[u8]> {
        let (start, end) = part.fields;
        let stored = self.fields.get(start as usize..end as usize)?.iter().find(|f| f.name == name)?;
        self.text.get(stored.start as usize..stored.end as usize)
    }

    /// The part's type, or what stands for a missing or broken one.
    pub fn content_type(&self, part: &Part) -> ContentType {
        match self.field(part, ContentField::Type) {
            Some(value) => ContentType::parse(value).unwrap_or_default(),
            None if part.in_digest => ContentType::message(),
            None => ContentType::default(),
        }
    }

    /// The part that an IMAP part number means (RFC 3501 section 6.4.5); no number at all is the message.
    ///
    /// Numbers count the parts of a multipart; anything else has a part 1, its own body. A message inside a part is
    /// stepped through without a number.
    pub fn find(&self, numbers: &[u32]) -> Option<&Part> {
        let mut at = self.root()?;
        for (depth, number) in numbers.iter().enumerate() {
            if depth > 0 {
                if at.kind == Kind::Message {
                    at = self.children(at).next()?;
                } else if at.kind != Kind::Multipart {
                    return None;
                }
            }
            let nth = number.checked_sub(1)? as usize;
            if at.kind == Kind::Multipart {
                at = self.children(at).nth(nth)?;
            } else if nth > 0 {
                return None;
            }
        }
        Some(at)
    }

    /// A known place at or before this offset on the wire, not far from it.
    pub fn mark_before(&self, wire: u64) -> Position {
        let after = self.marks.partition_point(|m| m.wire <= wire);
        after.checked_sub(1).and_then(|i| self.marks.get(i)).copied().unwrap_or_default()
    }
}
