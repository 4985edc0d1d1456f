//! One open folder: its directories, and what happens to a single message in it.

use crate::dir::Dir;
use crate::error::{Error, Result};
use crate::folder_name::FolderName;
use crate::message_name::{Flags, MessageName, base_of};
use crate::quota::{self, Usage};
use crate::root::{Durable, Root};
use std::cell::Cell;
use std::fs::File;

/// An open folder.
#[derive(Debug)]
pub struct Folder {
    root: Root,
    name: FolderName,
    pub(crate) dir: Dir,
    pub(crate) cur: Dir,
    pub(crate) new: Dir,
    pub(crate) tmp: Dir,
    /// What changed flags and removals changed of the quota, until the next sync.
    owed: Cell<Usage>,
    /// Whether anybody counts, as far as is known since the last sync.
    has_quota: Cell<Option<bool>>,
}

/// What became of a message whose flags were to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renamed {
    /// The file has this name now.
    To(Vec<u8>),
    /// The flags were so already; the file has this name.
    Unchanged(Vec<u8>),
    /// The message was not found; only two scans can tell whether it is gone.
    NotFound,
}

/// How often a message that another program keeps renaming is looked up again.
const ATTEMPTS: usize = 10;

impl Folder {
    pub(crate) fn open(root: &Root, name: &FolderName) -> Result<Folder> {
        let absent = |e: Error| match e.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                Error::Missing(name.directory().to_vec())
            }
            _ => e,
        };
        let directory = if name.is_inbox() { b".".as_slice() } else { name.directory() };
        let dir = root.dir().open_self_or_dir(directory).map_err(absent)?;
        let (cur, new, tmp) = (dir.open_dir(b"cur"), dir.open_dir(b"new"), dir.open_dir(b"tmp"));
        Ok(Folder {
            root: root.clone(),
            name: name.clone(),
            cur: cur.map_err(absent)?,
            new: new?,
            tmp: tmp?,
            dir,
            owed: Cell::default(),
            has_quota: Cell::default(),
        })
    }

    /// The account.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The folder's name.
    pub fn name(&self) -> &FolderName {
        &self.name
    }

    /// The folder's own directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The directory of the messages that somebody has seen.
    pub fn cur(&self) -> &Dir {
        &self.cur
    }

    /// The directory of fresh deliveries.
    pub fn new_dir(&self) -> &Dir {
        &self.new
    }

    /// Whether any message lacks the seen flag; stops at the first that does.
    pub fn has_unseen(&self) -> Result<bool> {
        let unseen =
            |name: &[u8], _| Ok(!name.starts_with(b".") && !MessageName::parse(name).flags().contains(Flags::SEEN));
        Ok(self.new.find(unseen)? || self.cur.find(unseen)?)
    }

    /// Opens a message of `cur/`; where its flags changed meanwhile, by its base name. Gives the name it has now.
    pub fn open_message(&self, name: &[u8]) -> Result<(File, Vec<u8>)> {
        let mut name = name.to_vec();
        for _ in 0..ATTEMPTS {
            match self.cur.open_file(&name) {
                Ok(file) => return Ok((file, name)),
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
                Err(_) => match self.find(&name)? {
                    Some(found) => name = found,
                    None => break,
                },
            }
        }
        Err(Error::Missing(self.cur.path_of(&name)))
    }

    /// The present file name of the message with this name's base, from one look through `cur/`.
    pub fn find(&self, name: &[u8]) -> Result<Option<Vec<u8>>> {
        let base = base_of(name);
        let mut found = None;
        self.cur.list(|entry, _| {
            if base_of(entry) == base {
                found = Some(entry.to_vec());
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Changes a message's flags by renaming its file, finding it again where another program renamed it first.
    ///
    /// Call [`Folder::sync_flags`] once after the last of a command.
    pub fn change_flags(&self, name: &[u8], change: impl Fn(Flags) -> Flags) -> Result<Renamed> {
        let mut name = name.to_vec();
        for _ in 0..ATTEMPTS {
            let parsed = MessageName::parse(&name);
            let wanted = change(parsed.flags());
            if wanted == parsed.flags() && self.cur.stat(&name)?.is_some() {
                return Ok(Renamed::Unchanged(name));
            }
            let to = parsed.with_flags(wanted);
            match self.cur.rename(&name, &self.cur, &to) {
                Ok(()) => {
                    self.owe_for_mark(parsed.flags(), wanted, &to);
                    return Ok(Renamed::To(to));
                }
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
                Err(_) => match self.find(&name)? {
                    Some(found) => name = found,
                    None => return Ok(Renamed::NotFound),
                },
            }
        }
        Ok(Renamed::NotFound)
    }

    /// Makes changed flags durable: once a command, before it is acknowledged.
    pub fn sync_flags(&self) -> Result<()> {
        self.settle_quota();
        if self.root.settings().durable == Durable::All { self.cur.sync() } else { Ok(()) }
    }

    /// Removes a message from `cur/`, under whatever flags it has now; false where it was gone already.
    ///
    /// Call [`Folder::sync_expunge`] once after the last of a command.
    pub fn remove(&self, name: &[u8]) -> Result<bool> {
        let mut name = name.to_vec();
        for _ in 0..ATTEMPTS {
            if self.remove_from(&self.cur, &name)? {
                return Ok(true);
            }
            match self.find(&name)? {
                Some(found) => name = found,
                None => return Ok(false),
            }
        }
        Err(Error::InUse(self.cur.path_of(&name)))
    }

    /// Removes a message from `cur/` under exactly this name: with other flags it stays. False where it is not there.
    ///
    /// Call [`Folder::sync_expunge`] once after the last of a command.
    pub fn remove_exactly(&self, name: &[u8]) -> Result<bool> {
        self.remove_from(&self.cur, name)
    }

    /// Removes one file under exactly this name, from `cur/` or `new/`.
    pub(crate) fn remove_from(&self, dir: &Dir, name: &[u8]) -> Result<bool> {
        let size = self.size_in_quota(dir, name);
        let removed = dir.unlink(name)?;
        if removed {
            self.owe(size.negated());
        }
        Ok(removed)
    }

    /// Moves a message to another folder of the account, with another name.
    pub(crate) fn move_away(&self, name: &[u8], to: &Folder, to_name: &[u8]) -> Result<()> {
        let size = self.size_in_quota(&self.cur, name);
        self.cur.rename_new(name, &to.cur, to_name)?;
        self.owe(size.negated());
        to.owe(to.size_in_quota(&to.cur, to_name));
        Ok(())
    }

    /// Makes removals durable: once a command, before it is acknowledged.
    pub fn sync_expunge(&self) -> Result<()> {
        self.settle_quota();
        if self.root.settings().durable >= Durable::Append { self.cur.sync() } else { Ok(()) }
    }

    /// What the message counts in the quota under this name.
    fn size_in_quota(&self, dir: &Dir, name: &[u8]) -> Usage {
        let has_quota = self.has_quota.get().unwrap_or_else(|| quota::counts(&self.name) && self.root.has_quota());
        self.has_quota.set(Some(has_quota));
        if !has_quota {
            return Usage::default();
        }
        quota::counted_size(dir, name).unwrap_or_default()
    }

    /// Messages that are marked deleted do not count.
    fn owe_for_mark(&self, before: Flags, now: Flags, name: &[u8]) {
        let marked = now.contains(Flags::TRASHED);
        if marked == before.contains(Flags::TRASHED) || !quota::counts(&self.name) || !self.root.has_quota() {
            return;
        }
        let size = quota::size_of(&self.cur, name).unwrap_or_default();
        self.owe(if marked { size.negated() } else { size });
    }

    fn owe(&self, change: Usage) {
        self.owed.set(self.owed.get().plus(change));
    }

    /// The count is repaired by itself where this fails, so no command fails for it.
    fn settle_quota(&self) {
        let _ = quota::add(&self.root, self.owed.take());
        self.has_quota.set(None);
    }
}
