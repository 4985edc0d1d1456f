//! FETCH (RFC 3501 section 6.4.5).

use crate::error::{Parsed, syntax};
use crate::lexer::Lexer;
use crate::sequence::SequenceSet;
use crate::write;

/// What to show of which messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// The set holds UIDs.
    pub uid: bool,
    /// The messages.
    pub set: SequenceSet,
    /// What to show, macros expanded, in the order asked.
    pub items: Vec<FetchItem>,
}

/// One thing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the RFC's own")]
pub enum FetchItem {
    /// BODY without a section: the structure without extension data.
    Body,
    BodyStructure,
    Envelope,
    Flags,
    InternalDate,
    Rfc822,
    Rfc822Header,
    Rfc822Size,
    Rfc822Text,
    /// BODY[...]
    Section(BodySection),
    Uid,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodySection {
    /// Which part.
    pub section: Section,
    /// Which bytes of it.
    pub partial: Option<Partial>,
    /// Without setting `\Seen`.
    pub peek: bool,
}

/// What stands in the brackets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// Part numbers, none for the message itself.
    pub part: Vec<u32>,
    /// What of the part.
    pub text: SectionText,
}

/// What of a part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names are the RFC's own")]
pub enum SectionText {
    /// `[]` or `[1.2]`
    #[default]
    All,
    Header,
    /// HEADER.FIELDS, or with `not` HEADER.FIELDS.NOT; names as written.
    HeaderFields {
        not: bool,
        names: Vec<Vec<u8>>,
    },
    Text,
    /// The part's own header, only with part numbers.
    Mime,
}

/// `<offset.length>`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partial {
    /// The first byte.
    pub offset: u64,
    /// At most so many, not zero.
    pub length: u64,
}

impl Section {
    /// As on the wire, with the brackets: `[1.HEADER.FIELDS (From "To")]`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (place, &number) in self.part.iter().enumerate() {
            if place > 0 {
                out.push(b'.');
            }
            write::number(out, u64::from(number));
        }
        if !self.part.is_empty() && self.text != SectionText::All {
            out.push(b'.');
        }
        match &self.text {
            SectionText::All => {}
            SectionText::Header => out.extend_from_slice(b"HEADER"),
            SectionText::HeaderFields { not, names } => write_fields(out, *not, names),
            SectionText::Text => out.extend_from_slice(b"TEXT"),
            SectionText::Mime => out.extend_from_slice(b"MIME"),
        }
        out.push(b']');
    }
}

fn write_fields(out: &mut Vec<u8>, not: bool, names: &[Vec<u8>]) {
    out.extend_from_slice(if not { b"HEADER.FIELDS.NOT (" } else { b"HEADER.FIELDS (" });
    for (place, name) in names.iter().enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        write::astring(out, name);
    }
    out.push(b')');
}

impl BodySection {
    /// The item's name in the answer: `BODY[TEXT]<0>`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"BODY");
        self.section.write(out);
        if let Some(partial) = self.partial {
            out.push(b'<');
            write::number(out, partial.offset);
            out.push(b'>');
        }
    }
}

pub(crate) fn parse(lexer: &mut Lexer<'_>, uid: bool) -> Parsed<Fetch> {
    lexer.space()?;
    let set = SequenceSet::parse(lexer)?;
    lexer.space()?;
    let items = match lexer.peek() {
        Some(b'(') => lexer.list(|lexer| {
            let word = lexer.word()?;
            item(word, lexer)
        })?,
        _ => {
            let word = lexer.word()?;
            match expand(word) {
                Some(items) => items,
                None => vec![item(word, lexer)?],
            }
        }
    };
    Ok(Fetch { uid, set, items })
}

/// ALL, FAST and FULL: they stand alone.
fn expand(word: &[u8]) -> Option<Vec<FetchItem>> {
    use FetchItem::{Body, Envelope, Flags, InternalDate, Rfc822Size};
    if word.eq_ignore_ascii_case(b"ALL") {
        Some(vec![Flags, InternalDate, Rfc822Size, Envelope])
    } else if word.eq_ignore_ascii_case(b"FAST") {
        Some(vec![Flags, InternalDate, Rfc822Size])
    } else if word.eq_ignore_ascii_case(b"FULL") {
        Some(vec![Flags, InternalDate, Rfc822Size, Envelope, Body])
    } else {
        None
    }
}

fn item(word: &[u8], lexer: &mut Lexer<'_>) -> Parsed<FetchItem> {
    Ok(match word.to_ascii_uppercase().as_slice() {
        b"BODY" if lexer.peek() == Some(b'[') => FetchItem::Section(body_section(lexer, false)?),
        b"BODY.PEEK" => FetchItem::Section(body_section(lexer, true)?),
        b"BODY" => FetchItem::Body,
        b"BODYSTRUCTURE" => FetchItem::BodyStructure,
        b"ENVELOPE" => FetchItem::Envelope,
        b"FLAGS" => FetchItem::Flags,
        b"INTERNALDATE" => FetchItem::InternalDate,
        b"RFC822" => FetchItem::Rfc822,
        b"RFC822.HEADER" => FetchItem::Rfc822Header,
        b"RFC822.SIZE" => FetchItem::Rfc822Size,
        b"RFC822.TEXT" => FetchItem::Rfc822Text,
        b"UID" => FetchItem::Uid,
        _ => return Err(syntax("Unknown FETCH item")),
    })
}

fn body_section(lexer: &mut Lexer<'_>, peek: bool) -> Parsed<BodySection> {
    lexer.expect(b'[', "Section expected")?;
    let section = section(lexer)?;
    lexer.expect(b']', "Unterminated section")?;
    let partial = if lexer.eat(b'<') { Some(partial(lexer)?) } else { None };
    Ok(BodySection { section, partial, peek })
}

fn section(lexer: &mut Lexer<'_>) -> Parsed<Section> {
    let mut part = Vec::new();
    while lexer.peek().is_some_and(|byte| byte.is_ascii_digit()) {
        part.push(lexer.nz_number()?);
        if !lexer.eat(b'.') {
            return Ok(Section { part, text: SectionText::All });
        }
    }
    if part.is_empty() && lexer.peek() == Some(b']') {
        return Ok(Section::default());
    }
    let word = lexer.word().map_err(|_| syntax("Invalid section"))?.to_ascii_uppercase();
    let text = match word.as_slice() {
        b"HEADER" => SectionText::Header,
        b"HEADER.FIELDS" => SectionText::HeaderFields { not: false, names: field_names(lexer)? },
        b"HEADER.FIELDS.NOT" => SectionText::HeaderFields { not: true, names: field_names(lexer)? },
        b"TEXT" => SectionText::Text,
        b"MIME" if !part.is_empty() => SectionText::Mime,
        _ => return Err(syntax("Invalid section")),
    };
    Ok(Section { part, text })
}

fn field_names(lexer: &mut Lexer<'_>) -> Parsed<Vec<Vec<u8>>> {
    lexer.space()?;
    lexer.list(Lexer::astring)
}

fn partial(lexer: &mut Lexer<'_>) -> Parsed<Partial> {
    let offset = lexer.number64()?;
    lexer.expect(b'.', "Invalid partial")?;
    let length = lexer.number64()?;
    lexer.expect(b'>', "Invalid partial")?;
    if length == 0 { Err(syntax("Partial of no length")) } else { Ok(Partial { offset, length }) }
}
