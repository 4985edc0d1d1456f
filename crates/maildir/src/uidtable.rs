//! The UID table `courierimapuiddb`: which UID each base name has.
//!
//! ```text
//! 1 UIDVALIDITY NEXTUID
//! UID BASENAME
//! ```
//!
//! Courier's format to the byte. What Courier writes or survives is read; the rest is damage.

use crate::dir::Stamp;
use crate::durable;
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::names::{BaseIndex, Names};
use nix::fcntl::OFlag;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};

/// The table's file name in a folder.
pub const FILE: &[u8] = b"courierimapuiddb";

/// A table beyond this is not read: some ten million messages.
const LIMIT: u64 = 1 << 30;

/// So many names are looked up one by one.
const FEW: usize = 8;

/// What a look at the table found.
#[derive(Debug)]
pub enum Verdict {
    /// There is no table: the folder was never opened.
    Missing,
    /// A table to go on with.
    Sound(UidTable),
    /// No table of ours or of Courier's; the words say why.
    Damaged(&'static str),
}

/// The table in memory: ascending UIDs with their base names.
#[derive(Debug, Clone)]
pub struct UidTable {
    /// Never 0.
    pub uid_validity: u32,
    /// Above every UID in the table.
    pub uid_next: u32,
    uids: Vec<u32>,
    bases: Names,
    layout: Layout,
}

/// How the table lies on disk: whether it can be appended to.
#[derive(Debug, Clone, Default)]
struct Layout {
    /// Where the ten digits of NEXTUID begin, if they are ten.
    next_at: Option<u64>,
    /// A last line without its end, lines with NULs, UIDs at or above NEXTUID: rewrite before adding.
    ragged: bool,
    /// Lines of this table that are on disk already.
    saved: usize,
    stamp: Stamp,
    links: u64,
}

impl UidTable {
    /// An empty table.
    pub fn new(uid_validity: u32) -> UidTable {
        UidTable {
            uid_validity,
            uid_next: 1,
            uids: Vec::new(),
            bases: Names::new(),
            layout: Layout { ragged: true, ..Layout::default() },
        }
    }

    /// A table that is on disk nowhere yet, of ascending UIDs below `uid_next`.
    pub(crate) fn of<'a>(
        uid_validity: u32,
        uid_next: u32,
        lines: impl Iterator<Item = (u32, &'a [u8])>,
    ) -> Result<UidTable> {
        let mut table = UidTable::new(uid_validity);
        table.uid_next = uid_next;
        for (uid, base) in lines {
            table.uids.push(uid);
            table.bases.push(base)?;
        }
        Ok(table)
    }

    /// Reads the text of a table. `Err` says what cannot be.
    pub fn parse(bytes: &[u8]) -> std::result::Result<UidTable, &'static str> {
        let end = bytes.iter().position(|&b| b == b'\n').ok_or("its first line is cut")?;
        let (header, lines) = (bytes.get(..end).unwrap_or(b""), bytes.get(end + 1..).unwrap_or(b""));
        let mut table = UidTable::parse_header(header)?;
        let mut highest = 0;
        let mut sorted = true;
        for line in lines.split_inclusive(|&b| b == b'\n') {
            let Some(line) = line.strip_suffix(b"\n") else {
                table.layout.ragged = true;
                break;
            };
            let Some((uid, base)) = parse_line(line) else {
                table.layout.ragged |= line.contains(&0);
                continue;
            };
            sorted &= uid > highest;
            highest = highest.max(uid);
            table.uids.push(uid);
            table.bases.push(base).map_err(|_| "it is too large")?;
        }
        if highest == u32::MAX {
            return Err("its UIDs are used up");
        }
        if highest >= table.uid_next {
            table.uid_next = highest + 1;
            table.layout.ragged = true;
        }
        if !sorted {
            table.sort();
        }
        table.layout.saved = table.uids.len();
        Ok(table)
    }

    fn parse_header(header: &[u8]) -> std::result::Result<UidTable, &'static str> {
        let mut fields = header.split(|&b| b == b' ');
        let (version, validity, next) = (fields.next(), fields.next(), fields.next());
        if version != Some(b"1") || fields.next().is_some() {
            return Err("its version is not 1");
        }
        let validity = validity.and_then(number).filter(|&n| n > 0).ok_or("its UIDVALIDITY is no number")?;
        let digits = next.unwrap_or(b"");
        let next = number(digits).filter(|&n| n > 0).ok_or("its next UID is no number")?;
        let mut table = UidTable::new(validity);
        table.uid_next = next;
        table.layout.ragged = false;
        table.layout.next_at = (digits.len() == 10).then(|| (header.len() - 10) as u64);
        Ok(table)
    }

    /// Puts lines into the order of their UIDs; of two with one UID the first stays.
    fn sort(&mut self) {
        let mut keep: Vec<usize> = (0..self.uids.len()).collect();
        let uid = |at: &usize| self.uids.get(*at).copied().unwrap_or(0);
        keep.sort_by_key(uid);
        keep.dedup_by_key(|at| uid(at));
        (self.uids, self.bases) = self.pick(&keep);
    }

    fn pick(&self, places: &[usize]) -> (Vec<u32>, Names) {
        let mut bases = Names::new();
        for &at in places {
            // Cannot fail: the names fitted before.
            let _ = bases.push(self.bases.get(at));
        }
        (places.iter().filter_map(|&at| self.uids.get(at).copied()).collect(), bases)
    }

    /// The text of the table, with NEXTUID in ten digits so that it can be raised in place.
    pub fn format(&self) -> Vec<u8> {
        let mut text = format!("1 {} {:010}\n", self.uid_validity, self.uid_next).into_bytes();
        self.format_lines(0, &mut text);
        text
    }

    fn format_lines(&self, from: usize, text: &mut Vec<u8>) {
        for (at, uid) in self.uids.iter().enumerate().skip(from) {
            text.extend_from_slice(uid.to_string().as_bytes());
            text.push(b' ');
            text.extend_from_slice(self.bases.get(at));
            text.push(b'\n');
        }
    }

    /// How many messages have a UID here.
    pub fn len(&self) -> usize {
        self.uids.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.uids.is_empty()
    }

    /// The UIDs, ascending.
    pub fn uids(&self) -> &[u32] {
        &self.uids
    }

    /// The base names, in the order of the UIDs.
    pub fn bases(&self) -> &Names {
        &self.bases
    }

    /// The UIDs of base names, where they have some.
    pub fn uids_of<'a>(&self, bases: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<Option<u32>> {
        // For a few an index does not pay.
        let index = (bases.len() > FEW).then(|| BaseIndex::whole(&self.bases, |_, _| {}));
        let place = |base: &[u8]| match &index {
            Some(index) => index.find(&self.bases, base),
            None => self.bases.iter().position(|known| known == base),
        };
        bases.map(|base| self.uids.get(place(base)?).copied()).collect()
    }

    /// Gives the next UID to a base name. It may be shown only after [`UidTable::save`].
    pub fn add(&mut self, base: &[u8]) -> Result<u32> {
        let uid = self.uid_next;
        self.uid_next = uid.checked_add(1).ok_or(Error::Limit("four billion UIDs"))?;
        self.bases.push(base)?;
        self.uids.push(uid);
        Ok(uid)
    }

    /// Drops the lines whose place is not to be kept: the next save rewrites the file.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let places: Vec<usize> = (0..self.uids.len()).filter(|&at| keep(at)).collect();
        (self.uids, self.bases) = self.pick(&places);
        self.layout.ragged = true;
    }

    /// Gives the folder another UIDVALIDITY; UIDs stay as they are.
    pub(crate) fn renew(&mut self, uid_validity: u32) {
        self.uid_validity = uid_validity;
        self.layout.ragged = true;
    }

    /// Whether the file needs a rewrite before a UID may be added to it.
    pub fn is_ragged(&self) -> bool {
        self.layout.ragged
    }

    /// When and how long the file was when it was read.
    pub fn stamp(&self) -> Stamp {
        self.layout.stamp
    }
}

/// Reads a folder's table.
pub fn read(folder: &Folder) -> Result<Verdict> {
    let file = match folder.dir.open_file(FILE) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Verdict::Missing),
        Err(e) => return Err(e),
    };
    let stat = nix::sys::stat::fstat(&file).map_err(|e| folder.dir.failed(FILE, e))?;
    let bytes = match folder.dir.read_open(FILE, file, LIMIT) {
        Err(Error::Damaged(_, what)) => return Ok(Verdict::Damaged(what)),
        other => other?,
    };
    Ok(match UidTable::parse(&bytes) {
        Ok(mut table) => {
            table.layout.stamp = Stamp { size: bytes.len() as u64, ..Stamp::of(&stat) };
            table.layout.links = stat.st_nlink as u64;
            Verdict::Sound(table)
        }
        Err(why) => Verdict::Damaged(why),
    })
}

/// Whether a save took, or another program replaced the file meanwhile and all must begin again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// On disk: the UIDs may be shown.
    Yes,
    /// The file is another one now; nothing of ours counts.
    Replaced,
}

impl UidTable {
    /// Makes what was added durable. The caller holds the folder's lock.
    pub fn save(&mut self, folder: &Folder) -> Result<Saved> {
        if !self.layout.ragged && self.layout.saved == self.uids.len() {
            return Ok(Saved::Yes);
        }
        match self.layout.next_at {
            Some(at) if !self.layout.ragged && self.layout.links == 1 => self.append(folder, at),
            _ => self.rewrite(folder),
        }
    }

    /// Raises NEXTUID in place and only then adds the lines: found the other way round, Courier gives the same UIDs again.
    fn append(&mut self, folder: &Folder, next_at: u64) -> Result<Saved> {
        let failed = |e: std::io::Error| folder.dir.failed_io(FILE, &e);
        let file = folder.dir.open_regular(FILE, OFlag::O_RDWR)?;
        if !self.is_same(&file).map_err(failed)? {
            return Ok(Saved::Replaced);
        }
        let end = self.layout.stamp.size;
        let mut lines = Vec::new();
        self.format_lines(self.layout.saved, &mut lines);
        file.write_all_at(format!("{:010}", self.uid_next).as_bytes(), next_at).map_err(failed)?;
        file.sync_data().map_err(failed)?;
        if let Err(e) = file.write_all_at(&lines, end).and_then(|()| file.sync_data()) {
            let _ = file.set_len(end);
            return Err(failed(e));
        }
        self.remember(folder, &file)
    }

    fn rewrite(&mut self, folder: &Folder) -> Result<Saved> {
        durable::replace(&folder.tmp, &folder.dir, FILE, &self.format())?;
        self.layout.ragged = false;
        self.layout.next_at = Some(format!("1 {} ", self.uid_validity).len() as u64);
        let file = folder.dir.open_file(FILE)?;
        self.remember(folder, &file)
    }

    fn is_same(&self, file: &File) -> std::io::Result<bool> {
        let now = file.metadata()?;
        let was = self.layout.stamp;
        Ok((now.dev(), now.ino()) == was.identity && now.len() == was.size)
    }

    /// Notes the file's new times, and whether its name still means this very file.
    fn remember(&mut self, folder: &Folder, file: &File) -> Result<Saved> {
        let stat = nix::sys::stat::fstat(file).map_err(|e| folder.dir.failed(FILE, e))?;
        let named = folder.dir.stat(FILE)?;
        if named.is_none_or(|named| Stamp::of(&named).identity != Stamp::of(&stat).identity) {
            return Ok(Saved::Replaced);
        }
        self.layout.stamp = Stamp::of(&stat);
        self.layout.links = stat.st_nlink as u64;
        self.layout.saved = self.uids.len();
        Ok(Saved::Yes)
    }
}

fn parse_line(line: &[u8]) -> Option<(u32, &[u8])> {
    let space = line.iter().position(|&b| b == b' ')?;
    let uid = number(line.get(..space)?).filter(|&uid| uid > 0)?;
    let base = line.get(space + 1..)?;
    (!base.is_empty() && !base.contains(&0)).then_some((uid, base))
}

/// A decimal number of 32 bits, with any number of zeros before it.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
