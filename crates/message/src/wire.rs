//! The two lengths of a message: as it lies in the file, and as clients get it.

use memchr::{memchr, memchr_iter};

/// A place in a message, as an offset in the file and as an offset in the form sent to clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Offset in the file.
    pub file: u64,
    /// Offset on the wire.
    pub wire: u64,
}

impl Position {
    /// The place `by` further on.
    pub(crate) fn plus(self, by: Position) -> Position {
        Position { file: self.file.saturating_add(by.file), wire: self.wire.saturating_add(by.wire) }
    }

    /// The place `by` before.
    pub(crate) fn minus(self, by: Position) -> Position {
        Position { file: self.file.saturating_sub(by.file), wire: self.wire.saturating_sub(by.wire) }
    }
}

/// Turns stored bytes into the form sent to clients, piece by piece.
///
/// A line feed goes out as CR LF; one that follows a CR already does so and stays as it is. NUL may not appear in an
/// IMAP literal (RFC 3501 section 4.3) and hangs Outlook, so it goes out as 0x80; lengths do not change by that.
#[derive(Clone, Copy, Debug, Default)]
pub struct ToWire {
    after_cr: bool,
}

impl ToWire {
    /// A converter at the beginning of a message, or right after a byte that was no CR.
    pub fn new() -> ToWire {
        ToWire::default()
    }

    /// Whether the last byte was a CR.
    pub fn is_after_cr(&self) -> bool {
        self.after_cr
    }

    /// Appends the wire form of `stored` to `out`.
    pub fn append(&mut self, stored: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        let mut from = 0;
        for (bare, lf) in self.line_feeds(stored) {
            if bare {
                out.extend_from_slice(stored.get(from..lf).unwrap_or_default());
                out.extend_from_slice(b"\r\n");
                from = lf + 1;
            }
        }
        out.extend_from_slice(stored.get(from..).unwrap_or_default());
        self.pass(stored);
        let mut rest = out.get_mut(start..).unwrap_or_default();
        while let Some(nul) = memchr(0, rest) {
            let (_, tail) = rest.split_at_mut(nul);
            let Some((byte, tail)) = tail.split_first_mut() else { break };
            *byte = 0x80;
            rest = tail;
        }
    }

    /// The length of `stored` on the wire, and the line feeds in it.
    pub fn measure(&mut self, stored: &[u8]) -> (u64, u64) {
        let (mut added, mut lines) = (0, 0);
        if !self.after_cr && memchr(b'\r', stored).is_none() {
            lines = memchr_iter(b'\n', stored).count() as u64;
            added = lines;
        } else {
            for (bare, _) in self.line_feeds(stored) {
                lines += 1;
                added += u64::from(bare);
            }
        }
        self.pass(stored);
        (stored.len() as u64 + added, lines)
    }

    /// Passes over a line, or a piece of one: the length of its line end in the file, 0 where there is none.
    pub(crate) fn line_end(&mut self, line: &[u8]) -> u64 {
        let end = match line {
            [.., b'\r', b'\n'] => 2,
            [b'\n'] if self.after_cr => 2,
            [.., b'\n'] => 1,
            _ => 0,
        };
        self.pass(line);
        end
    }

    /// Each line feed: whether a CR must be put before it, and where it is.
    fn line_feeds<'a>(&self, stored: &'a [u8]) -> impl Iterator<Item = (bool, usize)> + use<'a> {
        let after_cr = self.after_cr;
        memchr_iter(b'\n', stored).map(move |lf| {
            let cr = match lf.checked_sub(1) {
                Some(before) => stored.get(before) == Some(&b'\r'),
                None => after_cr,
            };
            (!cr, lf)
        })
    }

    fn pass(&mut self, stored: &[u8]) {
        if let Some(last) = stored.last() {
            self.after_cr = *last == b'\r';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut to, mut out) = (ToWire::new(), Vec::new());
        pieces.iter().for_each(|p| to.append(p, &mut out));
        let mut measure = ToWire::new();
        let length: u64 = pieces.iter().map(|p| measure.measure(p).0).sum();
        assert_eq!(length, out.len() as u64);
        out
    }

    #[test]
    fn bare_line_feeds_get_a_cr_and_others_stay() {
        assert_eq!(wire(&[b"a\nb\r\nc\n\n\r\n\n"]), b"a\r\nb\r\nc\r\n\r\n\r\n\r\n");
        assert_eq!(wire(&[b"a\r", b"\nb\n", b"", b"\n"]), b"a\r\nb\r\n\r\n");
        assert_eq!(wire(&[b"\r", b"", b"\n"]), b"\r\n");
        assert_eq!(wire(&[b"a\rb\n"]), b"a\rb\r\n");
    }

    #[test]
    fn nul_goes_out_as_0x80() {
        assert_eq!(wire(&[b"a\0\n\0"]), b"a\x80\r\n\x80");
    }
}
