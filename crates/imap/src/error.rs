//! What was wrong with a command.

use std::fmt;

/// Why a command was not understood. All of them are answered with BAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No tag could be read: the answer is untagged.
    Tag,
    /// A tag, and then no command of ours.
    Unknown,
    /// A command of ours with arguments that are none.
    Syntax,
    /// More of something than [`Rules`](crate::Rules) allow.
    Limit,
}

/// A command that is not to be had, with the tag for the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The command's tag, if it has one.
    pub tag: Option<Vec<u8>>,
    /// The class of the error.
    pub kind: Kind,
    /// What to tell the client.
    pub text: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl std::error::Error for ParseError {}

/// An error inside a command, before it is known whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub kind: Kind,
    pub text: &'static str,
}

impl Fault {
    pub fn with_tag(self, tag: &[u8]) -> ParseError {
        ParseError { tag: Some(tag.to_vec()), kind: self.kind, text: self.text }
    }
}

pub(crate) const fn syntax(text: &'static str) -> Fault {
    Fault { kind: Kind::Syntax, text }
}

pub(crate) const fn limit(text: &'static str) -> Fault {
    Fault { kind: Kind::Limit, text }
}

pub(crate) type Parsed<T> = Result<T, Fault>;
