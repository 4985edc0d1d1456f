//! The trash: expunged mail kept for a while, where the administrator wants that.

use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::folder_name::FolderName;
use crate::message_name::{Flags, MessageName};
use crate::root::Root;

const DAY: i64 = 86_400;

impl Root {
    /// The trash folder, by `IMAP_TRASHFOLDERNAME`.
    pub fn trash(&self) -> Result<FolderName> {
        let directory = [b".", self.settings().trash.as_slice()].concat();
        FolderName::from_directory(&directory).ok_or(Error::BadName(directory))
    }
}

/// Where expunged messages go. Made on demand.
#[derive(Debug)]
pub struct Trash {
    folder: Folder,
}

impl Trash {
    /// Opens the account's trash, and makes it where it is missing.
    pub fn open(root: &Root) -> Result<Trash> {
        let name = root.trash()?;
        match root.create(&name) {
            Ok(()) | Err(Error::Exists(_)) => {}
            Err(e) => return Err(e),
        }
        Ok(Trash { folder: root.folder(&name)? })
    }

    /// Moves a message there, without the flags that mark it deleted; false where it was gone already.
    ///
    /// Call [`Trash::sync`] before [`Folder::sync_expunge`] of the folder it came from.
    pub fn take(&self, from: &Folder, name: &[u8]) -> Result<bool> {
        let (file, name) = match from.open_message(name) {
            Ok(found) => found,
            Err(Error::Missing(_)) => return Ok(false),
            Err(e) => return Err(e),
        };
        drop(file);
        let kept = Trash::name_there(&name);
        match from.move_away(&name, &self.folder, &kept) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// The file name that a message has there.
    pub fn name_there(name: &[u8]) -> Vec<u8> {
        let parsed = MessageName::parse(name);
        parsed.with_flags(parsed.flags() & !(Flags::TRASHED | Flags::DRAFT))
    }

    /// Makes what was taken durable.
    pub fn sync(&self) -> Result<()> {
        self.folder.sync_expunge()
    }
}

/// Deletes messages that came to a folder, or changed there, more than `days` ago (`IMAP_EMPTYTRASH`); a day at least.
/// Gives how many.
pub fn purge(root: &Root, name: &FolderName, days: u32) -> Result<usize> {
    let folder = match root.folder(name) {
        Err(Error::Missing(_)) => return Ok(0),
        other => other?,
    };
    let oldest = sys::clock::seconds() - i64::from(days.max(1)) * DAY;
    let mut removed = 0;
    for dir in [&folder.cur, &folder.new] {
        let mut old = Vec::new();
        dir.list(|entry, _| {
            if !entry.starts_with(b".") && dir.stat(entry)?.is_some_and(|stat| stat.st_ctime < oldest) {
                old.push(entry.to_vec());
            }
            Ok(())
        })?;
        for entry in old {
            removed += usize::from(folder.remove_from(dir, &entry)?);
        }
    }
    if removed > 0 {
        folder.sync_expunge()?;
    }
    Ok(removed)
}
