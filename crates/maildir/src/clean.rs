//! What crashes leave in `tmp/`, and when it may go.

use crate::dir::{FileKind, is_directory, is_regular};
use crate::error::Result;
use crate::folder::Folder;
use crate::{tree, unique};

/// After this many seconds nobody writes to a temporary file any more.
const OLD: i64 = 36 * 3600;

impl Folder {
    /// Removes files of `tmp/` that are 36 hours old by both their times and the file server's clock, and what is left
    /// of folders that were being made or removed. Gives how many.
    pub fn clean_tmp(&self) -> Result<usize> {
        let mut candidates = Vec::new();
        self.tmp.list(|name, kind| {
            if kind != FileKind::Other {
                candidates.push(name.to_vec());
            }
            Ok(())
        })?;
        // Only where one looks old by our own clock the file server is asked for its time.
        let here = sys::clock::seconds();
        candidates.retain(|name| matches!(self.tmp_age(name, here), Some(age) if age > OLD));
        if candidates.is_empty() {
            return Ok(0);
        }
        let there = self.server_time()?;
        let mut removed = 0;
        for name in candidates {
            if self.tmp_age(&name, there).is_some_and(|age| age > OLD) {
                removed += usize::from(self.remove_old(&name)?);
            }
        }
        Ok(removed)
    }

    fn remove_old(&self, name: &[u8]) -> Result<bool> {
        match self.tmp.stat(name)? {
            Some(stat) if is_regular(&stat) => self.tmp.unlink(name),
            Some(stat) if is_directory(&stat) && tree::is_ours(name) => {
                tree::remove_tree(&self.tmp, name, tree::DEPTH).map(|()| true)
            }
            _ => Ok(false),
        }
    }

    fn tmp_age(&self, name: &[u8], now: i64) -> Option<i64> {
        let stat = self.tmp.stat(name).ok()??;
        Some(now - stat.st_mtime.max(stat.st_ctime))
    }

    fn server_time(&self) -> Result<i64> {
        let name = unique::temporary_name(b"daisychain-clock");
        drop(self.tmp.create(&name)?);
        let stat = self.tmp.stat(&name)?;
        self.tmp.unlink(&name)?;
        Ok(stat.map_or(0, |stat| stat.st_mtime))
    }
}
