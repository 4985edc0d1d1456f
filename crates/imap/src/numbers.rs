//! Sets of numbers: ranges in order, none touching another.

use crate::write;

/// Message numbers or UIDs, as few ranges as can be.
///
/// ```
/// use imap::NumberSet;
/// let set: NumberSet = [9, 1, 2, 3, 2].into_iter().collect();
/// let mut out = Vec::new();
/// set.write(&mut out);
/// assert_eq!(out, b"1:3,9");
/// assert!(set.contains(2) && !set.contains(4));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberSet {
    /// First and last, ascending, with a gap between any two.
    ranges: Vec<(u32, u32)>,
}

impl NumberSet {
    /// The empty set.
    pub const fn new() -> NumberSet {
        NumberSet { ranges: Vec::new() }
    }

    /// From ranges in any order, overlapping or not; one whose first is above its last is empty.
    pub fn from_ranges(ranges: impl Iterator<Item = (u32, u32)>) -> NumberSet {
        let mut sorted: Vec<(u32, u32)> = ranges.filter(|&(first, last)| first <= last).collect();
        // Most sets come in order.
        if !sorted.is_sorted() {
            sorted.sort_unstable();
        }
        let mut set = NumberSet { ranges: Vec::with_capacity(sorted.len()) };
        for (first, last) in sorted {
            set.join(first, last);
        }
        set
    }

    /// Adds a range that does not begin before the last one here.
    fn join(&mut self, first: u32, last: u32) {
        match self.ranges.last_mut() {
            Some(end) if first <= end.1.saturating_add(1) => end.1 = end.1.max(last),
            _ => self.ranges.push((first, last)),
        }
    }

    /// Adds a number; cheap when numbers come in ascending order.
    pub fn insert(&mut self, number: u32) {
        match self.ranges.last() {
            Some(&(first, _)) if number < first => {
                let all = std::mem::take(&mut self.ranges);
                *self = NumberSet::from_ranges(all.into_iter().chain([(number, number)]));
            }
            _ => self.join(number, number),
        }
    }

    /// Whether a number is in it.
    pub fn contains(&self, number: u32) -> bool {
        let after = self.ranges.partition_point(|&(first, _)| first <= number);
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|&(_, last)| number <= last)
    }

    /// First and last number of each range, ascending.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// Each number, ascending: only for a set that was cut to what exists.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges.iter().flat_map(|&(first, last)| first..=last)
    }

    /// How many numbers.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|&(first, last)| u64::from(last - first) + 1).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The lowest number.
    pub fn first(&self) -> Option<u32> {
        self.ranges.first().map(|&(first, _)| first)
    }

    /// The highest number.
    pub fn last(&self) -> Option<u32> {
        self.ranges.last().map(|&(_, last)| last)
    }

    /// As on the wire: `1:3,9`. The empty set has no such form: nothing is written.
    pub fn write(&self, out: &mut Vec<u8>) {
        for (place, &(first, last)) in self.ranges.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            write::number(out, u64::from(first));
            if last != first {
                out.push(b':');
                write::number(out, u64::from(last));
            }
        }
    }
}

impl FromIterator<u32> for NumberSet {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> NumberSet {
        let mut set = NumberSet::new();
        let mut late = Vec::new();
        for number in numbers {
            match set.ranges.last() {
                Some(&(first, _)) if number < first => late.push((number, number)),
                _ => set.join(number, number),
            }
        }
        if late.is_empty() {
            return set;
        }
        NumberSet::from_ranges(set.ranges.into_iter().chain(late))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn figures() {
        let set = NumberSet::from_ranges([(5, 9), (1, 2), (4, 3)].into_iter());
        assert_eq!((set.len(), set.first(), set.last(), set.is_empty()), (7, Some(1), Some(9), false));
        assert_eq!(NumberSet::from_ranges([(1, u32::MAX)].into_iter()).len(), u64::from(u32::MAX));
        assert_eq!((NumberSet::new().len(), NumberSet::new().first()), (0, None));
    }

    proptest! {
        #[test]
        fn is_a_set(numbers in proptest::collection::vec(0u32..60, 0..40)) {
            let known: BTreeSet<u32> = numbers.iter().copied().collect();
            let collected: NumberSet = numbers.iter().copied().collect();
            let mut inserted = NumberSet::new();
            numbers.iter().for_each(|&number| inserted.insert(number));
            prop_assert_eq!(&collected, &inserted);
            prop_assert!(collected.iter().eq(known.iter().copied()));
            prop_assert_eq!(collected.len(), known.len() as u64);
        }
    }
}
