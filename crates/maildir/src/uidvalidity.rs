//! `daisychain-uidvalidity`: the highest UIDVALIDITY ever given in an account, so that none is given twice.

use crate::durable;
use crate::error::Result;
use crate::folder_name::FolderName;
use crate::lock::lock_file;
use crate::root::Root;
use crate::unique;
use nix::fcntl::OFlag;
use std::os::unix::fs::FileExt;

const FILE: &[u8] = b"daisychain-uidvalidity";

/// Names that folders left, with the UIDVALIDITY that they had there: `VALUE .NAME`, the latest last.
const VACATED: &[u8] = b"daisychain-vacated";
const REMEMBERED: usize = 999;
const LIMIT: u64 = 1 << 20;

/// Courier counts its UIDVALIDITY from here; so do we, lest a later Courier go backward.
const EPOCH: u64 = 1_000_000_000;

/// A UIDVALIDITY that the account never had, above `old`; on disk as given when this returns.
pub(crate) fn next(root: &Root, old: u32) -> Result<u32> {
    raise(root, |highest| provisional().max(old.saturating_add(1)).max(highest.saturating_add(1)))
}

/// Notes that a value was in use.
pub(crate) fn note(root: &Root, used: u32) -> Result<u32> {
    raise(root, |highest| highest.max(used))
}

/// Notes that a name had this value, before its folder goes or gets another name. Courier gives one value to all folders
/// made in one second: a second of them must not come to the name of the first.
pub(crate) fn note_vacated(root: &Root, name: &FolderName, used: u32) -> Result<()> {
    note(root, used)?;
    let text = root.dir().read(VACATED, LIMIT)?.unwrap_or_default();
    let line = vacated_line(name, used);
    if has_line(&text, &line) {
        return Ok(());
    }
    let old = text.split_inclusive(|&b| b == b'\n');
    let kept: Vec<u8> = old.clone().skip(old.count().saturating_sub(REMEMBERED)).flatten().copied().collect();
    durable::replace(&root.dir().open_dir(b"tmp")?, root.dir(), VACATED, &[kept, line].concat())
}

/// Whether the name ever had this value.
pub(crate) fn was_used(root: &Root, name: &FolderName, value: u32) -> Result<bool> {
    let text = root.dir().read(VACATED, LIMIT)?.unwrap_or_default();
    Ok(has_line(&text, &vacated_line(name, value)))
}

fn vacated_line(name: &FolderName, value: u32) -> Vec<u8> {
    [value.to_string().as_bytes(), b" ", name.directory(), b"\n"].concat()
}

fn has_line(text: &[u8], line: &[u8]) -> bool {
    text.split_inclusive(|&b| b == b'\n').any(|have| have == line)
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
