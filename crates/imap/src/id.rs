//! ID (RFC 2971): who the other side says it is.

use crate::error::{Parsed, limit};
use crate::lexer::Lexer;

/// Bounds of RFC 2971 section 3.3.
const FIELDS: usize = 30;
const NAME: usize = 30;
const VALUE: usize = 1024;

/// What a client says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdField {
    /// At most 30 bytes.
    pub name: Vec<u8>,
    /// At most 1,024 bytes.
    pub value: Option<Vec<u8>>,
}

pub(crate) fn parse(lexer: &mut Lexer<'_>) -> Parsed<Option<Vec<IdField>>> {
    lexer.space()?;
    if lexer.peek() != Some(b'(') {
        // Only NIL is no list; a string here is not.
        return match lexer.atom()?.eq_ignore_ascii_case(b"NIL") {
            true => Ok(None),
            false => Err(crate::error::syntax("List or NIL expected")),
        };
    }
    let fields = lexer.list_or_empty(field)?;
    if fields.len() > FIELDS {
        return Err(limit("Too many ID fields"));
    }
    Ok(Some(fields))
}

fn field(lexer: &mut Lexer<'_>) -> Parsed<IdField> {
    let name = lexer.string()?;
    lexer.space()?;
    let value = lexer.nstring()?;
    if name.len() > NAME || value.as_ref().is_some_and(|value| value.len() > VALUE) {
        return Err(limit("ID field too long"));
    }
    Ok(IdField { name, value })
}
