//! The envdir: one file a setting, in the form that daemontools' `envdir` turns back into the same bytes.

use crate::message::{Failure, warn};
use crate::settings::{Pair, Settings};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fchmod, fstat, fstatat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchown, fsync, geteuid, unlinkat};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// s6-envdir reads this much of a file by default.
const S6_LIMIT: usize = 4096;

/// Makes the directory equal to the settings: new and changed files one by one and each in one step, then the files
/// of settings that are no more. A reader in between sees every setting either old or new. Nothing changed, nothing
/// written.
pub fn write(path: &Path, settings: &Settings, lenient: bool) -> Result<(), Failure> {
    let directory = Directory::open(path)?;
    let contents = contents(settings, lenient)?;
    let stale = directory.stale(settings)?;
    let changed: Vec<&Pair> = contents.iter().filter(|(name, content)| !directory.holds(name, content)).collect();
    for (name, content) in &changed {
        directory.replace(name, content)?;
    }
    for name in &stale {
        unlinkat(&directory.handle, name.as_slice(), UnlinkatFlags::NoRemoveDir)
            .map_err(|error| directory.failure("remove", name, error))?;
    }
    if !(changed.is_empty() && stale.is_empty()) {
        fsync(&directory.handle).map_err(|error| directory.failure("sync", b"", error))?;
    }
    Ok(())
}

/// Whether the directory differs from the settings.
pub fn differs(path: &Path, settings: &Settings, lenient: bool) -> Result<bool, Failure> {
    let directory = Directory::open(path)?;
    let contents = contents(settings, lenient)?;
    let changed = contents.iter().any(|(name, content)| !directory.holds(name, content));
    Ok(changed || !directory.stale(settings)?.is_empty())
}

/// Each name with the content of its file: newlines as NUL, one newline behind. So an empty value is a file of one
/// newline (a file of no bytes would remove the variable).
fn contents(settings: &Settings, lenient: bool) -> Result<Vec<Pair>, Failure> {
    settings.iter().map(|(name, value)| Ok((name.to_vec(), content(name, value, lenient)?))).collect()
}

fn content(name: &[u8], value: &[u8], lenient: bool) -> Result<Vec<u8>, Failure> {
    let kept = value.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last.saturating_add(1));
    if kept < value.len() {
        const BLANKS: &str = "envdir takes the blanks at the end of the value away";
        if !lenient {
            return Err(Failure::value(name, BLANKS));
        }
        warn(&[name, b": ", BLANKS.as_bytes()].concat());
    }
    if value.len() > S6_LIMIT {
        warn(&[name, b": longer than the 4096 bytes that s6-envdir reads"].concat());
    }
    let bytes = value.iter().take(kept).map(|&byte| if byte == b'\n' { 0 } else { byte });
    Ok(bytes.chain([b'\n']).collect())
}

struct Directory<'a> {
    handle: OwnedFd,
    path: &'a Path,
    stat: FileStat,
}

impl<'a> Directory<'a> {
    fn open(path: &'a Path) -> Result<Self, Failure> {
        let failure = |error: Errno| Failure::system("open", path.as_os_str().as_bytes(), &error.into());
        let handle =
            open(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).map_err(failure)?;
        let stat = fstat(&handle).map_err(failure)?;
        Ok(Directory { handle, path, stat })
    }

    fn failure(&self, action: &str, name: &[u8], error: Errno) -> Failure {
        let object = [self.path.as_os_str().as_bytes(), if name.is_empty() { b"" } else { b"/" }, name].concat();
        Failure::system(action, &object, &io::Error::from(error))
    }

    /// Names of files that envdir would read and that no setting has. A directory among them would make envdir fail,
    /// so it is said before anything is written.
    fn stale(&self, settings: &Settings) -> Result<Vec<Vec<u8>>, Failure> {
        let list = |error| self.failure("read", b"", error);
        // A descriptor of its own: reading a directory moves its position.
        let again = openat(&self.handle, ".", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
            .map_err(list)?;
        let mut stale = Vec::new();
        for entry in Dir::from_fd(again).map_err(list)?.iter() {
            let entry = entry.map_err(list)?;
            let name = entry.file_name().to_bytes();
            if name.starts_with(b".") {
                continue;
            }
            let stat = fstatat(&self.handle, name, AtFlags::AT_SYMLINK_NOFOLLOW)
                .map_err(|error| self.failure("stat", name, error))?;
            if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR {
                return Err(self.failure("replace", name, Errno::EISDIR));
            }
            if !settings.contains(name) {
                stale.push(name.to_vec());
            }
        }
        Ok(stale)
    }

    /// Whether the file is there with just this content.
    fn holds(&self, name: &[u8], content: &[u8]) -> bool {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let Ok(file) = openat(&self.handle, name, flags, Mode::empty()) else { return false };
        let limit = u64::try_from(content.len()).unwrap_or(u64::MAX).saturating_add(1);
        let mut found = Vec::new();
        File::from(file).take(limit).read_to_end(&mut found).is_ok() && found == content
    }

    /// Writes a file beside (envdir passes over names with a dot) and renames it over the old one.
    fn replace(&self, name: &[u8], content: &[u8]) -> Result<(), Failure> {
        let failure = |error| self.failure("write", name, error);
        let temporary = [b".new-", name].concat();
        let file = self.create(&temporary).map_err(failure)?;
        let written =
            self.fill(file, content).and_then(|()| renameat(&self.handle, temporary.as_slice(), &self.handle, name));
        if written.is_err() {
            let _ = unlinkat(&self.handle, temporary.as_slice(), UnlinkatFlags::NoRemoveDir);
        }
        written.map_err(failure)
    }

    fn create(&self, temporary: &[u8]) -> Result<File, Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let attempt = || openat(&self.handle, temporary, flags, Mode::S_IRUSR | Mode::S_IWUSR);
        let file = match attempt() {
            // Left over by a run that was killed.
            Err(Errno::EEXIST) => {
                unlinkat(&self.handle, temporary, UnlinkatFlags::NoRemoveDir)?;
                attempt()?
            }
            other => other?,
        };
        Ok(File::from(file))
    }

    /// Content, owner and mode as the directory says (readable by the group where the directory is), synced.
    fn fill(&self, mut file: File, content: &[u8]) -> Result<(), Errno> {
        file.write_all(content).map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))?;
        if geteuid().is_root() {
            fchown(&file, Some(Uid::from_raw(self.stat.st_uid)), Some(Gid::from_raw(self.stat.st_gid)))?;
        }
        let group = Mode::from_bits_truncate(self.stat.st_mode) & Mode::S_IRGRP;
        fchmod(&file, Mode::S_IRUSR | Mode::S_IWUSR | group)?;
        fsync(&file)
    }
}
