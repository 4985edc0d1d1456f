//! The one way a small file is replaced: whole, or not at all, and on disk when it returns.

use crate::dir::Dir;
use crate::error::Result;
use crate::unique;
use std::io::Write;

/// Writes `bytes` to `dir/name` by way of `tmp`: write, fsync, rename over, fsync the directory.
///
/// On any failure the old file stands untouched and the temporary one is removed.
pub fn replace(tmp: &Dir, dir: &Dir, name: &[u8], bytes: &[u8]) -> Result<()> {
    let temporary = unique::temporary_name(b"daisychain");
    let written = write_synced(tmp, &temporary, bytes).and_then(|()| tmp.rename(&temporary, dir, name));
    if written.is_err() {
        let _ = tmp.unlink(&temporary);
    }
    written?;
    dir.sync()
}

/// Writes a new file and syncs its data; the directory is the caller's to sync.
pub(crate) fn write_synced(dir: &Dir, name: &[u8], bytes: &[u8]) -> Result<()> {
    let mut file = dir.create(name)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|e| dir.failed_io(name, &e))
}
