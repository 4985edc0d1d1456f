//! Cuts pushed bytes into lines with a small fixed buffer.

use memchr::memchr;

/// Lines up to this length come in one piece. It bounds boundaries and field names, nothing else.
const MAX_LINE: usize = 4096;

/// A line with its line feed, or a piece of a line too long to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub bytes: &'a [u8],
    /// The line begins here.
    pub first: bool,
    /// The line ends here.
    pub last: bool,
}

/// The line cutter. What `take` gives back together is what was pushed, byte for byte.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    carry: Vec<u8>,
    /// The carried bytes were given out and go with the next call.
    spent: bool,
    /// A piece of the present line was given out.
    inside: bool,
}

impl Lines {
    /// The next line or piece of `bytes`, which is moved on; none when more bytes are needed.
    pub fn take<'s, 'b: 's>(&'s mut self, bytes: &mut &'b [u8]) -> Option<Line<'s>> {
        if self.spent {
            self.carry.clear();
            self.spent = false;
        }
        if bytes.is_empty() {
            return None;
        }
        let (piece, ended) = match memchr(b'\n', bytes) {
            Some(lf) => (bytes.get(..=lf)?, true),
            None => (*bytes, false),
        };
        if self.carry.is_empty() && (ended || self.inside || piece.len() >= MAX_LINE) {
            *bytes = bytes.get(piece.len()..)?;
            return Some(self.give(piece, ended));
        }
        let room = MAX_LINE.saturating_sub(self.carry.len());
        let (piece, ended) = if piece.len() > room { (piece.get(..room)?, false) } else { (piece, ended) };
        *bytes = bytes.get(piece.len()..)?;
        self.carry.extend_from_slice(piece);
        if !ended && self.carry.len() < MAX_LINE {
            return None;
        }
        self.spent = true;
        let first = !self.inside;
        self.inside = !ended;
        Some(Line { bytes: &self.carry, first, last: ended })
    }

    /// The last line, if it has no line feed.
    pub fn rest(&mut self) -> Option<Line<'_>> {
        if self.spent || self.carry.is_empty() {
            return None;
        }
        self.spent = true;
        let first = !self.inside;
        self.inside = false;
        Some(Line { bytes: &self.carry, first, last: true })
    }

    fn give<'a>(&mut self, bytes: &'a [u8], last: bool) -> Line<'a> {
        let first = !self.inside;
        self.inside = !last;
        Line { bytes, first, last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(pieces: &[&[u8]]) -> Vec<(Vec<u8>, bool, bool)> {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        for piece in pieces {
            let mut bytes = *piece;
            while !bytes.is_empty() {
                if let Some(l) = lines.take(&mut bytes) {
                    out.push((l.bytes.to_vec(), l.first, l.last));
                }
            }
        }
        if let Some(l) = lines.rest() {
            out.push((l.bytes.to_vec(), l.first, l.last));
        }
        out
    }

    #[test]
    fn long_lines_come_in_pieces_with_a_full_first_one() {
        let long = vec![b'x'; 10_000];
        let all = cut(&[b"ab", &long, b"y\nz"]);
        assert!(all[0].0.len() >= MAX_LINE && all[0].1 && !all[0].2);
        assert_eq!(all.last().unwrap(), &(b"z".to_vec(), true, true));
        assert_eq!(all.iter().map(|l| l.0.len()).sum::<usize>(), 2 + 10_000 + 2 + 1);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_however_it_is_cut(text in "[a\n]{0,40}", cuts in proptest::collection::vec(1usize..5, 0..40)) {
            let mut pieces = Vec::new();
            let mut rest = text.as_bytes();
            for c in cuts { let (a, b) = rest.split_at(c.min(rest.len())); pieces.push(a); rest = b; }
            pieces.push(rest);
            let whole: Vec<_> = text.as_bytes().split_inclusive(|b| *b == b'\n').map(|l| (l.to_vec(), true, true)).collect();
            prop_assert_eq!(cut(&pieces), whole);
        }
    }
}
