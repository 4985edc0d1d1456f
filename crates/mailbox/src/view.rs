//! The messages of a folder as one session numbers them.
//!
//! Four columns, UIDs ascending: UID, marks, keyword set (only where there are any) and base name. A message gone
//! from the disk keeps its number until the client has been told.

use std::collections::BTreeMap;

use maildir::{BaseIndex, Flags, MessageName, Names};

use crate::keywords::EMPTY;

/// Bits above the five flags of a file name.
const RECENT: u8 = 32;
const GONE: u8 = 64;
/// The file name is not the base name, `:2,` and the letters of the flags: what follows the base is kept aside.
const ODD: u8 = 128;
const STORED: u8 = 31;

/// What IMAP knows of each message. Positions count from 0; message number = position + 1.
#[derive(Default)]
pub(crate) struct View {
    uids: Vec<u32>,
    marks: Vec<u8>,
    /// Empty while no message has keywords.
    sets: Vec<u32>,
    names: Names,
    odd: BTreeMap<u32, Box<[u8]>>,
    gone: usize,
}

impl View {
    pub fn len(&self) -> usize {
        self.uids.len()
    }

    pub fn uids(&self) -> &[u32] {
        &self.uids
    }

    pub fn uid(&self, at: usize) -> Option<u32> {
        self.uids.get(at).copied()
    }

    /// Where a UID is.
    pub fn position(&self, uid: u32) -> Option<usize> {
        self.uids.binary_search(&uid).ok()
    }

    pub fn flags(&self, at: usize) -> Flags {
        Flags::from_bits(self.mark(at))
    }

    pub fn is_recent(&self, at: usize) -> bool {
        self.mark(at) & RECENT != 0
    }

    pub fn is_gone(&self, at: usize) -> bool {
        self.mark(at) & GONE != 0
    }

    /// How many are `\Recent`, those gone and not yet told among them.
    pub fn recent(&self) -> usize {
        self.marks.iter().filter(|mark| **mark & RECENT != 0).count()
    }

    pub fn set(&self, at: usize) -> u32 {
        self.sets.get(at).copied().unwrap_or(EMPTY)
    }

    /// The sets in use, one for each message that has keywords.
    pub fn sets(&self) -> impl Iterator<Item = u32> {
        self.sets.iter().copied().filter(|set| *set != EMPTY)
    }

    pub fn base(&self, at: usize) -> &[u8] {
        self.names.get(at)
    }

    /// The name of the file in `cur/`, as last seen.
    pub fn file_name(&self, at: usize) -> Vec<u8> {
        let mark = self.mark(at);
        let odd = self.uid(at).filter(|_| mark & ODD != 0).and_then(|uid| self.odd.get(&uid));
        match odd {
            Some(odd) => [self.base(at), odd].concat(),
            None => plain_name(self.base(at), mark),
        }
    }

    /// A table to find positions by base name; it knows nothing of messages pushed later.
    pub fn by_base(&self) -> BaseIndex {
        BaseIndex::whole(&self.names, |_, _| {})
    }

    pub fn find(&self, by_base: &BaseIndex, base: &[u8]) -> Option<usize> {
        by_base.find(&self.names, base)
    }

    /// Add a message behind all others. False if its UID does not rise or there is no room.
    #[must_use]
    pub fn push(&mut self, uid: u32, file_name: &[u8], recent: bool) -> bool {
        let name = MessageName::parse(file_name);
        let rises = self.uids.last().is_none_or(|last| *last < uid);
        if !rises || self.names.push(name.base).is_err() {
            return false;
        }
        self.uids.push(uid);
        self.marks.push(if recent { RECENT } else { 0 });
        if !self.sets.is_empty() {
            self.sets.push(EMPTY);
        }
        self.rename(self.uids.len() - 1, file_name);
        true
    }

    /// Gives back memory that was taken in advance: few messages come after the first.
    pub fn shrink(&mut self) {
        self.uids.shrink_to_fit();
        self.marks.shrink_to_fit();
        self.names.shrink();
    }

    /// Take over the name that the file has now. True if the flags changed with it.
    pub fn rename(&mut self, at: usize, file_name: &[u8]) -> bool {
        if self.is_named(at, file_name) {
            return false;
        }
        let base_len = self.base(at).len();
        let (Some(uid), Some(mark)) = (self.uids.get(at), self.marks.get_mut(at)) else { return false };
        let before = *mark & STORED;
        *mark = *mark & !(STORED | ODD) | MessageName::parse(file_name).flags().bits();
        let (base, suffix) = file_name.split_at_checked(base_len).unwrap_or((file_name, b""));
        if plain_name(base, *mark) == file_name {
            self.odd.remove(uid);
        } else {
            *mark |= ODD;
            self.odd.insert(*uid, suffix.into());
        }
        before != *mark & STORED
    }

    /// As `file_name(at) == name`, without building it: a look asks this of every message.
    fn is_named(&self, at: usize, name: &[u8]) -> bool {
        if self.mark(at) & ODD != 0 {
            return self.file_name(at) == name;
        }
        let letters = name.strip_prefix(self.base(at)).and_then(|suffix| suffix.strip_prefix(b":2,"));
        letters.is_some_and(|letters| plain_letters(self.mark(at)).eq(letters.iter().copied()))
    }

    /// True if the set was another.
    pub fn set_keywords(&mut self, at: usize, set: u32) -> bool {
        if at >= self.len() || self.set(at) == set {
            return false;
        }
        if self.sets.is_empty() {
            self.sets = vec![EMPTY; self.uids.len()];
        }
        if let Some(ours) = self.sets.get_mut(at) {
            *ours = set;
        }
        true
    }

    pub fn mark_recent(&mut self, at: usize) {
        if let Some(mark) = self.marks.get_mut(at) {
            *mark |= RECENT;
        }
    }

    /// The file is there after all.
    pub fn mark_present(&mut self, at: usize) {
        if let Some(mark) = self.marks.get_mut(at).filter(|mark| **mark & GONE != 0) {
            *mark &= !GONE;
            self.gone -= 1;
        }
    }

    /// The file is no more; the number stays until [`View::remove_gone`].
    pub fn mark_gone(&mut self, at: usize) {
        if let Some(mark) = self.marks.get_mut(at).filter(|mark| **mark & GONE == 0) {
            *mark |= GONE;
            self.gone += 1;
        }
    }

    /// Take the messages marked gone out: their positions (as they were, ascending) and UIDs.
    pub fn remove_gone(&mut self) -> Vec<(usize, u32)> {
        if self.gone == 0 {
            return Vec::new();
        }
        let removed: Vec<(usize, u32)> =
            self.uids.iter().copied().enumerate().filter(|(at, _)| self.is_gone(*at)).collect();
        let names = (0..self.len())
            .filter(|at| !self.is_gone(*at))
            .try_fold(Names::new(), |mut names, at| names.push(self.names.get(at)).map(|()| names));
        let Ok(names) = names else { return Vec::new() };
        self.names = names;
        keep(&mut self.uids, &self.marks);
        keep(&mut self.sets, &self.marks);
        self.marks.retain(|mark| mark & GONE == 0);
        for (_, uid) in &removed {
            self.odd.remove(uid);
        }
        self.gone = 0;
        removed
    }

    fn mark(&self, at: usize) -> u8 {
        self.marks.get(at).copied().unwrap_or(0)
    }
}

fn keep<T>(column: &mut Vec<T>, marks: &[u8]) {
    let mut marks = marks.iter();
    column.retain(|_| marks.next().is_none_or(|mark| mark & GONE == 0));
}

fn plain_name(base: &[u8], mark: u8) -> Vec<u8> {
    let mut name = [base, b":2,"].concat();
    name.extend(plain_letters(mark));
    name
}

fn plain_letters(mark: u8) -> impl Iterator<Item = u8> {
    b"DFRST".iter().zip(0..).filter(move |(_, bit)| mark & (1 << bit) != 0).map(|(letter, _)| *letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> View {
        let mut view = View::default();
        assert!(view.push(3, b"a:2,", true));
        assert!(view.push(5, b"b:2,FSab", false));
        assert!(view.push(9, b"c", false));
        view
    }

    #[test]
    fn uids_only_rise() {
        let mut view = three();
        assert!(!view.push(9, b"d", false));
        assert_eq!(view.uids(), [3, 5, 9]);
        assert_eq!((view.position(5), view.position(4)), (Some(1), None));
        assert_eq!(view.recent(), 1);
    }

    #[test]
    fn unknown_letters_and_missing_info_are_kept() {
        let mut view = three();
        assert_eq!(view.file_name(0), b"a:2,");
        assert_eq!(view.file_name(1), b"b:2,FSab");
        assert_eq!(view.file_name(2), b"c");
        assert!(view.flags(1).contains(Flags::SEEN | Flags::FLAGGED));
        assert!(view.rename(1, b"b:2,S"));
        assert!(!view.rename(1, b"b:2,Sx"));
        assert_eq!(view.file_name(1), b"b:2,Sx");
    }

    #[test]
    fn a_colon_in_the_base_name_is_part_of_it() {
        let mut view = View::default();
        assert!(view.push(1, b"x:y:2,S", false) && view.push(2, b"x:z:2,", false));
        let index = view.by_base();
        assert_eq!(
            (view.find(&index, b"x:y"), view.find(&index, b"x:z"), view.find(&index, b"x")),
            (Some(0), Some(1), None)
        );
        assert_eq!((view.base(0), view.file_name(0)), (&b"x:y"[..], b"x:y:2,S".to_vec()));
    }

    #[test]
    fn gone_messages_leave_together() {
        let mut view = three();
        view.set_keywords(2, 7);
        view.mark_gone(0);
        view.mark_gone(1);
        view.mark_gone(1);
        assert_eq!(view.remove_gone(), [(0, 3), (1, 5)]);
        assert_eq!((view.uids(), view.base(0), view.set(0)), (&[9][..], &b"c"[..], 7));
        assert!(view.remove_gone().is_empty());
    }
}
