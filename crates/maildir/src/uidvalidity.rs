//! `daisychain-uidvalidity`: the highest UIDVALIDITY ever given in an account, so that none is given twice.

use crate::error::Result;
use crate::lock::lock_file;
use crate::root::Root;
use crate::unique;
use nix::fcntl::OFlag;
use std::os::unix::fs::FileExt;

const FILE: &[u8] = b"daisychain-uidvalidity";

/// Courier counts its UIDVALIDITY from here; so do we, lest a later Courier go backward.
const EPOCH: u64 = 1_000_000_000;

/// A UIDVALIDITY that the account never had, above `old`; on disk as given when this returns.
pub(crate) fn next(root: &Root, old: u32) -> Result<u32> {
    raise(root, |highest| provisional().max(old.saturating_add(1)).max(highest.saturating_add(1)))
}

/// Notes that a value was in use, before the folder that has it goes.
pub(crate) fn note(root: &Root, used: u32) -> Result<u32> {
    raise(root, |highest| highest.max(used))
}

/// The value by the clock alone, for a folder where nothing can be written.
pub(crate) fn provisional() -> u32 {
    u32::try_from(unique::now().0.saturating_sub(EPOCH)).unwrap_or(u32::MAX - 1).max(1)
}

/// The number is overwritten in place, under the file's own lock: eleven bytes never straddle a sector.
fn raise(root: &Root, to: impl Fn(u32) -> u32) -> Result<u32> {
    let dir = root.dir();
    let file = dir.open_regular(FILE, OFlag::O_RDWR | OFlag::O_CREAT)?;
    lock_file(&file, dir, FILE, root.settings().lock_wait)?;
    let mut text = [0; 10];
    let had = file.read_at(&mut text, 0).map_err(|e| dir.failed_io(FILE, &e))?;
    let highest = text.get(..had).and_then(|t| std::str::from_utf8(t).ok()).and_then(|t| t.trim_end().parse().ok());
    let highest: u32 = highest.unwrap_or(0);
    let value = to(highest);
    if value > highest {
        let written = file.write_all_at(format!("{value:010}\n").as_bytes(), 0).and_then(|()| file.sync_all());
        written.map_err(|e| dir.failed_io(FILE, &e))?;
        if had == 0 {
            dir.sync()?;
        }
    }
    Ok(value)
}
