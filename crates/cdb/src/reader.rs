//! Look-up and enumeration by positioned reads. Nothing is mapped, and every offset is checked against the file's size.

use crate::{Error, HEADER, hash};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// An open constant database. A later atomic replacement of the file does not disturb it.
#[derive(Debug)]
pub struct Cdb {
    file: File,
    size: u64,
}

/// A record: key, then data.
pub type Record = (Vec<u8>, Vec<u8>);

impl Cdb {
    /// Opens the database at `path`.
    pub fn open(path: &Path) -> Result<Cdb, Error> {
        Cdb::from_file(File::open(path)?)
    }

    /// Takes an open file as the database.
    pub fn from_file(file: File) -> Result<Cdb, Error> {
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() < u64::from(HEADER) || metadata.len() > u64::from(u32::MAX) {
            return Err(Error::Damaged);
        }
        Ok(Cdb { file, size: metadata.len() })
    }

    /// The data of the first record with this key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let hash = hash(key);
        let (table, slots) = self.pair(u64::from(hash & 0xff) * 8)?;
        let (table, slots) = (u64::from(table), u64::from(slots));
        if slots == 0 {
            return Ok(None);
        }
        // A table beyond the end would make a short file cost four thousand million probes.
        if table + slots * 8 > self.size {
            return Err(Error::Damaged);
        }
        let first = u64::from(hash >> 8) % slots;
        for probe in 0..slots {
            let (slot_hash, record) = self.pair(table + (first + probe) % slots * 8)?;
            if record == 0 {
                return Ok(None);
            }
            if slot_hash == hash
                && let Some(data) = self.data_if(u64::from(record), key)?
            {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// All records in the order in which they were added, repeated keys included.
    pub fn records(&self) -> Result<Records<'_>, Error> {
        let mut header = [0; HEADER as usize];
        self.read(&mut header, 0)?;
        // The records end where the first table begins.
        let tables = header.chunks_exact(8).filter_map(|slot| slot.first_chunk().map(|at| u32::from_le_bytes(*at)));
        let end = u64::from(tables.min().unwrap_or(0));
        if end < u64::from(HEADER) || end > self.size {
            return Err(Error::Damaged);
        }
        Ok(Records { cdb: self, at: u64::from(HEADER), end })
    }

    fn data_if(&self, record: u64, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let (key_length, data_length) = self.pair(record)?;
        if u64::from(key_length) != key.len() as u64 {
            return Ok(None);
        }
        if self.bytes(record + 8, key_length)? != key {
            return Ok(None);
        }
        self.bytes(record + 8 + u64::from(key_length), data_length).map(Some)
    }

    fn bytes(&self, at: u64, length: u32) -> Result<Vec<u8>, Error> {
        if at + u64::from(length) > self.size {
            return Err(Error::Damaged);
        }
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length as usize).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        bytes.resize(length as usize, 0);
        self.read(&mut bytes, at)?;
        Ok(bytes)
    }

    fn pair(&self, at: u64) -> Result<(u32, u32), Error> {
        let mut pair = [0; 8];
        self.read(&mut pair, at)?;
        let [a, b, c, d, e, f, g, h] = pair;
        Ok((u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])))
    }

    /// The end of the file inside a record or table is damage, not an error of the system.
    fn read(&self, buffer: &mut [u8], at: u64) -> Result<(), Error> {
        self.file.read_exact_at(buffer, at).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => Error::Damaged,
            _ => Error::Io(e),
        })
    }
}

/// The records of a database, see [`Cdb::records`]. After an error it ends.
#[derive(Debug)]
pub struct Records<'a> {
    cdb: &'a Cdb,
    at: u64,
    end: u64,
}

impl Records<'_> {
    fn record(&mut self) -> Result<Record, Error> {
        let (key_length, data_length) = self.cdb.pair(self.at)?;
        let key_at = self.at + 8;
        let data_at = key_at + u64::from(key_length);
        let next = data_at + u64::from(data_length);
        if next > self.end {
            return Err(Error::Damaged);
        }
        let record = (self.cdb.bytes(key_at, key_length)?, self.cdb.bytes(data_at, data_length)?);
        self.at = next;
        Ok(record)
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let record = self.record();
        if record.is_err() {
            self.at = self.end;
        }
        Some(record)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
