//! How much a client may ask at once.

/// The bounds that framing and parsing keep; each is a number that an honest client never meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Bytes of one command with its literals, but for message data.
    pub command: usize,
    /// Depth of parentheses and of search keys.
    pub nesting: usize,
    /// Items of one list, ranges of one set are not counted.
    pub items: usize,
    /// Keys of one SEARCH.
    pub search_keys: usize,
    /// UTF-8 in quoted strings: once UTF8=ACCEPT or IMAP4rev2 is enabled (RFC 6855 section 3).
    pub utf8: bool,
}

impl Rules {
    /// A stranger.
    pub const BEFORE_LOGIN: Rules = Rules { command: 8 * 1024, nesting: 4, items: 32, search_keys: 0, utf8: false };
    /// An account's own client.
    pub const AFTER_LOGIN: Rules =
        Rules { command: 64 * 1024, nesting: 32, items: 8192, search_keys: 1000, utf8: false };
}
