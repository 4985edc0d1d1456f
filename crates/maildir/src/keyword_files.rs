//! The directory `courierimapkeywords/`: how several programs change keywords without a lock.
//!
//! A change of one message is a file named as its base name, put there by link(2) so that it never replaces another's.
//! Whoever reads the folder next folds all such files into `:list` and keeps them a while as `.N.BASENAME`, N being the
//! time in units of five minutes, for those who still have the older `:list`.

use crate::dir::{Dir, Stamp};
use crate::durable::replace;
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::keywords::{Keywords, presentable};
use crate::root::Durable;
use crate::unique;
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;
use std::collections::BTreeMap;
use std::io::Write;

const DIRECTORY: &[u8] = b"courierimapkeywords";
const LIST: &[u8] = b":list";
const LIMIT: u64 = 256 << 20;
const UPDATE_LIMIT: u64 = 1 << 20;
/// Seconds in a chunk of time.
const CHUNK: u64 = 300;
/// Files left behind are removed after this many seconds.
const OLD: i64 = 15 * 60;
/// How often all is read again because an update was folded in meanwhile.
const ATTEMPTS: usize = 1000;

/// The update files of one message.
#[derive(Debug, Default)]
struct Updates {
    plain: bool,
    /// The chunk of the newest aged file.
    newest: Option<u64>,
}

/// Reads a folder's keywords and folds the updates of others into `:list`. `known` says which base names are messages.
pub fn load(folder: &Folder, known: impl Fn(&[u8]) -> bool) -> Result<Keywords> {
    let Some(dir) = directory(folder)? else { return Ok(settled(Keywords::default())) };
    for _ in 0..ATTEMPTS {
        if let Some(keywords) = load_once(folder, &dir, &known)? {
            return Ok(keywords);
        }
    }
    Err(Error::InUse(dir.label().to_vec()))
}

fn settled(mut keywords: Keywords) -> Keywords {
    keywords.settle();
    keywords
}

/// The directory, where there is one.
pub fn directory(folder: &Folder) -> Result<Option<Dir>> {
    match folder.dir.open_dir(DIRECTORY) {
        Ok(dir) => Ok(Some(dir)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// One attempt; nothing where an update vanished while it was opened.
fn load_once(folder: &Folder, dir: &Dir, known: &impl Fn(&[u8]) -> bool) -> Result<Option<Keywords>> {
    let updates = updates_in(dir)?;
    let mut keywords = Keywords::parse(&dir.read(LIST, LIMIT)?.unwrap_or_default());
    for (base, update) in &updates {
        let file = if update.plain { base.clone() } else { aged(base, update.newest.unwrap_or(0)) };
        let Some(text) = dir.read(&file, UPDATE_LIMIT)? else { return Ok(None) };
        let words = text.split(|&b| b == b'\n').filter(|word| !word.is_empty());
        let set = words.filter_map(|word| keywords.intern(&presentable(word))).collect();
        keywords.put(base, set)?;
    }
    keywords.settle();
    let stale = keywords.iter().any(|(base, _)| !updates.contains_key(base) && !known(base));
    // Folding in is a service to the next reader: a folder that cannot be written is read all the same.
    if stale || updates.values().any(|update| update.plain) {
        let _ = fold(folder, dir, &keywords, &updates, known);
    }
    let _ = tidy(dir, &updates, known);
    Ok(Some(keywords))
}

fn updates_in(dir: &Dir) -> Result<BTreeMap<Vec<u8>, Updates>> {
    let mut updates: BTreeMap<Vec<u8>, Updates> = BTreeMap::new();
    let mut outdone = Vec::new();
    dir.list(|name, _| {
        if name == LIST || name.starts_with(b".tmp.") {
            return Ok(());
        }
        let Some((chunk, base)) = parse_aged(name) else {
            if !name.starts_with(b".") {
                updates.entry(name.to_vec()).or_default().plain = true;
            }
            return Ok(());
        };
        let update = updates.entry(base.to_vec()).or_default();
        let (low, high) = (update.newest.min(Some(chunk)), update.newest.max(Some(chunk)));
        outdone.extend(low.filter(|_| low != high).map(|chunk| aged(base, chunk)));
        update.newest = high;
        Ok(())
    })?;
    for name in outdone {
        let _ = dir.unlink(&name);
    }
    Ok(updates)
}

/// Writes the new `:list` first, then gives each update its age.
fn fold(
    folder: &Folder,
    dir: &Dir,
    keywords: &Keywords,
    updates: &BTreeMap<Vec<u8>, Updates>,
    known: &impl Fn(&[u8]) -> bool,
) -> Result<()> {
    replace(&folder.tmp, dir, LIST, &keywords.format(known))?;
    for (base, update) in updates.iter().filter(|(_, update)| update.plain) {
        let chunk = (unique::now().0 / CHUNK + 1).max(update.newest.unwrap_or(0));
        touch(dir, base)?;
        dir.rename(base, dir, &aged(base, chunk))?;
    }
    Ok(())
}

fn touch(dir: &Dir, name: &[u8]) -> Result<()> {
    let now = TimeSpec::UTIME_NOW;
    utimensat(dir, name, &now, &now, UtimensatFlags::NoFollowSymlink).map_err(|e| dir.failed(name, e))
}

/// Removes what nobody needs any more: files of 15 minutes ago, aged or of no message or half written.
fn tidy(dir: &Dir, updates: &BTreeMap<Vec<u8>, Updates>, known: &impl Fn(&[u8]) -> bool) -> Result<()> {
    let mut old = Vec::new();
    dir.list(|name, _| {
        let lone = parse_aged(name).is_some_and(|(_, base)| updates.get(base).is_some_and(|update| !update.plain));
        let orphan = name != LIST && !name.starts_with(b".") && !known(name);
        if lone || orphan || name.starts_with(b".tmp.") {
            old.push(name.to_vec());
        }
        Ok(())
    })?;
    let now = i64::try_from(unique::now().0).unwrap_or(0);
    for name in old {
        let modified = dir.stat(&name)?.map_or(now, |stat| stat.st_mtime);
        if now.saturating_sub(modified) > OLD {
            dir.unlink(&name)?;
        }
    }
    Ok(())
}

/// Asks for a message's keywords to become `words`, its data on disk when this returns. False where another program's
/// change of the same message waits to be read: load again, and try again.
pub fn write_update(folder: &Folder, base: &[u8], words: &[Vec<u8>]) -> Result<bool> {
    let mut changes = Changes::begin(folder)?;
    changes.add(base, words)?;
    Ok(changes.commit()?.first() == Some(&true))
}

/// Changes of many messages' keywords, with few syncs.
#[derive(Debug)]
pub struct Changes<'f> {
    folder: &'f Folder,
    dir: Dir,
    /// Names in `tmp/`, and the base names they are for.
    waiting: Vec<(Vec<u8>, Vec<u8>)>,
}

/// So many files are synced one by one; with more the whole file system is, once: each fsync(2) is a flush of the disk,
/// even where the journal has the file already.
pub(crate) const FEW: usize = 16;

impl<'f> Changes<'f> {
    /// No changes yet.
    pub fn begin(folder: &'f Folder) -> Result<Changes<'f>> {
        Ok(Changes { folder, dir: make(folder)?, waiting: Vec::new() })
    }

    /// A message's keywords are to become `words`.
    pub fn add(&mut self, base: &[u8], words: &[Vec<u8>]) -> Result<()> {
        let name = unique::temporary_name(b"daisychain-keywords");
        let mut text = words.join(&b'\n');
        if !words.is_empty() {
            text.push(b'\n');
        }
        let mut file = self.folder.tmp.create(&name)?;
        self.waiting.push((name, base.to_vec()));
        let written = file.write_all(&text);
        let one_by_one = self.waiting.len() <= FEW && self.is_durable();
        let written = written.and_then(|()| if one_by_one { file.sync_all() } else { Ok(()) });
        written.map_err(|e| self.folder.tmp.failed_io(base, &e))
    }

    /// Puts all changes where readers look, their data being on disk. False for each message for which another
    /// program's change waits to be read: load again, and try again. Then [`sync`].
    pub fn commit(mut self) -> Result<Vec<bool>> {
        if self.waiting.len() > FEW && self.is_durable() {
            nix::unistd::syncfs(&self.dir).map_err(|e| self.dir.failed(b"", e))?;
        }
        let waiting = std::mem::take(&mut self.waiting);
        let linked = waiting.iter().map(|(name, base)| self.link(name, base)).collect();
        waiting.iter().for_each(|(name, _)| drop(self.folder.tmp.unlink(name)));
        linked
    }

    /// By link(2), which never replaces what another program put there.
    fn link(&self, name: &[u8], base: &[u8]) -> Result<bool> {
        match self.folder.tmp.link(name, &self.dir, base) {
            Ok(()) => Ok(true),
            // A network file system may have lost its first answer.
            Err(Error::Exists(_)) => Ok(self.folder.tmp.stat(name)?.is_some_and(|stat| stat.st_nlink == 2)),
            Err(e) => Err(e),
        }
    }

    fn is_durable(&self) -> bool {
        self.folder.root().settings().durable == Durable::All
    }
}

impl Drop for Changes<'_> {
    fn drop(&mut self) {
        self.waiting.iter().for_each(|(name, _)| drop(self.folder.tmp.unlink(name)));
    }
}

/// Makes changed keywords durable: once a command, before it is acknowledged.
pub fn sync(folder: &Folder) -> Result<()> {
    if folder.root().settings().durable < Durable::All {
        return Ok(());
    }
    directory(folder)?.map_or(Ok(()), |dir| dir.sync())
}

/// The times of the directory, where there is one: unchanged, no keyword has changed.
pub fn stamp(folder: &Folder) -> Result<Option<Stamp>> {
    directory(folder)?.map(|dir| dir.stamp()).transpose()
}

/// The directory, made where it is missing, open to whom the maildir is open.
fn make(folder: &Folder) -> Result<Dir> {
    if let Some(dir) = directory(folder)? {
        return Ok(dir);
    }
    match folder.dir.mkdir(DIRECTORY) {
        Ok(()) | Err(Error::Exists(_)) => {}
        Err(e) => return Err(e),
    }
    let dir = folder.dir.open_dir(DIRECTORY)?;
    let mode = nix::sys::stat::Mode::from_bits_truncate(folder.dir.own_stat()?.st_mode & 0o777);
    nix::sys::stat::fchmod(&dir, mode).map_err(|e| dir.failed(b"", e))?;
    folder.dir.sync()?;
    Ok(dir)
}

fn aged(base: &[u8], chunk: u64) -> Vec<u8> {
    [format!(".{chunk}.").as_bytes(), base].concat()
}

/// The chunk and base name of `.N.BASENAME`.
fn parse_aged(name: &[u8]) -> Option<(u64, &[u8])> {
    let rest = name.strip_prefix(b".")?;
    let dot = rest.iter().position(|&b| b == b'.')?;
    let (digits, base) = (rest.get(..dot)?, rest.get(dot + 1..)?);
    if base.is_empty() || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, base))
}
