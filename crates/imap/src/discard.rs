//! Throwing away the rest of a command that was refused, so that its data is never taken for the next command.

use crate::framing::announcement;

/// Reads over the rest of a command: its line, and every literal that the client sends unasked (LITERAL+), however
/// long, in bounded memory (RFC 7888 section 4).
#[derive(Debug, Clone)]
pub struct Discard {
    /// Bytes of a literal still to come.
    literal: u64,
    /// The last bytes of the line: enough to know an announcement.
    tail: Vec<u8>,
    /// Literal bytes thrown away so far.
    swallowed: u64,
}

/// How much was thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discarded {
    /// Bytes used of those given.
    pub used: usize,
    /// Whether the command is over: what follows is the next one.
    pub done: bool,
}

/// `{` and 20 digits and `+}` CR LF, with what stands before; longer ones are beyond 64 bits.
const TAIL: usize = 32;

impl Discard {
    /// From within a line: give it what stands in the buffer from the command's first byte on.
    pub fn line() -> Discard {
        Discard::literal(0)
    }

    /// From the beginning of a literal of this size that nobody asked for, to the command's end.
    pub fn literal(size: u64) -> Discard {
        Discard { literal: size, tail: Vec::with_capacity(TAIL), swallowed: 0 }
    }

    /// Literal bytes thrown away so far: a caller may lose patience.
    pub fn swallowed(&self) -> u64 {
        self.swallowed
    }

    /// Literal bytes that are still announced.
    pub fn pending(&self) -> u64 {
        self.literal
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Discarded {
        let mut rest = bytes;
        loop {
            rest = self.skip_literal(rest);
            if self.literal > 0 || rest.is_empty() {
                return Discarded { used: bytes.len() - rest.len(), done: false };
            }
            let length = crate::framing::line_end(rest).unwrap_or(rest.len());
            let (line, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = behind;
            self.remember(line);
            if line.last() != Some(&b'\n') {
                continue;
            }
            match announcement(&self.tail) {
                Some(literal) if !literal.sync => self.literal = literal.size.unwrap_or(u64::MAX),
                _ => return Discarded { used: bytes.len() - rest.len(), done: true },
            }
            self.tail.clear();
        }
    }

    fn skip_literal<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let skip = usize::try_from(self.literal).unwrap_or(usize::MAX).min(bytes.len());
        self.literal -= skip as u64;
        self.swallowed = self.swallowed.saturating_add(skip as u64);
        bytes.get(skip..).unwrap_or_default()
    }

    fn remember(&mut self, line: &[u8]) {
        let last = line.get(line.len().saturating_sub(TAIL)..).unwrap_or(line);
        let excess = (self.tail.len() + last.len()).saturating_sub(TAIL);
        self.tail.drain(..excess.min(self.tail.len()));
        self.tail.extend_from_slice(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REST: &[u8] = b" some \"words\" {3+}\r\n{9}{5}\r\n";

    #[test]
    fn swallows_the_line_and_the_literals_that_come_unasked() {
        let done = Discarded { used: 8, done: true };
        assert_eq!(Discard::line().push(b" words\r\nb NOOP\r\n"), done);
        // The client waits: refused, its command is over.
        assert_eq!(Discard::line().push(b" w {10}\nb NOOP\r\n"), done);
        let bytes = b" w {10+}\r\n0123\n56\r\n more {2+}\r\n\r\n\r\nb NOOP\r\n";
        assert_eq!(Discard::line().push(bytes), Discarded { used: bytes.len() - 8, done: true });
        assert_eq!(Discard::literal(4).push(b"b X\n\r\nb"), Discarded { used: 6, done: true });
    }

    #[test]
    fn a_literal_without_end_is_endless() {
        let mut discard = Discard::line();
        assert!(!discard.push(b"a X {99999999999999999999+}\r\na\r\nb\r\n").done);
        assert_eq!((discard.swallowed(), discard.pending()), (6, u64::MAX - 6));
        for digits in [21, 25, 30, 40, 400] {
            let mut discard = Discard::line();
            let line = format!("a X {{{:0digits$}+}}\r\nx LOGOUT\r\n", 10);
            assert!(!discard.push(line.as_bytes()).done, "{line}");
        }
    }

    proptest! {
        #[test]
        fn how_bytes_arrive_does_not_matter(before in "[ -~]{0,80}", piece in 1usize..9) {
            let bytes = [before.as_bytes(), REST, b"b NOOP\r\n"].concat();
            let end = before.len() + REST.len();
            let mut discard = Discard::line();
            let mut used = 0;
            loop {
                let upto = (used + piece).min(bytes.len());
                let pushed = discard.push(&bytes[used..upto]);
                used += pushed.used;
                if pushed.done {
                    break;
                }
                prop_assert!(used == upto && used < bytes.len());
            }
            prop_assert_eq!(used, end);
        }
    }
}
