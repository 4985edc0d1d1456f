//! Where a command ends: lines and literals (RFC 3501 sections 2.2.1 and 4.3, RFC 7888).

use crate::rules::Rules;

/// Finds the end of the command at the beginning of a buffer.
///
/// The caller gives the same growing bytes again and again; each is looked at once. Nothing is copied, so it serves
/// a session that reads large pieces as well as a login program that only peeks.
///
/// ```
/// use imap::{Framer, Rules, Step};
/// let mut framer = Framer::new(&Rules::AFTER_LOGIN);
/// assert_eq!(framer.step(b"a LOGIN {3+}\r\n"[..8].as_ref()), Step::More);
/// let Step::Literal(literal) = framer.step(b"a LOGIN {3+}\r\n") else { panic!() };
/// assert!(literal.size == 3 && !literal.sync && literal.fits);
/// framer.take_literal();
/// assert_eq!(framer.step(b"a LOGIN {3+}\r\nfoo bar\r\nb NOOP"), Step::Complete { end: 23 });
/// ```
#[derive(Debug, Clone)]
pub struct Framer {
    /// The first byte not looked at.
    at: usize,
    /// Where the current line began: an announcement does not reach back into a literal.
    line: usize,
    /// The announcement the caller has been told of and has not yet decided about.
    announced: Option<Literal>,
    limit: usize,
}

/// A literal that the client announces at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal {
    /// Its size, as declared.
    pub size: u64,
    /// The client waits for a continuation request; otherwise the data comes unasked (LITERAL+).
    pub sync: bool,
    /// `~{n}`: the data may hold NULs (RFC 3516).
    pub binary: bool,
    /// Where its data begins: behind the line's end.
    pub at: usize,
    /// Whether the command stays within the limit with it.
    pub fits: bool,
}

/// What a buffer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Not yet a whole line, or not yet the whole literal.
    More,
    /// A literal follows: ask for it if it is `sync`, then [`Framer::take_literal`]; or refuse the command, and if it
    /// is not `sync` [`Discard`](crate::Discard) the data; or stream the data and begin anew behind it.
    Literal(Literal),
    /// The command is `bytes[..end]`.
    Complete {
        /// Behind the command's line end.
        end: usize,
    },
    /// The limit is reached without an end: answer BAD and [`Discard`](crate::Discard) the line.
    TooLong,
    /// A size beyond 64 bits. The client that does not wait (`sync` false) cannot be followed any more: BYE.
    BadLiteral {
        /// Whether the client waits.
        sync: bool,
        /// Behind the announcement's line end.
        end: usize,
    },
}

impl Framer {
    /// For one command. Also for what comes behind a literal that was streamed.
    pub const fn new(rules: &Rules) -> Framer {
        Framer { at: 0, line: 0, announced: None, limit: rules.command }
    }

    /// Looks at the bytes of the command seen so far, from its first on.
    pub fn step(&mut self, bytes: &[u8]) -> Step {
        if let Some(literal) = self.announced {
            return Step::Literal(literal);
        }
        let Some(length) = bytes.get(self.at..).and_then(line_end) else {
            if self.at <= bytes.len() {
                self.at = bytes.len();
            }
            return if bytes.len() >= self.limit { Step::TooLong } else { Step::More };
        };
        let end = self.at.saturating_add(length);
        if end > self.limit {
            return Step::TooLong;
        }
        let line = bytes.get(self.line..end).unwrap_or_default();
        match announcement(line) {
            None => Step::Complete { end },
            Some(Announcement { size: None, sync, .. }) => Step::BadLiteral { sync, end },
            Some(Announcement { size: Some(size), sync, binary }) => {
                let room = self.limit.saturating_sub(end) as u64;
                let literal = Literal { size, sync, binary, at: end, fits: size <= room };
                self.announced = Some(literal);
                Step::Literal(literal)
            }
        }
    }

    /// The announced literal becomes part of the command. One that does not fit is not taken.
    pub fn take_literal(&mut self) {
        if let Some(literal) = self.announced.take_if(|literal| literal.fits) {
            self.at = literal.at.saturating_add(usize::try_from(literal.size).unwrap_or(usize::MAX));
            self.line = self.at;
        }
    }
}

/// The length of the first line with its LF; a bare CR ends none.
pub fn line_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| byte == b'\n').map(|lf| lf + 1)
}

pub(crate) struct Announcement {
    /// None if beyond 64 bits.
    pub size: Option<u64>,
    pub sync: bool,
    pub binary: bool,
}

/// `{n}`, `{n+}`, `~{n}`, `~{n+}` as the last argument of a line (which ends in LF or CR LF).
pub(crate) fn announcement(line: &[u8]) -> Option<Announcement> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line).strip_suffix(b"}")?;
    let (line, sync) = match line.strip_suffix(b"+") {
        Some(line) => (line, false),
        None => (line, true),
    };
    let digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (line, digits) = line.split_at_checked(line.len().saturating_sub(digits))?;
    let before = line.strip_suffix(b"{")?;
    let (before, binary) = match before.strip_suffix(b"~") {
        Some(before) => (before, true),
        None => (before, false),
    };
    // Inside a word it is no literal: some people's passwords look so.
    let alone = matches!(before.last(), Some(b' ' | b'('));
    (alone && !digits.is_empty()).then(|| Announcement { size: decimal(digits), sync, binary })
}

fn decimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0'))))
}
