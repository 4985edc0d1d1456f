//! Flags and keywords (RFC 3501 section 2.3.2).

use std::ops::{BitOr, BitOrAssign};

use crate::class;
use crate::error::{Parsed, syntax};
use crate::lexer::Lexer;

/// A system flag that a client may set. `\Recent` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the RFC's own")]
pub enum Flag {
    Draft,
    Flagged,
    Answered,
    Seen,
    Deleted,
}

impl Flag {
    /// In the order that Courier shows them in.
    pub const ALL: [Flag; 5] = [Flag::Draft, Flag::Flagged, Flag::Answered, Flag::Seen, Flag::Deleted];

    /// Its name on the wire.
    pub const fn name(self) -> &'static [u8] {
        match self {
            Flag::Draft => b"\\Draft",
            Flag::Flagged => b"\\Flagged",
            Flag::Answered => b"\\Answered",
            Flag::Seen => b"\\Seen",
            Flag::Deleted => b"\\Deleted",
        }
    }
}

/// A set of system flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u8);

impl Flags {
    /// None.
    pub const NONE: Flags = Flags(0);
    /// Each of them.
    pub const ALL: Flags = Flags(31);

    /// Whether this one is in.
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & (1 << flag as u8) != 0
    }

    /// With this one.
    #[must_use]
    pub const fn with(self, flag: Flag) -> Flags {
        Flags(self.0 | 1 << flag as u8)
    }

    /// Without those.
    #[must_use]
    pub const fn without(self, flags: Flags) -> Flags {
        Flags(self.0 & !flags.0)
    }

    /// Those that are in, in Courier's order.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |&flag| self.has(flag))
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl From<Flag> for Flags {
    fn from(flag: Flag) -> Flags {
        Flags::NONE.with(flag)
    }
}

impl BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Flags) {
        self.0 |= other.0;
    }
}

/// Flags as a client writes them in STORE and APPEND.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlagList {
    /// The system flags.
    pub system: Flags,
    /// Keywords, each once however it is spelled, in the order and the spelling they came in first.
    pub keywords: Vec<Vec<u8>>,
}

/// What to do about `\Recent`, which no client can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recent {
    Refuse,
    /// Clients that copy a message's flags from elsewhere send it along.
    Ignore,
}

impl FlagList {
    /// `( ... )`, maybe empty.
    pub(crate) fn parse_list(lexer: &mut Lexer<'_>, recent: Recent) -> Parsed<FlagList> {
        let items = lexer.list_or_empty(|lexer| item(lexer, recent))?;
        Ok(FlagList::collect(items))
    }

    /// `flag *(SP flag)`, as STORE takes them too.
    pub(crate) fn parse_bare(lexer: &mut Lexer<'_>) -> Parsed<FlagList> {
        let mut items = vec![item(lexer, Recent::Refuse)?];
        while lexer.eat(b' ') && !lexer.at_end() {
            items.push(item(lexer, Recent::Refuse)?);
        }
        Ok(FlagList::collect(items))
    }

    fn collect(items: Vec<Item>) -> FlagList {
        let mut list = FlagList::default();
        let mut keywords = Vec::new();
        for item in items {
            match item {
                Item::System(flag) => list.system = list.system.with(flag),
                Item::Keyword(word) => keywords.push(word),
                Item::Recent => {}
            }
        }
        list.keywords = once_each(keywords);
        list
    }
}

/// Linear but for a sort: a client may send thousands.
fn once_each(words: Vec<&[u8]>) -> Vec<Vec<u8>> {
    let mut order: Vec<(Vec<u8>, usize)> =
        words.iter().enumerate().map(|(place, word)| (word.to_ascii_lowercase(), place)).collect();
    order.sort_unstable();
    order.dedup_by(|later, first| later.0 == first.0);
    order.sort_unstable_by_key(|&(_, place)| place);
    order.iter().filter_map(|&(_, place)| words.get(place)).map(|word| word.to_vec()).collect()
}

enum Item<'a> {
    System(Flag),
    Keyword(&'a [u8]),
    Recent,
}

fn item<'a>(lexer: &mut Lexer<'a>, recent: Recent) -> Parsed<Item<'a>> {
    if lexer.peek() != Some(b'\\') {
        return Ok(Item::Keyword(lexer.atom().map_err(|_| syntax("Flag expected"))?));
    }
    lexer.eat(b'\\');
    let word = lexer.atom().map_err(|_| syntax("Flag expected"))?;
    let known = Flag::ALL.into_iter().find(|flag| flag.name().get(1..).is_some_and(|n| n.eq_ignore_ascii_case(word)));
    match known {
        Some(flag) => Ok(Item::System(flag)),
        None if word.eq_ignore_ascii_case(b"Recent") && recent == Recent::Ignore => Ok(Item::Recent),
        None if word.eq_ignore_ascii_case(b"Recent") => Err(syntax("\\Recent cannot be set")),
        None => Err(syntax("Unknown system flag")),
    }
}

/// Whether these bytes can stand as a keyword on the wire.
pub fn is_keyword(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(|&byte| class::atom(byte))
}
