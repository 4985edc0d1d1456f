//! The name of a message file: `BASE[,S=bytes][,W=bytes][:2,LETTERS]`.

use std::cmp::Ordering;
use std::ops::{BitAnd, BitOr, Not};

/// The five flags that Maildir, Courier and IMAP share. Other letters stay in the name and are carried along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Flags(u8);

const LETTERS: [(u8, Flags); 5] =
    [(b'D', Flags::DRAFT), (b'F', Flags::FLAGGED), (b'R', Flags::REPLIED), (b'S', Flags::SEEN), (b'T', Flags::TRASHED)];

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);
    /// `D`, IMAP's `\Draft`.
    pub const DRAFT: Flags = Flags(1);
    /// `F`, IMAP's `\Flagged`.
    pub const FLAGGED: Flags = Flags(2);
    /// `R`, IMAP's `\Answered`.
    pub const REPLIED: Flags = Flags(4);
    /// `S`, IMAP's `\Seen`.
    pub const SEEN: Flags = Flags(8);
    /// `T`, IMAP's `\Deleted`.
    pub const TRASHED: Flags = Flags(16);

    /// Whether all of `other` are set.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether none is set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The flags as the low five bits, in the order D F R S T from the lowest.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Flags from the low five bits.
    pub fn from_bits(bits: u8) -> Flags {
        Flags(bits & 31)
    }
}

impl BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl BitAnd for Flags {
    type Output = Flags;
    fn bitand(self, other: Flags) -> Flags {
        Flags(self.0 & other.0)
    }
}

impl Not for Flags {
    type Output = Flags;
    fn not(self) -> Flags {
        Flags(!self.0 & 31)
    }
}

/// What stands before the last colon: two names with one base are one message.
pub fn base_of(name: &[u8]) -> &[u8] {
    split(name).0
}

fn split(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|&b| b == b':') {
        Some(colon) => (name.get(..colon).unwrap_or(name), name.get(colon + 1..).unwrap_or(b"")),
        None => (name, b""),
    }
}

/// A message's file name, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageName<'a> {
    /// What stands before the last colon: the message's lasting name.
    pub base: &'a [u8],
    info: &'a [u8],
}

impl<'a> MessageName<'a> {
    /// Takes any file name apart; nothing is refused.
    pub fn parse(name: &'a [u8]) -> MessageName<'a> {
        let (base, info) = split(name);
        MessageName { base, info }
    }

    /// The letters after `2,`, up to a further comma (another program's tail).
    fn letters(&self) -> &'a [u8] {
        let letters = self.info.strip_prefix(b"2,").unwrap_or(self.info);
        letters.split(|&b| b == b',').next().unwrap_or(b"")
    }

    fn tail(&self) -> &'a [u8] {
        let whole = self.info.strip_prefix(b"2,").unwrap_or(b"");
        whole.get(self.letters().len()..).unwrap_or(b"")
    }

    /// The five flags.
    pub fn flags(&self) -> Flags {
        let letters = self.letters();
        LETTERS.iter().filter(|(letter, _)| letters.contains(letter)).fold(Flags::NONE, |all, &(_, flag)| all | flag)
    }

    /// Dovecot's keyword letters `a` to `z` in the name, as a set of bits from the lowest.
    pub fn keyword_letters(&self) -> u32 {
        let small = self.letters().iter().filter(|b| b.is_ascii_lowercase());
        small.fold(0, |set, b| set | 1 << (b - b'a'))
    }

    /// The same message's name with other flags; letters that are not ours to know are kept.
    pub fn with_flags(&self, flags: Flags) -> Vec<u8> {
        let ours = LETTERS.iter().filter(|(_, flag)| flags.contains(*flag)).map(|&(letter, _)| letter);
        let known = if self.info.starts_with(b"2,") { self.letters() } else { b"" };
        let theirs = known.iter().copied().filter(|b| !LETTERS.iter().any(|(letter, _)| letter == b));
        let mut letters: Vec<u8> = ours.chain(theirs).collect();
        letters.sort_unstable();
        letters.dedup();
        [self.base, b":2,", &letters, self.tail()].concat()
    }

    /// The file's size as the name says it; the last `,S=` counts.
    pub fn size(&self) -> Option<u64> {
        let fields = self.base.rsplit(|&b| b == b',');
        let size = fields.filter_map(|field| field.strip_prefix(b"S=")).next()?;
        decimal(size)
    }

    /// The delivery time that a base name begins with.
    pub fn delivered(&self) -> Option<u64> {
        let digits = self.base.iter().take_while(|b| b.is_ascii_digit()).count();
        decimal(self.base.get(..digits)?)
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The order in which messages get UIDs: by the leading number, then bytewise up to the last colon.
pub fn delivery_order(a: &[u8], b: &[u8]) -> Ordering {
    let number = |name: &[u8]| {
        let digits = name.iter().take_while(|b| b.is_ascii_digit());
        digits.fold(0u64, |n, b| n.saturating_mul(10).saturating_add(u64::from(b - b'0')))
    };
    number(a).cmp(&number(b)).then_with(|| base_of(a).cmp(base_of(b)))
}
