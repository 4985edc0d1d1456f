//! The keywords of a folder's messages, as `courierimapkeywords/:list` has them.
//!
//! ```text
//! keyword0
//! keyword1
//!
//! BASENAME:0 1
//! ```

use crate::error::{Error, Result};
use crate::names::{BaseIndex, Names};
use std::collections::HashMap;

pub(crate) use crate::keyword_files::FEW;
pub use crate::keyword_files::{Changes, directory, load, stamp, sync, write_update};

/// How many keywords a folder may have.
pub const COUNT: usize = 1000;
/// How long a keyword may be, in bytes.
pub const LENGTH: usize = 100;

/// A set of keywords: places in [`Keywords::words`], ascending.
pub type KeywordSet = Vec<u16>;

/// The keywords of a folder and of its messages.
#[derive(Debug, Default)]
pub struct Keywords {
    words: Vec<Vec<u8>>,
    /// The different sets that messages have; many messages share one.
    sets: Vec<KeywordSet>,
    by_set: HashMap<KeywordSet, u32>,
    bases: Names,
    /// For each base name the place of its set.
    of: Vec<u32>,
    index: Option<BaseIndex>,
}

impl Keywords {
    /// All keywords in the folder's table, also those that no message has now.
    pub fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    /// The keywords of the message with this base name.
    pub fn of(&self, base: &[u8]) -> &[u16] {
        let at = self.index.as_ref().and_then(|index| index.find(&self.bases, base));
        at.map_or(&[], |at| self.set_at(at))
    }

    /// The messages that have a line, in no order, with their sets.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u16])> {
        (0..self.bases.len()).map(|at| (self.bases.get(at), self.set_at(at)))
    }

    /// The words of a set.
    pub fn spell(&self, set: &[u16]) -> Vec<Vec<u8>> {
        set.iter().filter_map(|&word| self.words.get(usize::from(word)).cloned()).collect()
    }

    fn set_at(&self, at: usize) -> &[u16] {
        self.of.get(at).and_then(|&set| self.sets.get(set as usize)).map_or(&[], Vec::as_slice)
    }

    /// The place of a word, spelled in any case; a new word is added at the end. Nothing beyond the limits.
    pub(crate) fn intern(&mut self, word: &[u8]) -> Option<u16> {
        if let Some(at) = self.words.iter().position(|have| have.eq_ignore_ascii_case(word)) {
            return u16::try_from(at).ok();
        }
        if word.is_empty() || word.len() > LENGTH || self.words.len() >= COUNT {
            return None;
        }
        self.words.push(word.to_vec());
        u16::try_from(self.words.len() - 1).ok()
    }

    /// Gives a message a set; the last call for a base name counts. [`Keywords::settle`] makes it be found.
    pub(crate) fn put(&mut self, base: &[u8], mut set: KeywordSet) -> Result<()> {
        set.sort_unstable();
        set.dedup();
        let place = match self.by_set.get(&set) {
            Some(place) => *place,
            None => {
                self.by_set.insert(set.clone(), self.sets.len() as u32);
                self.sets.push(set);
                (self.sets.len() - 1) as u32
            }
        };
        let known = self.index.as_ref().and_then(|index| index.find(&self.bases, base));
        match known.and_then(|at| self.of.get_mut(at)) {
            Some(of) => *of = place,
            None => {
                self.bases.push(base)?;
                self.of.push(place);
            }
        }
        Ok(())
    }

    /// Indexes what was put.
    pub(crate) fn settle(&mut self) {
        self.index = Some(BaseIndex::whole(&self.bases, |_, _| {}));
    }

    /// Reads the text of a `:list`. What is damaged in it is left out: a keyword lost, never a message.
    pub fn parse(text: &[u8]) -> Keywords {
        let mut keywords = Keywords::default();
        let mut lines = text.split(|&b| b == b'\n');
        let mut places = Vec::new();
        for word in lines.by_ref().take_while(|line| !line.is_empty()) {
            places.push(keywords.intern(&presentable(word)));
        }
        for line in lines {
            let Some(colon) = line.iter().rposition(|&b| b == b':').filter(|&colon| colon > 0) else { continue };
            let (base, numbers) = (line.get(..colon).unwrap_or(b""), line.get(colon + 1..).unwrap_or(b""));
            let numbers =
                numbers.split(|&b| b == b' ').filter_map(|n| std::str::from_utf8(n).ok()?.parse::<usize>().ok());
            let set = numbers.filter_map(|n| places.get(n).copied().flatten()).collect();
            if keywords.put(base, set).is_err() {
                break;
            }
        }
        keywords.settle();
        keywords
    }

    /// The text of a `:list` for the messages that `keep` names. Words that none of them has are left out.
    pub fn format(&self, keep: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let kept: Vec<(&[u8], &[u16])> = self.iter().filter(|(base, set)| !set.is_empty() && keep(base)).collect();
        let mut used = vec![None; self.words.len()];
        let mut text = Vec::new();
        let mut count = 0usize;
        for &word in kept.iter().flat_map(|(_, set)| set.iter()) {
            let Some(slot) = used.get_mut(usize::from(word)).filter(|slot| slot.is_none()) else { continue };
            *slot = Some(count);
            count += 1;
            text.extend_from_slice(self.words.get(usize::from(word)).map_or(b"", Vec::as_slice));
            text.push(b'\n');
        }
        text.push(b'\n');
        for (base, set) in kept {
            text.extend_from_slice(base);
            let mut separator = b':';
            for place in set.iter().filter_map(|&word| used.get(usize::from(word)).copied().flatten()) {
                text.push(separator);
                text.extend_from_slice(place.to_string().as_bytes());
                separator = b' ';
            }
            text.push(b'\n');
        }
        text
    }
}

/// A keyword as IMAP can show it: what no atom may hold becomes `_`, as in Courier.
pub(crate) fn presentable(word: &[u8]) -> Vec<u8> {
    word.iter()
        .map(|&b| match b {
            0..=32 | 127..=255 | b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']' => b'_',
            _ => b,
        })
        .collect()
}

/// Refuses what no folder may hold more of.
pub fn check(words: &[Vec<u8>]) -> Result<()> {
    if words.iter().any(|word| word.len() > LENGTH) {
        return Err(Error::Limit("100 bytes a keyword"));
    }
    if words.len() > COUNT {
        return Err(Error::Limit("1,000 keywords in a folder"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
