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
/// assert_eq!(framer.step(b"a LOGIN {3"), Step::More);
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
    TooLong {
        /// Where the line began: before it may be a literal, whose lines are none.
        line: usize,
    },
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
            return if bytes.len() >= self.limit { Step::TooLong { line: self.line } } else { Step::More };
        };
        let end = self.at.saturating_add(length);
        if end > self.limit {
            return Step::TooLong { line: self.line };
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
    /// None if beyond 64 bits, or of more digits than such a number has.
    pub size: Option<u64>,
    pub sync: bool,
    pub binary: bool,
}

/// Of a 64-bit number.
const DIGITS: usize = 20;

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
    if digits.len() > DIGITS {
        // Of such a line Discard may have kept no more than the digits.
        let open = line.is_empty() || line.ends_with(b"{");
        return open.then_some(Announcement { size: None, sync, binary: false });
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: Rules = Rules { command: 64, ..Rules::BEFORE_LOGIN };

    fn literal(size: u64, sync: bool, binary: bool, at: usize, fits: bool) -> Step {
        Step::Literal(Literal { size, sync, binary, at, fits })
    }

    #[test]
    fn lines_end_at_lf() {
        let step = |bytes: &[u8]| Framer::new(&SMALL).step(bytes);
        assert_eq!(step(b""), Step::More);
        assert_eq!(step(b"a NOOP\r"), Step::More);
        assert_eq!(step(b"a NOOP\r\nb NOOP\r\n"), Step::Complete { end: 8 });
        assert_eq!(step(b"a NOOP\nb"), Step::Complete { end: 7 });
        assert_eq!(step(b"\r\n"), Step::Complete { end: 2 });
        assert_eq!(step(b"a NO\rOP\r\n"), Step::Complete { end: 9 });
    }

    #[test]
    fn a_literal_is_part_of_its_command_once_taken() {
        let bytes = b"a LOGIN {3}\r\n{9}x {2+}\r\n\r\n\r\nb";
        let mut framer = Framer::new(&SMALL);
        assert_eq!(framer.step(&bytes[..5]), Step::More);
        assert_eq!(framer.step(&bytes[..13]), literal(3, true, false, 13, true));
        assert_eq!(framer.step(&bytes[..13]), literal(3, true, false, 13, true), "until it is taken");
        framer.take_literal();
        assert_eq!(framer.step(&bytes[..14]), Step::More);
        assert_eq!(framer.step(bytes), literal(2, false, false, 24, true));
        framer.take_literal();
        assert_eq!(framer.step(bytes), Step::Complete { end: 28 });
    }

    #[test]
    fn an_announcement_stands_alone_and_does_not_reach_back_into_a_literal() {
        let step = |bytes: &[u8]| Framer::new(&SMALL).step(bytes);
        for none in
            ["a X y{3}\r\n", "a X {}\r\n", "a X {-1}\r\n", "a X {3-}\r\n", "a X {3} \r\n", "a X \"{3}\"\r\n", "{3}\r\n"]
        {
            assert_eq!(step(none.as_bytes()), Step::Complete { end: none.len() }, "{none:?}");
        }
        assert_eq!(step(b"a X (~{3+}\n"), literal(3, false, true, 11, true));
        let mut framer = Framer::new(&SMALL);
        framer.step(b"a X {2}\r\n");
        framer.take_literal();
        assert_eq!(framer.step(b"a X {2}\r\n {3}\r\n"), Step::Complete { end: 15 }, "the blank is data");
    }

    #[test]
    fn sizes_never_wrap() {
        let step = |bytes: &[u8]| Framer::new(&SMALL).step(bytes);
        assert_eq!(step(b"a X {4294967297}\r\n"), literal(4_294_967_297, true, false, 18, false));
        assert_eq!(step(b"a X {18446744073709551615+}\r\n"), literal(u64::MAX, false, false, 29, false));
        assert_eq!(step(b"a X {18446744073709551616}\r\n"), Step::BadLiteral { sync: true, end: 28 });
        assert_eq!(step(b"a X {99999999999999999999999+}\r\n"), Step::BadLiteral { sync: false, end: 32 });
        assert_eq!(step(b"a X {000000000000000000000000000003+}\r\n"), Step::BadLiteral { sync: false, end: 39 });
        assert_eq!(step(b"a X y000000000000000000000000000003}\r\n"), Step::Complete { end: 38 });
    }

    #[test]
    fn a_literal_that_does_not_fit_is_not_taken() {
        let mut framer = Framer::new(&SMALL);
        let announced = literal(52, true, false, 13, false);
        assert_eq!(framer.step(b"a LOGIN {52}\n"), announced);
        framer.take_literal();
        assert_eq!(framer.step(b"a LOGIN {52}\n"), announced);
        assert_eq!(Framer::new(&SMALL).step(b"a LOGIN {51}\n"), literal(51, true, false, 13, true));
    }

    #[test]
    fn the_limit_counts_everything() {
        assert_eq!(Framer::new(&SMALL).step(&[b'x'; 63]), Step::More);
        assert_eq!(Framer::new(&SMALL).step(&[b'x'; 64]), Step::TooLong { line: 0 });
        let mut line = [b'x'; 65];
        line[64] = b'\n';
        assert_eq!(Framer::new(&SMALL).step(&line), Step::TooLong { line: 0 });
        line[63] = b'\n';
        assert_eq!(Framer::new(&SMALL).step(&line), Step::Complete { end: 64 });
    }

    #[test]
    fn what_is_too_long_begins_behind_the_literals() {
        let mut framer = Framer::new(&SMALL);
        framer.step(b"a X {3}\r\n");
        framer.take_literal();
        let bytes = [b"a X {3}\r\na\nb".as_slice(), &[b'x'; 60]].concat();
        assert_eq!(framer.step(&bytes), Step::TooLong { line: 12 });
    }

    /// What a client could send, chosen to meet the framer's branches.
    fn soup() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"\r\n".to_vec()),
            Just(b"\n".to_vec()),
            Just(b" {3}\r\n".to_vec()),
            Just(b" {4+}\r\n".to_vec()),
            Just(b" ~{2}\r\n".to_vec()),
            Just(b" {70+}\r\n".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..6),
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    /// Frames to the first end, taking what fits, with the buffer growing by `pieces`.
    fn run(bytes: &[u8], piece: usize) -> Step {
        let mut framer = Framer::new(&SMALL);
        let mut seen = 0;
        loop {
            match framer.step(&bytes[..seen]) {
                Step::More if seen == bytes.len() => return Step::More,
                Step::More => seen = (seen + piece).min(bytes.len()),
                Step::Literal(literal) if literal.fits => framer.take_literal(),
                step => return step,
            }
        }
    }

    proptest! {
        #[test]
        fn how_bytes_arrive_does_not_matter(bytes in soup(), piece in 1usize..9) {
            let (slow, fast) = (run(&bytes, piece), run(&bytes, bytes.len().max(1)));
            let long = |step| matches!(step, Step::TooLong { .. });
            if !long(slow) && !long(fast) {
                prop_assert_eq!(slow, fast);
            }
            if let Step::Complete { end } = fast {
                prop_assert!(end <= 64 && bytes[end - 1] == b'\n');
            }
        }
    }
}
