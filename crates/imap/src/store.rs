//! STORE (RFC 3501 section 6.4.6).

use crate::error::{Parsed, syntax};
use crate::flag::{FlagList, Recent};
use crate::lexer::Lexer;
use crate::sequence::SequenceSet;

/// Which flags to change on which messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The set holds UIDs.
    pub uid: bool,
    /// The messages.
    pub set: SequenceSet,
    /// How to change them.
    pub mode: StoreMode,
    /// Do not tell this client the outcome.
    pub silent: bool,
    /// The flags.
    pub flags: FlagList,
}

/// What becomes of the flags that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum StoreMode {
    Replace,
    Add,
    Remove,
}

pub(crate) fn parse(lexer: &mut Lexer<'_>, uid: bool) -> Parsed<Store> {
    lexer.space()?;
    let set = SequenceSet::parse(lexer)?;
    lexer.space()?;
    let mode = if lexer.eat(b'+') {
        StoreMode::Add
    } else if lexer.eat(b'-') {
        StoreMode::Remove
    } else {
        StoreMode::Replace
    };
    let word = lexer.word()?;
    let silent = word.eq_ignore_ascii_case(b"FLAGS.SILENT");
    if !silent && !word.eq_ignore_ascii_case(b"FLAGS") {
        return Err(syntax("Unknown STORE item"));
    }
    lexer.space()?;
    let flags = match lexer.peek() {
        Some(b'(') => FlagList::parse_list(lexer, Recent::Refuse)?,
        _ => FlagList::parse_bare(lexer)?,
    };
    Ok(Store { uid, set, mode, silent, flags })
}
