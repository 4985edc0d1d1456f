//! Doing what was asked for.

use crate::request::{Access, Request};
use maildir::{Error, FolderName, Result, Root, Settings, quota};
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Makes the maildir, or the folder in it, and sets the quota.
pub fn make(request: &Request) -> Result<()> {
    let is_there = request.maildir.join("cur").is_dir();
    match (&request.folder, request.quota) {
        (Some(folder), _) => make_folder(&request.maildir, folder, request.access)?,
        // A quota is set in the maildir that is there.
        (None, Some(_)) if is_there => {}
        (None, _) => make_maildir(&request.maildir, request.sharable)?,
    }
    match request.quota {
        Some(limits) => quota::set(&Root::open(&request.maildir, Settings::default())?, limits),
        None => Ok(()),
    }
}

fn make_maildir(path: &Path, sharable: bool) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(Error::Exists(path.as_os_str().as_encoded_bytes().to_vec()));
    }
    Root::make(path)?;
    if sharable { allow(path, 0o755) } else { Ok(()) }
}

fn make_folder(path: &Path, name: &[u8], access: Option<Access>) -> Result<()> {
    let directory = [b".", name].concat();
    let folder = FolderName::from_directory(&directory).ok_or_else(|| Error::BadName(name.to_vec()))?;
    let root = Root::open(path, Settings::default())?;
    // A folder is made in a maildir, not in another folder's parent or anywhere.
    root.dir().open_dir(b"cur")?;
    root.create(&folder)?;
    let Some((outside, inside)) = access.map(Access::modes) else { return Ok(()) };
    let place = path.join(OsStr::from_bytes(&directory));
    for part in ["tmp", "new", "cur"] {
        allow(&place.join(part), inside)?;
    }
    allow(&place, outside)
}

fn allow(path: &Path, mode: u32) -> Result<()> {
    let failed = |e: std::io::Error| Error::of(path.as_os_str().as_encoded_bytes(), &e);
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed)
}
