//! Making, removing and renaming whole folders, so that a crash leaves each of them whole or absent.

use crate::batch::Batch;
use crate::dir::{Dir, FileKind};
use crate::durable::write_synced;
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::folder_name::FolderName;
use crate::lock::FolderLock;
use crate::root::Root;
use crate::uidtable::{self, UidTable, Verdict};
use crate::{acl, keywords, quota, uidvalidity, unique};

/// Directories below a folder that is being removed, at most.
pub(crate) const DEPTH: usize = 8;

/// What a folder on its way to deletion is called, in the account's `tmp/`.
const DOOMED: &[u8] = b"daisychain-deleted";

/// What a folder is called there before it is complete.
const DRAFT: &[u8] = b"daisychain-folder";

/// Whether a directory in `tmp/` is one that this room left there.
pub(crate) fn is_ours(name: &[u8]) -> bool {
    name.ends_with(DOOMED) || name.ends_with(DRAFT)
}

impl Root {
    /// Makes a folder, with a UIDVALIDITY that the account never had.
    pub fn create(&self, name: &FolderName) -> Result<()> {
        if !name.may_be_created() {
            return Err(Error::BadName(name.directory().to_vec()));
        }
        if self.has(name)? {
            return Err(Error::Exists(name.directory().to_vec()));
        }
        let tmp = self.dir().open_dir(b"tmp")?;
        let draft = unique::temporary_name(DRAFT);
        tmp.mkdir(&draft)?;
        let made = self.furnish(&tmp.open_dir(&draft)?, name);
        let made = made.and_then(|()| tmp.rename_new(&draft, self.dir(), name.directory()));
        if made.is_err() {
            let _ = remove_tree(&tmp, &draft, DEPTH);
        }
        made?;
        acl::forget_level(self, name);
        self.dir().sync()
    }

    fn furnish(&self, dir: &Dir, name: &FolderName) -> Result<()> {
        for part in [b"tmp".as_slice(), b"new", b"cur"] {
            dir.mkdir(part)?;
        }
        write_synced(dir, b"maildirfolder", b"")?;
        let table = UidTable::new(uidvalidity::next(self, 0)?);
        write_synced(dir, uidtable::FILE, &table.format())?;
        if let Some(list) = acl::bequeath(self, name)? {
            write_synced(dir, acl::FILE, &list)?;
        }
        dir.sync()
    }

    /// Removes a folder with its messages; its sub-folders stay.
    pub fn delete(&self, name: &FolderName) -> Result<()> {
        self.refuse_to_move(name)?;
        let folder = self.folder(name)?;
        let tmp = self.dir().open_dir(b"tmp")?;
        let doomed = unique::temporary_name(DOOMED);
        {
            // On a full disk neither the lock nor the note can be made, and removing folders is what helps.
            let _lock = unless_full(FolderLock::take(&folder))?;
            unless_full(self.note_uid_validity(name, &folder))?;
            self.dir().rename(name.directory(), &tmp, &doomed)?;
            if let Err(e) = self.dir().sync() {
                move_back(&tmp, &doomed, self.dir(), name);
                return Err(e);
            }
        }
        if let Ok(Some(quota)) = quota::read(self) {
            let _ = quota::recalculate(self, quota.limits);
        }
        // It is deleted now. What cannot be removed is left to the cleaning of tmp.
        let _ = remove_tree(&tmp, &doomed, DEPTH);
        Ok(())
    }

    /// Renames a folder and all below it, or none of them. UIDs stay. Of INBOX the messages move, not the folder.
    pub fn rename(&self, from: &FolderName, to: &FolderName) -> Result<()> {
        if self.has(to)? {
            return Err(Error::Exists(to.directory().to_vec()));
        }
        if !to.may_be_created() {
            return Err(Error::BadName(to.directory().to_vec()));
        }
        if from.is_inbox() {
            return self.move_inbox(to);
        }
        self.refuse_to_move(from)?;
        if to.is_below(from) {
            return Err(Error::Refused(to.directory().to_vec(), "a folder cannot move into itself"));
        }
        let moves = self.moves(from, to)?;
        for (old, new) in &moves {
            self.prepare_to_rename(old, new)?;
        }
        let mut done = 0;
        let renamed = self.rename_all(&moves, &mut done).and_then(|()| self.dir().sync());
        if renamed.is_err() {
            for (old, new) in moves.iter().take(done).rev() {
                move_back(self.dir(), new.directory(), self.dir(), old);
            }
        }
        renamed
    }

    fn rename_all(&self, moves: &[(FolderName, FolderName)], done: &mut usize) -> Result<()> {
        for (old, new) in moves {
            self.dir().rename_new(old.directory(), self.dir(), new.directory())?;
            *done = done.saturating_add(1);
        }
        Ok(())
    }

    /// The folder and all below it with their new names, none of which is taken.
    fn moves(&self, from: &FolderName, to: &FolderName) -> Result<Vec<(FolderName, FolderName)>> {
        let mut moves = Vec::new();
        for old in self.folders()?.into_iter().filter(|folder| folder == from || folder.is_below(from)) {
            let new = old.moved(from, to).ok_or_else(|| Error::BadName(to.directory().to_vec()))?;
            if self.dir().stat(new.directory())?.is_some() {
                return Err(Error::Exists(new.directory().to_vec()));
            }
            moves.push((old, new));
        }
        if moves.is_empty() { Err(Error::Missing(from.directory().to_vec())) } else { Ok(moves) }
    }

    /// What both names' UIDVALIDITY asks for, of all folders before the first one moves.
    fn prepare_to_rename(&self, old: &FolderName, new: &FolderName) -> Result<()> {
        let folder = self.folder(old)?;
        self.note_uid_validity(old, &folder)?;
        self.renew_uid_validity(new, &folder)
    }

    /// Moves every message of INBOX to a new folder, where they get new UIDs.
    fn move_inbox(&self, to: &FolderName) -> Result<()> {
        let inbox = self.folder(&FolderName::INBOX)?;
        let listing = inbox.list()?;
        if let Some(trouble) = listing.trouble {
            return Err(trouble);
        }
        let words = keywords::load(&inbox, |_| true)?;
        self.create(to)?;
        let mut batch = Batch::new(self.folder(to)?);
        let copied = listing.iter().try_for_each(|entry| {
            let base = crate::message_name::base_of(entry.name);
            batch.add_copy(&inbox, entry.name, &words.spell(words.of(base)))
        });
        if let Err(e) = copied.and_then(|()| batch.commit()) {
            let _ = self.delete(to);
            return Err(e);
        }
        for entry in listing.iter() {
            inbox.remove(entry.name)?;
        }
        inbox.sync_expunge()
    }

    /// INBOX and the trash stay where they are.
    fn refuse_to_move(&self, name: &FolderName) -> Result<()> {
        let trash = name.directory().strip_prefix(b".").is_some_and(|name| name == self.settings().trash);
        if name.is_inbox() || trash {
            return Err(Error::Refused(name.directory().to_vec(), "this folder stays"));
        }
        Ok(())
    }

    /// Before a folder leaves its name: what it was known by must not be given to that name again.
    fn note_uid_validity(&self, name: &FolderName, folder: &Folder) -> Result<()> {
        match uidtable::read(folder)? {
            Verdict::Sound(table) => uidvalidity::note_vacated(self, name, table.uid_validity),
            _ => Ok(()),
        }
    }

    /// Before a folder comes to a name: clients that knew another folder of that name must not take it for this one.
    fn renew_uid_validity(&self, to: &FolderName, folder: &Folder) -> Result<()> {
        let _lock = FolderLock::take(folder)?;
        let Verdict::Sound(mut table) = uidtable::read(folder)? else { return Ok(()) };
        if !uidvalidity::was_used(self, to, table.uid_validity)? {
            return Ok(());
        }
        table.renew(uidvalidity::next(self, table.uid_validity)?);
        table.save(folder).map(drop)
    }
}

/// Gives a folder its old name again, by another call where the one that moves elsewhere fails. (The second replaces
/// nothing but an empty directory.)
fn move_back(from: &Dir, now: &[u8], dir: &Dir, name: &FolderName) {
    if from.rename_new(now, dir, name.directory()).is_err() {
        let _ = from.rename(now, dir, name.directory());
    }
}

fn unless_full<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(e) if e.is_full() => Ok(None),
        other => other.map(Some),
    }
}

/// Removes a directory and what is in it, following nothing.
pub(crate) fn remove_tree(parent: &Dir, name: &[u8], depth: usize) -> Result<()> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::Refused(parent.path_of(name), "too many directories in one another"));
    };
    let dir = parent.open_dir(name)?;
    let mut entries = Vec::new();
    dir.list(|entry, kind| {
        entries.push((entry.to_vec(), kind));
        Ok(())
    })?;
    for (entry, kind) in entries {
        if kind == FileKind::Directory {
            remove_tree(&dir, &entry, depth)?;
        } else {
            dir.unlink(&entry)?;
        }
    }
    parent.rmdir(name).map(drop)
}
