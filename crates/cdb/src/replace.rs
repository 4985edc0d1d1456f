//! A file that appears under its name whole and on disk, or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A new file under a temporary name; [`commit`](Replacement::commit) gives it its own. Dropped before that, it is removed.
///
/// The temporary name belongs to one writer at a time: the caller holds a lock where there may be several.
#[derive(Debug)]
pub struct Replacement {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    committed: bool,
}

impl Replacement {
    /// Creates `temporary`, which must lie in the directory of `target`. What a crashed writer left there is removed.
    pub fn create(target: &Path, temporary: &Path, mode: u32) -> io::Result<Replacement> {
        match fs::remove_file(temporary) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(temporary)?;
        let replacement =
            Replacement { file, temporary: temporary.to_owned(), target: target.to_owned(), committed: false };
        // The umask may have taken bits away.
        replacement.file.set_permissions(Permissions::from_mode(mode))?;
        Ok(replacement)
    }

    /// The file under its temporary name, for owner and positioned writes.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Syncs the file, renames it over the target and syncs the directory.
    pub fn commit(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.target)?;
        self.committed = true;
        let directory = match self.target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(directory)?.sync_all()
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing can be done about a failure here; the next writer removes the file.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
