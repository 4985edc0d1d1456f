//! Many file names in little memory: one run of bytes, four bytes an end, and an index by base name.

use crate::error::{Error, Result};
use crate::message_name::base_of;
use std::hash::{BuildHasher, RandomState};

/// File names, in the order they were added.
#[derive(Debug, Clone, Default)]
pub struct Names {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Names {
    /// No names.
    pub fn new() -> Names {
        Names::default()
    }

    /// Adds a name at the end.
    pub fn push(&mut self, name: &[u8]) -> Result<()> {
        let end = self.bytes.len().checked_add(name.len()).and_then(|end| u32::try_from(end).ok());
        self.ends.push(end.ok_or(Error::Limit("4 GB of file names in a folder"))?);
        self.bytes.extend_from_slice(name);
        Ok(())
    }

    /// Gives back memory that was taken in advance.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name at a place; empty beyond the end.
    pub fn get(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).map(|&e| e as usize));
        let end = self.ends.get(at).map(|&e| e as usize);
        start.zip(end).and_then(|(start, end)| self.bytes.get(start..end)).unwrap_or(b"")
    }

    /// All names in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|at| self.get(at))
    }
}

const EMPTY: u32 = u32::MAX;

/// Finds a name by its base (what stands before the last colon): open addressing over places in [`Names`].
#[derive(Debug)]
pub struct BaseIndex {
    slots: Vec<u32>,
    seed: RandomState,
    key: fn(&[u8]) -> &[u8],
}

impl BaseIndex {
    /// Indexes file names. Of several with one base the last is found; `again` hears of an earlier and a later place.
    pub fn of(names: &Names, again: impl FnMut(usize, usize)) -> BaseIndex {
        BaseIndex::build(names, base_of, true, again)
    }

    /// Indexes base names. Of several that are equal the first is found.
    pub fn whole(names: &Names, again: impl FnMut(usize, usize)) -> BaseIndex {
        BaseIndex::build(names, |name| name, false, again)
    }

    fn build(names: &Names, key: fn(&[u8]) -> &[u8], last: bool, mut again: impl FnMut(usize, usize)) -> BaseIndex {
        let size = names.len().saturating_mul(2).max(8).next_power_of_two();
        let mut index = BaseIndex { slots: vec![EMPTY; size], seed: RandomState::new(), key };
        for at in 0..names.len() {
            let (slot, known) = index.slot(names, key(names.get(at)));
            if let Some(before) = known {
                again(before, at);
            }
            if let Some(slot) = index.slots.get_mut(slot).filter(|_| last || known.is_none()) {
                *slot = at as u32;
            }
        }
        index
    }

    /// The place of the name with this base in the very `names` that were indexed.
    pub fn find(&self, names: &Names, base: &[u8]) -> Option<usize> {
        self.slot(names, base).1
    }

    /// The slot where the base is, or where it belongs. At least half of the slots are empty.
    fn slot(&self, names: &Names, base: &[u8]) -> (usize, Option<usize>) {
        let mask = self.slots.len() - 1;
        let mut slot = self.seed.hash_one(base) as usize & mask;
        loop {
            match self.slots.get(slot) {
                Some(&at) if at != EMPTY => {
                    if (self.key)(names.get(at as usize)) == base {
                        return (slot, Some(at as usize));
                    }
                    slot = (slot + 1) & mask;
                }
                _ => return (slot, None),
            }
        }
    }
}
