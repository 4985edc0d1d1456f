//! Sequence sets as a client writes them (RFC 3501 section 9, sequence-set).

use crate::error::{Parsed, syntax};
use crate::lexer::Lexer;
use crate::numbers::NumberSet;

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// A number, not zero.
    Number(u32),
    /// `*`: the highest there is.
    Last,
}

/// Message numbers or UIDs, `*` not yet resolved. Resolve it before use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SequenceSet {
    ranges: Vec<(Bound, Bound)>,
}

impl SequenceSet {
    /// One range, its ends in either order.
    pub fn range(first: Bound, last: Bound) -> SequenceSet {
        SequenceSet { ranges: vec![(first, last)] }
    }

    /// The ranges as written.
    pub fn ranges(&self) -> &[(Bound, Bound)] {
        &self.ranges
    }

    /// The highest number written out: above the mailbox's last message number it is BAD in FETCH, STORE and COPY
    /// (a range with `*` is none: it is cut to what there is).
    pub fn highest(&self) -> Option<u32> {
        self.ranges
            .iter()
            .filter_map(|range| match *range {
                (Bound::Number(first), Bound::Number(last)) => Some(first.max(last)),
                _ => None,
            })
            .max()
    }

    /// The numbers meant, when `last` is the highest in the mailbox; with none (0), `*` and ranges with it are empty.
    ///
    /// `5:*` always has the last message in it, also when that is below 5.
    pub fn resolve(&self, last: u32) -> NumberSet {
        let number = |bound| match bound {
            Bound::Number(number) => number,
            Bound::Last => last,
        };
        let ranges = self.ranges.iter().map(|&(a, b)| (number(a), number(b)));
        NumberSet::from_ranges(ranges.filter(|&(a, b)| a != 0 && b != 0).map(|(a, b)| (a.min(b), a.max(b))))
    }

    pub(crate) fn parse(lexer: &mut Lexer<'_>) -> Parsed<SequenceSet> {
        let mut ranges = Vec::new();
        loop {
            let first = bound(lexer)?;
            let last = if lexer.eat(b':') { bound(lexer)? } else { first };
            ranges.push((first, last));
            if !lexer.eat(b',') {
                return Ok(SequenceSet { ranges });
            }
        }
    }
}

fn bound(lexer: &mut Lexer<'_>) -> Parsed<Bound> {
    if lexer.eat(b'*') {
        return Ok(Bound::Last);
    }
    match lexer.peek() {
        Some(b'0'..=b'9') => Ok(Bound::Number(lexer.nz_number()?)),
        _ => Err(syntax("Invalid sequence set")),
    }
}
