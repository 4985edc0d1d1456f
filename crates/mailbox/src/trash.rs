//! The trash folder: where expunged messages go if the administrator wants so, and its emptying.

use maildir::{Batch, Flags, Folder, FolderName, Root};

use crate::Error;

const DAY: i64 = 86_400;

/// Put messages into the trash, without their deleted and draft marks and without their keywords, as Courier does.
/// They stay where they are as well: the caller removes them.
pub(crate) fn take(from: &Folder, names: &[Vec<u8>], trash: &FolderName) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    let root = from.root();
    if !root.has(trash) {
        match root.create(trash) {
            Ok(()) | Err(maildir::Error::Exists(_)) => {}
            Err(e) => return Err(e.into()),
        }
    }
    let mut batch = Batch::new(root.folder(trash)?);
    for name in names {
        match batch.add_copy_without(from, name, &[], Flags::TRASHED | Flags::DRAFT) {
            // Expunged by somebody else meanwhile.
            Err(maildir::Error::Missing(_)) => {}
            other => other?,
        }
    }
    if !batch.is_empty() {
        batch.commit()?;
    }
    Ok(())
}

/// Remove what lies in a folder for more than so many days (`IMAP_EMPTYTRASH`), counted from its arrival there or the
/// last change of its flags.
pub fn purge(root: &Root, name: &FolderName, days: u32) -> Result<(), Error> {
    if !root.has(name) {
        return Ok(());
    }
    let folder = root.folder(name)?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    let oldest = i64::try_from(now).unwrap_or(0) - i64::from(days) * DAY;
    let mut any = false;
    for entry in folder.list()?.iter().filter(|entry| entry.seen) {
        if folder.cur().stat(entry.name)?.is_some_and(|stat| stat.st_ctime < oldest) {
            any |= folder.cur().unlink(entry.name)?;
        }
    }
    if any { Ok(folder.sync_expunge()?) } else { Ok(()) }
}
