//! Which messages a client means.

use imap::{NumberSet, SequenceSet};

use crate::Error;
use crate::changes::number;
use crate::view::View;

/// Numbers of the messages in a set of UIDs. UIDs that do not exist are passed over; `n:*` has the last message in it.
pub(crate) fn by_uid(view: &View, exists: usize, set: &SequenceSet) -> NumberSet {
    let uids = view.uids().get(..exists).unwrap_or(view.uids());
    let last = uids.last().copied().unwrap_or(0);
    // UIDs ascend, so that a range of UIDs is a range of numbers.
    NumberSet::from_ranges(set.resolve(last).ranges().iter().map(|&(first, last)| {
        let before = uids.partition_point(|uid| *uid < first);
        let through = uids.partition_point(|uid| *uid <= last);
        (number(before + 1), number(through))
    }))
}

/// The numbers of a set, which must all exist. In an empty folder `*` stands for nothing.
pub(crate) fn by_number(exists: usize, set: &SequenceSet) -> Result<NumberSet, Error> {
    let exists = number(exists);
    if set.highest().is_some_and(|highest| highest > exists) {
        return Err(Error::BadNumber);
    }
    // `5:*` among three messages is `3:5`, of which the last message is there.
    let ranges = set.resolve(exists);
    Ok(NumberSet::from_ranges(ranges.ranges().iter().map(|&(first, last)| (first, last.min(exists)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use imap::Bound::{Last, Number};

    fn view(uids: &[u32]) -> View {
        let mut view = View::default();
        for uid in uids {
            assert!(view.push(*uid, format!("m{uid}").as_bytes(), false));
        }
        view
    }

    fn uids(have: &[u32], first: imap::Bound, last: imap::Bound) -> Vec<u32> {
        by_uid(&view(have), have.len(), &SequenceSet::range(first, last)).iter().collect()
    }

    fn numbers(exists: usize, first: imap::Bound, last: imap::Bound) -> Option<Vec<u32>> {
        by_number(exists, &SequenceSet::range(first, last)).ok().map(|set| set.iter().collect())
    }

    #[test]
    fn uid_sets() {
        let have = [3, 5, 9, 4294967295];
        assert_eq!(uids(&have, Number(1), Last), [1, 2, 3, 4]);
        assert_eq!(uids(&have, Number(9), Number(4)), [2, 3]);
        assert_eq!(uids(&have, Number(6), Number(8)), [0; 0]);
        assert_eq!(uids(&[3, 5], Number(77), Last), [2]);
        assert_eq!(uids(&[3, 5], Last, Last), [2]);
        assert_eq!(uids(&[], Number(1), Last), [0; 0]);
    }

    #[test]
    fn number_sets() {
        assert_eq!(numbers(3, Last, Number(2)), Some(vec![2, 3]));
        assert_eq!(numbers(3, Number(1), Number(4)), None);
        assert_eq!(numbers(3, Number(5), Last), Some(vec![3]));
        assert_eq!(numbers(0, Last, Last), Some(vec![]));
        assert_eq!(numbers(0, Number(1), Last), Some(vec![]));
        assert_eq!(numbers(0, Number(1), Number(1)), None);
    }
}
