//! STATUS (RFC 3501 section 6.3.10).

use crate::error::{Parsed, syntax};
use crate::lexer::Lexer;

/// A figure that STATUS may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the RFC's own")]
pub enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
}

impl StatusItem {
    /// In the order that Courier shows them in.
    pub const ALL: [StatusItem; 5] =
        [StatusItem::Messages, StatusItem::Recent, StatusItem::UidNext, StatusItem::UidValidity, StatusItem::Unseen];

    /// Its name on the wire.
    pub const fn name(self) -> &'static [u8] {
        match self {
            StatusItem::Messages => b"MESSAGES",
            StatusItem::Recent => b"RECENT",
            StatusItem::UidNext => b"UIDNEXT",
            StatusItem::UidValidity => b"UIDVALIDITY",
            StatusItem::Unseen => b"UNSEEN",
        }
    }
}

pub(crate) fn parse(lexer: &mut Lexer<'_>) -> Parsed<Vec<StatusItem>> {
    lexer.space()?;
    if lexer.peek() == Some(b'(') {
        return lexer.list(item);
    }
    // One item without its list, as Courier takes it.
    Ok(vec![item(lexer)?])
}

fn item(lexer: &mut Lexer<'_>) -> Parsed<StatusItem> {
    let word = lexer.word()?;
    let known = StatusItem::ALL.into_iter().find(|item| item.name().eq_ignore_ascii_case(word));
    known.ok_or(syntax("Unknown STATUS item"))
}
