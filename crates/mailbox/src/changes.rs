//! What the client has been told, and what must still be told, in an order that IMAP allows.

use std::collections::BTreeSet;

use crate::view::View;

/// Whether messages may leave the numbering now: never while FETCH, STORE or SEARCH by number is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expunges {
    /// Say which are gone; numbers shift.
    Report,
    /// Keep their numbers for now.
    Hold,
}

/// News for the client, to be sent in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Numbers for EXPUNGE, each counted after the ones before it have left.
    pub expunged: Vec<u32>,
    /// UIDs of the same messages, ascending, for VANISHED.
    pub vanished: Vec<u32>,
    /// FLAGS and PERMANENTFLAGS have new words and come before the FETCH lines that use them.
    pub flag_list_changed: bool,
    /// A new number of messages.
    pub exists: Option<u32>,
    /// A new number of recent ones.
    pub recent: Option<u32>,
    /// Numbers of messages whose flags or keywords others changed.
    pub flags: Vec<u32>,
}

impl Changes {
    /// Nothing to say?
    pub fn is_empty(&self) -> bool {
        *self == Changes::default()
    }
}

/// What the client knows of the folder.
#[derive(Default)]
pub(crate) struct Told {
    exists: usize,
    recent: usize,
    words: usize,
    changed: BTreeSet<u32>,
}

impl Told {
    /// The number of messages that the client knows of: the highest number it may use.
    pub fn exists(&self) -> usize {
        self.exists
    }

    /// The flags of this message are news.
    pub fn note_flags(&mut self, uid: u32) {
        self.changed.insert(uid);
    }

    /// The client is being told this message's flags by other means.
    pub fn forget_flags(&mut self, uid: u32) {
        self.changed.remove(&uid);
    }

    /// Are there words that the client was not told of? From here on it knows them.
    pub fn new_words(&mut self, words: usize) -> bool {
        std::mem::replace(&mut self.words, words) != words
    }

    /// Everything that is news by now; from here on the client knows it.
    pub fn news(&mut self, view: &mut View, words: usize, expunges: Expunges) -> Changes {
        let mut changes = Changes::default();
        if expunges == Expunges::Report {
            self.remove_gone(view, &mut changes);
        }
        changes.flag_list_changed = self.new_words(words);
        let (exists, recent) = (view.len(), view.recent());
        let grown = std::mem::replace(&mut self.exists, exists) != exists;
        let recent_changed = std::mem::replace(&mut self.recent, recent) != recent;
        // Courier sends both together after any change of the numbers, and clients of its time count on it.
        let counts = grown || recent_changed || !changes.expunged.is_empty();
        changes.exists = counts.then(|| number(exists));
        changes.recent = counts.then(|| number(recent));
        let told = std::mem::take(&mut self.changed);
        let positions = told.iter().filter_map(|uid| view.position(*uid)).filter(|at| !view.is_gone(*at));
        changes.flags = positions.map(|at| number(at + 1)).collect();
        changes
    }

    fn remove_gone(&mut self, view: &mut View, changes: &mut Changes) {
        // A message that came and went untold never had a number.
        let known = self.exists;
        for (at, uid) in view.remove_gone().into_iter().filter(|(at, _)| *at < known) {
            changes.expunged.push(number(at + 1 - changes.expunged.len()));
            changes.vanished.push(uid);
        }
        self.exists -= changes.expunged.len();
    }
}

pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(count: u32) -> View {
        let mut view = View::default();
        for uid in 1..=count {
            assert!(view.push(uid * 10, format!("m{uid}:2,").as_bytes(), uid > 2));
        }
        view
    }

    #[test]
    fn expunges_wait_while_numbers_are_in_use() {
        let (mut view, mut told) = (view(4), Told::default());
        assert_eq!(told.news(&mut view, 0, Expunges::Report).exists, Some(4));
        view.mark_gone(0);
        view.mark_gone(2);
        told.note_flags(10);
        told.note_flags(40);
        let held = told.news(&mut view, 0, Expunges::Hold);
        assert_eq!((held.expunged.len(), held.exists, held.flags), (0, None, vec![4]));
        let changes = told.news(&mut view, 0, Expunges::Report);
        assert_eq!((changes.expunged, changes.vanished), (vec![1, 2], vec![10, 30]));
        assert_eq!((changes.exists, changes.recent), (Some(2), Some(1)));
        assert!(told.news(&mut view, 0, Expunges::Report).is_empty());
    }

    #[test]
    fn what_came_and_went_untold_is_never_mentioned() {
        let (mut view, mut told) = (view(3), Told::default());
        told.news(&mut view, 0, Expunges::Report);
        assert!(view.push(99, b"late:2,", false));
        view.mark_gone(3);
        assert!(told.news(&mut view, 0, Expunges::Report).is_empty());
        assert_eq!(told.exists(), 3);
    }

    #[test]
    fn new_words_are_told_once() {
        let (mut view, mut told) = (view(1), Told::default());
        told.news(&mut view, 0, Expunges::Report);
        assert!(told.news(&mut view, 2, Expunges::Hold).flag_list_changed);
        assert!(told.news(&mut view, 2, Expunges::Hold).is_empty());
    }
}
