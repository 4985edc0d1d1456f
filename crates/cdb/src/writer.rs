//! Writes a database beside the old one and puts it in its place when it is complete.

use crate::{Error, HEADER, Replacement, hash};
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A database being written. Dropped before [`finish`](Writer::finish), it leaves the old file as it was.
#[derive(Debug)]
pub struct Writer {
    file: BufWriter<Replacement>,
    /// Where the next record begins.
    at: u32,
    /// Hash and position of every record.
    entries: Vec<(u32, u32)>,
}

impl Writer {
    /// Begins a database that will stand at `target` with this mode. `temporary` is a name in the same directory that
    /// no other writer uses at the same time.
    pub fn create(target: &Path, temporary: &Path, mode: u32) -> Result<Writer, Error> {
        let mut file = BufWriter::new(Replacement::create(target, temporary, mode)?);
        file.write_all(&[0; HEADER as usize])?;
        Ok(Writer { file, at: HEADER, entries: Vec::new() })
    }

    /// Adds a record. Of two records with one key a reader finds the first.
    pub fn add(&mut self, key: &[u8], data: &[u8]) -> Result<(), Error> {
        let key_length = length(key)?;
        let data_length = length(data)?;
        let next = [8, key_length, data_length]
            .into_iter()
            .try_fold(self.at, u32::checked_add)
            // The tables, 16 bytes a record, must fit as well.
            .filter(|next| u64::from(*next) + 16 * (self.entries.len() as u64 + 1) <= u64::from(u32::MAX))
            .ok_or(Error::TooLarge)?;
        self.file.write_all(&pair(key_length, data_length))?;
        self.file.write_all(key)?;
        self.file.write_all(data)?;
        self.entries.push((hash(key), self.at));
        self.at = next;
        Ok(())
    }

    /// Writes tables and header, syncs, and puts the database in its place.
    pub fn finish(mut self) -> Result<(), Error> {
        let mut header = Vec::with_capacity(HEADER as usize);
        let mut at = self.at;
        for entries in self.tables() {
            let slots = slots(&entries);
            let count = u32::try_from(slots.len()).map_err(|_| Error::TooLarge)?;
            header.extend_from_slice(&pair(at, count));
            for (hash, record) in &slots {
                self.file.write_all(&pair(*hash, *record))?;
            }
            at = count.checked_mul(8).and_then(|bytes| at.checked_add(bytes)).ok_or(Error::TooLarge)?;
        }
        let file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.file().write_all_at(&header, 0)?;
        file.commit()?;
        Ok(())
    }

    /// The entries of each of the 256 tables, in the order of their records.
    fn tables(&self) -> Vec<Vec<(u32, u32)>> {
        let mut tables = vec![Vec::new(); 256];
        for entry in &self.entries {
            if let Some(table) = tables.get_mut((entry.0 & 0xff) as usize) {
                table.push(*entry);
            }
        }
        tables
    }
}

/// A table twice as long as its entries: each stands in the first free slot from where its hash points.
fn slots(entries: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut slots = vec![(0, 0); entries.len() * 2];
    for entry in entries {
        let (before, after) = slots.split_at_mut((entry.0 >> 8) as usize % (entries.len() * 2));
        if let Some(free) = after.iter_mut().chain(before).find(|slot| slot.1 == 0) {
            *free = *entry;
        }
    }
    slots
}

fn length(bytes: &[u8]) -> Result<u32, Error> {
    u32::try_from(bytes.len()).map_err(|_| Error::TooLarge)
}

fn pair(a: u32, b: u32) -> [u8; 8] {
    let ([a, b, c, d], [e, f, g, h]) = (a.to_le_bytes(), b.to_le_bytes());
    [a, b, c, d, e, f, g, h]
}
