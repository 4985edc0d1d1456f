//! LIST and LSUB (RFC 3501 sections 6.3.8 and 6.3.9).

use crate::error::Parsed;
use crate::lexer::Lexer;

/// What to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Where the patterns start from, maybe empty.
    pub reference: Vec<u8>,
    /// Names with wildcards: one, until LIST-EXTENDED gives more.
    pub patterns: Vec<Vec<u8>>,
}

pub(crate) fn parse(lexer: &mut Lexer<'_>) -> Parsed<List> {
    lexer.space()?;
    let reference = lexer.astring()?;
    lexer.space()?;
    Ok(List { reference, patterns: vec![lexer.list_mailbox()?] })
}
