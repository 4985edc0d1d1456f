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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;
    use proptest::prelude::*;

    fn parse(text: &[u8]) -> Parsed<SequenceSet> {
        let mut lexer = Lexer::new(text, &Rules::AFTER_LOGIN);
        let set = SequenceSet::parse(&mut lexer)?;
        lexer.end()?;
        Ok(set)
    }

    fn resolved(text: &str, last: u32) -> Vec<(u32, u32)> {
        parse(text.as_bytes()).unwrap().resolve(last).ranges().to_vec()
    }

    #[test]
    fn sets_resolve_against_the_highest_number() {
        assert_eq!(resolved("1,3:5,4,7", 9), [(1, 1), (3, 5), (7, 7)]);
        assert_eq!(resolved("3:1", 9), [(1, 3)]);
        assert_eq!(resolved("*", 9), [(9, 9)]);
        assert_eq!(resolved("*:3", 9), resolved("3:*", 9));
        assert_eq!(resolved("12:*", 9), [(9, 12)], "the last is always meant");
        assert_eq!(resolved("4294967295", 9), [(u32::MAX, u32::MAX)]);
        assert_eq!(resolved("2:4,5,1", 9), [(1, 5)], "neighbours are one range");
        assert_eq!(resolved("4294967294,4294967295", 9), [(u32::MAX - 1, u32::MAX)]);
    }

    #[test]
    fn in_an_empty_mailbox_the_star_is_nothing() {
        assert_eq!(resolved("*", 0), []);
        assert_eq!(resolved("1:*", 0), []);
        assert_eq!(resolved("*:*,7", 0), [(7, 7)]);
    }

    #[test]
    fn the_highest_number_written() {
        assert_eq!(parse(b"3,9:2,*,50:*").unwrap().highest(), Some(9));
        assert_eq!(parse(b"*").unwrap().highest(), None);
    }

    #[test]
    fn what_is_no_set() {
        for bad in [
            "",
            "0",
            "1:0",
            "4294967296",
            "99999999999999999999999",
            "1,",
            ",1",
            "1:",
            ":1",
            "1::2",
            "a",
            "-1",
            "1;2",
            "**",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_hundred_thousand_ranges_are_no_work() {
        let mut text = Vec::new();
        for place in (1..=100_000u32).rev() {
            text.extend_from_slice(format!("{}:{},", place * 3, place * 3 + 1).as_bytes());
        }
        text.pop();
        let begun = std::time::Instant::now();
        let set = parse(&text).unwrap().resolve(1);
        assert_eq!(set.ranges().len(), 100_000);
        assert!((0..400_000).filter(|&number| set.contains(number)).count() == 200_000);
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }

    proptest! {
        #[test]
        fn a_resolved_set_holds_what_was_written(
            ranges in proptest::collection::vec((1u32..40, 1u32..40), 1..12),
            last in 1u32..40,
        ) {
            let text: Vec<String> = ranges.iter().map(|(a, b)| match (a % 7, b % 7) {
                (0, _) => format!("*:{b}"),
                (_, 0) => format!("{a}"),
                _ => format!("{a}:{b}"),
            }).collect();
            let set = parse(text.join(",").as_bytes()).unwrap().resolve(last);
            let means = |number: u32| ranges.iter().any(|&(a, b)| {
                let (a, b) = match (a % 7, b % 7) { (0, _) => (last, b), (_, 0) => (a, a), _ => (a, b) };
                (a.min(b)..=a.max(b)).contains(&number)
            });
            for number in 1..50 {
                prop_assert_eq!(set.contains(number), means(number), "{}", number);
            }
            prop_assert!(set.ranges().windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
            let mut wire = Vec::new();
            set.write(&mut wire);
            prop_assert_eq!(parse(&wire).unwrap().resolve(0), set);
        }
    }
}
