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
