//! A folder's lock: ours first, then Courier's.
//!
//! Among our own an open-file-description lock on `daisychain-lock`, which dies with its holder; then Courier's dot-lock
//! `tmp/courier.lock`, a second link to a file that holds `PID:HOST`. Always in this order, one folder at a time.

use crate::dir::Dir;
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::unique;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use std::fs::File;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

const OURS: &[u8] = b"daisychain-lock";
const COURIERS: &[u8] = b"courier.lock";

/// A lock of another host is taken for abandoned after this long.
const STALE: i64 = 120;

/// Held until dropped.
#[derive(Debug)]
pub struct FolderLock<'f> {
    folder: &'f Folder,
    /// Its lock goes with its descriptor.
    _ours: File,
    dotted: bool,
}

impl<'f> FolderLock<'f> {
    /// Takes both locks, waiting as long as the settings say.
    pub fn take(folder: &'f Folder) -> Result<FolderLock<'f>> {
        let settings = folder.root().settings();
        let deadline = Instant::now() + settings.lock_wait;
        let file = folder.dir.open_regular(OURS, OFlag::O_RDWR | OFlag::O_CREAT)?;
        lock_file(&file, &folder.dir, OURS, settings.lock_wait)?;
        let mut lock = FolderLock { folder, _ours: file, dotted: false };
        if settings.use_locks {
            wait(deadline, || take_dot_lock(&folder.tmp, &settings.host), || folder.tmp.path_of(COURIERS))?;
            lock.dotted = true;
        }
        Ok(lock)
    }
}

impl Drop for FolderLock<'_> {
    fn drop(&mut self) {
        if self.dotted && self.folder.tmp.unlink(COURIERS).is_err() {
            // Others would wait for as long as this process lives.
            let _ = self.folder.tmp.unlink(COURIERS);
        }
    }
}

/// Locks a whole open file against our other processes; the lock goes when the file is closed.
pub(crate) fn lock_file(file: &File, dir: &Dir, name: &[u8], patience: Duration) -> Result<()> {
    let attempt = || sys::lock::attempt(file.as_fd(), sys::lock::Kind::Exclusive).map_err(|e| dir.failed_io(name, &e));
    wait(Instant::now() + patience, attempt, || dir.path_of(name))
}

/// Tries until it succeeds or the time is up, waiting a little longer each time.
fn wait(deadline: Instant, attempt: impl Fn() -> Result<bool>, object: impl Fn() -> Vec<u8>) -> Result<()> {
    let mut pause = Duration::from_millis(1);
    while !attempt()? {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::InUse(object()));
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(100));
    }
    Ok(())
}

fn take_dot_lock(tmp: &Dir, host: &[u8]) -> Result<bool> {
    let name = unique::temporary_name(b"courierlock");
    let content = [std::process::id().to_string().as_bytes(), b":", host].concat();
    let taken = write_lock(tmp, &name, &content).and_then(|()| link_lock(tmp, &name, host));
    // Left behind it is cleaned away in time; the lock is held, or not, all the same.
    let _ = tmp.unlink(&name);
    taken
}

fn link_lock(tmp: &Dir, name: &[u8], host: &[u8]) -> Result<bool> {
    match tmp.link(name, tmp, COURIERS) {
        Ok(()) => return Ok(true),
        Err(Error::Exists(_)) => {}
        Err(e) => return Err(e),
    }
    // A network file system may have lost its first answer.
    if tmp.stat(name)?.is_some_and(|stat| stat.st_nlink == 2) {
        return Ok(true);
    }
    if is_stale(tmp, name, host)? {
        tmp.unlink(COURIERS)?;
    }
    Ok(false)
}

/// A lock need not survive a power cut, so its file is not synced.
fn write_lock(tmp: &Dir, name: &[u8], content: &[u8]) -> Result<()> {
    use std::io::Write;
    tmp.create(name)?.write_all(content).map_err(|e| tmp.failed_io(name, &e))
}

/// Whether the standing lock was left behind: its process is gone, or it is of another host and old by the file
/// server's clock, which our own fresh file tells.
fn is_stale(tmp: &Dir, fresh: &[u8], host: &[u8]) -> Result<bool> {
    let Some(content) = tmp.read(COURIERS, 1024)? else { return Ok(false) };
    let holder = content.split(|&b| b == b'\n').next().unwrap_or(b"");
    let Some(colon) = holder.iter().position(|&b| b == b':') else { return is_old(tmp, fresh) };
    let (pid, held_by) = (holder.get(..colon).unwrap_or(b""), holder.get(colon + 1..).unwrap_or(b""));
    if held_by != host {
        return is_old(tmp, fresh);
    }
    let pid = std::str::from_utf8(pid).ok().and_then(|pid| pid.parse::<i32>().ok()).filter(|&pid| pid > 0);
    let Some(pid) = pid else { return is_old(tmp, fresh) };
    // Our own lock cannot stand here: we hold the other lock and have not linked yet.
    let gone = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None) == Err(Errno::ESRCH);
    Ok(gone || pid.unsigned_abs() == std::process::id())
}

fn is_old(tmp: &Dir, fresh: &[u8]) -> Result<bool> {
    let (held, now) = (tmp.stat(COURIERS)?, tmp.stat(fresh)?);
    Ok(held.zip(now).is_some_and(|(held, now)| now.st_mtime - held.st_mtime > STALE))
}
