//! The pieces of a message that FETCH sends: BODY[...] (RFC 3501 section 6.4.5).
//!
//! A piece knows its length before a byte of it is read, and is then given out in windows: a literal's length is
//! announced first, and no message is ever held whole.

use std::io;

use imap::{Partial, Section, SectionText};
use message::header::Selector;
use message::{Kind, Part, Position, ToWire};

use crate::message::{Message, Source};

/// So much is given out at a time, about.
const WINDOW: u64 = 64 << 10;

/// What is still to be sent of a section.
#[derive(Debug)]
pub struct Piece {
    content: Content,
    /// Bytes of the content to leave out first.
    skip: u64,
    /// Bytes to give out.
    left: u64,
    header: bool,
}

#[derive(Debug)]
enum Content {
    /// Bytes of the file between two places.
    Span(Span),
    /// Chosen fields of the header in the span; their names in small letters, in order.
    Fields { span: Span, selector: Box<Selector>, names: Vec<Vec<u8>>, not: bool },
}

#[derive(Debug)]
struct Span {
    at: u64,
    end: u64,
    wire: ToWire,
    /// What is not in the file, and is sent behind it.
    tail: &'static [u8],
}

/// Where a section is.
struct Place {
    from: Position,
    to: Position,
    /// False for a header without its empty line.
    separated: bool,
}

impl Place {
    fn header(part: &Part) -> Place {
        Place { from: part.header, to: part.body, separated: part.separated }
    }

    fn body(part: &Part) -> Place {
        Place { from: part.body, to: part.end, separated: true }
    }
}

impl Piece {
    /// Bytes that are still to come.
    pub fn size(&self) -> u64 {
        self.left
    }

    /// Whether these are header lines, and no body.
    pub fn is_header(&self) -> bool {
        self.header
    }
}

impl<S: Source> Message<S> {
    /// The piece that a section means, or the part of it that was asked for; none where there is no such section.
    pub fn piece(&mut self, section: &Section, partial: Option<Partial>) -> io::Result<Option<Piece>> {
        let Some(place) = self.place(section)? else { return Ok(None) };
        let (skip, most) = partial.map_or((0, u64::MAX), |partial| (partial.offset, partial.length));
        if let SectionText::HeaderFields { not, names } = &section.text {
            let (content, size) = self.fields(&place, *not, names)?;
            return Ok(Some(Piece { content, skip, left: size.saturating_sub(skip).min(most), header: true }));
        }
        let header = !matches!(section.text, SectionText::All | SectionText::Text);
        self.span(&place, skip, most, header).map(Some)
    }

    /// Appends the next window of a piece. True while there is more.
    pub fn read(&mut self, piece: &mut Piece, out: &mut Vec<u8>) -> io::Result<bool> {
        if piece.left == 0 {
            return Ok(false);
        }
        let start = out.len();
        match &mut piece.content {
            Content::Span(span) => {
                self.read_span(span, piece.left.saturating_add(piece.skip), out)?;
                if out.len() == start {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Content::Fields { span, selector, names, not } => {
                self.read_fields(span, selector, names, *not, |bytes, wire| wire.append(bytes, out))?;
            }
        }
        cut(piece, start, out);
        Ok(piece.left > 0)
    }

    /// Where in the file a section begins and ends.
    fn place(&mut self, section: &Section) -> io::Result<Option<Place>> {
        use SectionText::{All, Header, HeaderFields, Mime, Text};
        if section.part.is_empty() && matches!(section.text, Header | HeaderFields { .. }) {
            return Ok(Some(Place::header(&self.header()?)));
        }
        let structure = self.structure()?;
        let Some(part) = structure.find(&section.part) else { return Ok(None) };
        if section.part.is_empty() {
            let whole = Place { from: part.header, to: part.end, separated: true };
            return Ok(Some(if section.text == All { whole } else { Place::body(part) }));
        }
        // The message in a message/rfc822; nothing else has HEADER and TEXT.
        let inside = structure.children(part).next().filter(|_| part.kind == Kind::Message);
        let parent = part.parent.and_then(|parent| structure.part(parent));
        Ok(match (&section.text, inside) {
            (All, _) => Some(Place::body(part)),
            (Mime, _) if parent.is_some_and(|parent| parent.kind == Kind::Multipart) => Some(Place::header(part)),
            // Part 1 of what is no multipart is the body itself: the header is the message's own.
            (Mime, _) => Some(Place { from: part.body, to: part.body, separated: true }),
            (Header | HeaderFields { .. }, Some(message)) => Some(Place::header(message)),
            (Text, Some(message)) => Some(Place::body(message)),
            (Header | HeaderFields { .. } | Text, None) => None,
        })
    }

    /// A piece of the file. A header is always sent with its empty line.
    fn span(&mut self, place: &Place, skip: u64, most: u64, header: bool) -> io::Result<Piece> {
        let Place { from, to, separated } = *place;
        let tail: &'static [u8] = match separated {
            true => b"",
            false if from == to || self.bytes(to.file.saturating_sub(1), 1)? == b"\n" => b"\r\n",
            false => b"\r\n\r\n",
        };
        let size = to.wire.saturating_sub(from.wire).saturating_add(tail.len() as u64);
        // Far in, begin at a known place nearby.
        let target = from.wire.saturating_add(skip.min(size));
        let mark = if skip > 0 && !header { self.structure()?.mark_before(target).max(from) } else { from };
        let start = if mark <= to { mark } else { from };
        let content = Content::Span(Span { at: start.file, end: to.file, wire: ToWire::new(), tail });
        let left = size.saturating_sub(skip).min(most);
        Ok(Piece { content, skip: target.saturating_sub(start.wire), left, header })
    }

    fn read_span(&mut self, span: &mut Span, most: u64, out: &mut Vec<u8>) -> io::Result<()> {
        let rest = span.end.saturating_sub(span.at);
        if rest == 0 {
            out.extend_from_slice(std::mem::take(&mut span.tail));
            return Ok(());
        }
        let bytes = self.bytes(span.at, rest.min(most).min(WINDOW))?;
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        span.at += bytes.len() as u64;
        span.wire.append(bytes, out);
        Ok(())
    }

    /// Chosen header fields, and how long they are.
    fn fields(&mut self, place: &Place, not: bool, names: &[Vec<u8>]) -> io::Result<(Content, u64)> {
        // In order, since a header may have millions of fields and a client may name thousands.
        let mut names: Vec<Vec<u8>> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        let span = |tail| Span { at: place.from.file, end: place.to.file, wire: ToWire::new(), tail };
        let (mut measured, mut selector) = (span(b""), Selector::new());
        let (mut size, mut ended, mut more) = (0, true, true);
        while more {
            more = self.read_fields(&mut measured, &mut selector, &names, not, |bytes, wire| {
                size += wire.measure(bytes).0;
                ended = bytes.ends_with(b"\n");
            })?;
        }
        let tail: &'static [u8] = if ended { b"\r\n" } else { b"\r\n\r\n" };
        size += tail.len() as u64;
        Ok((Content::Fields { span: span(tail), selector: Box::default(), names, not }, size))
    }

    /// Gives out what is chosen in the next window of a header, and at last the empty line. False at the end.
    fn read_fields(
        &mut self,
        span: &mut Span,
        selector: &mut Selector,
        names: &[Vec<u8>],
        not: bool,
        mut out: impl FnMut(&[u8], &mut ToWire),
    ) -> io::Result<bool> {
        let is = |known: &[u8], name: &[u8]| known.iter().copied().cmp(name.iter().map(u8::to_ascii_lowercase));
        let choose = |name: &[u8]| names.binary_search_by(|known| is(known, name)).is_ok() != not;
        let wire = &mut span.wire;
        if span.at < span.end && !selector.ended() {
            let bytes = self.bytes(span.at, (span.end - span.at).min(WINDOW))?;
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            span.at += bytes.len() as u64;
            selector.push(bytes, choose, |piece| out(piece.bytes, wire));
            return Ok(true);
        }
        selector.finish(choose, |piece| out(piece.bytes, wire));
        if !span.tail.is_empty() {
            out(span.tail, wire);
        }
        Ok(false)
    }
}

/// Takes what was asked for out of a window that was appended at `start`.
fn cut(piece: &mut Piece, start: usize, out: &mut Vec<u8>) {
    let given = out.len().saturating_sub(start);
    let skip = usize::try_from(piece.skip).unwrap_or(usize::MAX).min(given);
    out.drain(start..start.saturating_add(skip));
    piece.skip -= skip as u64;
    let kept = usize::try_from(piece.left).unwrap_or(usize::MAX).min(given - skip);
    out.truncate(start.saturating_add(kept));
    piece.left -= kept as u64;
}

#[cfg(test)]
mod tests;
