//! Keywords of a folder as one session shows them: each word once, each set of words once.
//!
//! A message carries the number of its set, so that a hundred thousand messages with the same three words cost
//! four bytes each, and none at all while nobody uses keywords.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use maildir::Folder;

use crate::Error;

/// The set of a message without keywords.
pub(crate) const EMPTY: u32 = 0;

/// Words and sets.
pub(crate) struct Keywords {
    words: Vec<Vec<u8>>,
    by_word: HashMap<Vec<u8>, u16>,
    sets: Vec<Rc<[u16]>>,
    by_set: HashMap<Rc<[u16]>, u32>,
}

impl Default for Keywords {
    fn default() -> Keywords {
        let empty: Rc<[u16]> = Rc::from([]);
        Keywords {
            words: Vec::new(),
            by_word: HashMap::new(),
            sets: vec![empty.clone()],
            by_set: HashMap::from([(empty, EMPTY)]),
        }
    }
}

impl Keywords {
    /// The words met so far, in the order and the spelling they were met in.
    pub fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    /// The number of a word, in any case; a new one becomes known. None: 65,536 are.
    pub fn word(&mut self, word: &[u8]) -> Option<u16> {
        let folded = word.to_ascii_lowercase();
        if let Some(known) = self.by_word.get(&folded) {
            return Some(*known);
        }
        let number = u16::try_from(self.words.len()).ok()?;
        self.words.push(word.to_vec());
        self.by_word.insert(folded, number);
        Some(number)
    }

    /// The number of a word that is known.
    pub fn find(&self, word: &[u8]) -> Option<u16> {
        self.by_word.get(&word.to_ascii_lowercase()).copied()
    }

    /// The number of a set of words, given in any order and with repetitions.
    pub fn set_of(&mut self, mut words: Vec<u16>) -> u32 {
        words.sort_unstable();
        words.dedup();
        if let Some(known) = self.by_set.get(words.as_slice()) {
            return *known;
        }
        let Ok(number) = u32::try_from(self.sets.len()) else { return EMPTY };
        let set: Rc<[u16]> = words.into();
        self.sets.push(set.clone());
        self.by_set.insert(set, number);
        number
    }

    /// The words of a set, ascending by number.
    pub fn set(&self, number: u32) -> &[u16] {
        self.sets.get(number as usize).map_or(&[], |set| set)
    }

    /// The spellings of a set.
    pub fn spelled(&self, set: u32) -> Vec<&[u8]> {
        self.set(set).iter().filter_map(|word| self.words.get(usize::from(*word))).map(Vec::as_slice).collect()
    }
}

/// Can messages with these words come into a folder? What is beyond its limits would be lost silently.
pub(crate) fn check_room<'a>(folder: &Folder, words: impl Iterator<Item = &'a [u8]>) -> Result<(), Error> {
    let words: BTreeSet<Vec<u8>> = words.map(<[u8]>::to_ascii_lowercase).collect();
    if words.is_empty() {
        return Ok(());
    }
    let there = maildir::keywords::load(folder, |_| true)?;
    let known: BTreeSet<Vec<u8>> = there.words().iter().map(|word| word.to_ascii_lowercase()).collect();
    let too_long = words.iter().any(|word| word.len() > maildir::keywords::LENGTH);
    if too_long || words.difference(&known).count().saturating_add(known.len()) > maildir::keywords::COUNT {
        return Err(Error::Keyword);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_match_in_any_case_and_keep_the_first_spelling() {
        let mut keywords = Keywords::default();
        let junk = keywords.word(b"$Junk").unwrap();
        assert_eq!((keywords.word(b"$JUNK"), keywords.find(b"$junk")), (Some(junk), Some(junk)));
        assert_eq!(keywords.words(), [b"$Junk"]);
        assert_eq!(keywords.find(b"other"), None);
    }

    #[test]
    fn equal_sets_are_one() {
        let mut keywords = Keywords::default();
        let (a, b) = (keywords.word(b"a").unwrap(), keywords.word(b"b").unwrap());
        let set = keywords.set_of(vec![b, a, b]);
        assert_eq!(keywords.set_of(vec![a, b]), set);
        assert_eq!(keywords.spelled(set), [b"a", b"b"]);
        assert_eq!(keywords.set_of(Vec::new()), EMPTY);
    }

    #[test]
    fn a_full_folder_takes_only_words_it_knows() {
        let place = crate::tests::Place::new();
        let words: Vec<Vec<u8>> = (0..maildir::keywords::COUNT).map(|n| format!("k{n}").into_bytes()).collect();
        let room = |word: &[u8]| check_room(&place.inbox(), [word].into_iter());
        assert!(room(b"other").is_ok());
        place.append(&imap::FlagList { keywords: words, ..Default::default() });
        assert_eq!((room(b"K7"), room(b"other")), (Ok(()), Err(Error::Keyword)));
        assert_eq!(room(&[b'x'; maildir::keywords::LENGTH + 1]), Err(Error::Keyword));
    }
}
