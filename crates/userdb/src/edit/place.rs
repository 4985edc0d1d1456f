//! The file that a record is in, with its lock and its replacement.

use super::{REFUSED, io_failure};
use crate::Failure;
use cdb::Replacement;
use nix::fcntl::{Flock, FlockArg};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Only the owner, and reading and writing: a new source is as private as makeuserdb wants it.
const PRIVATE: u32 = 0o600;

/// A source file, which need not exist yet.
pub(super) struct Place {
    path: PathBuf,
}

impl Place {
    /// The file that `-f` names; a symbolic link is followed, so that the link stays and its target is replaced.
    pub(super) fn file(path: &[u8]) -> Result<Place, Failure> {
        Place::checked(Path::new(OsStr::from_bytes(path)))
    }

    /// A file inside the source, or, with an empty prefix, the source itself.
    pub(super) fn in_source(source: &Path, prefix: &[u8]) -> Result<Place, Failure> {
        if source.is_symlink() {
            return Err(refused(source, "is a symbolic link"));
        }
        let inside = Path::new(OsStr::from_bytes(prefix.trim_ascii_start()));
        let mut path = source.to_owned();
        for part in inside.components() {
            match part {
                std::path::Component::Normal(part) => path.push(part),
                std::path::Component::RootDir | std::path::Component::CurDir => {}
                _ => return Err(refused(inside, "leads out of the source")),
            }
        }
        Place::checked(&path)
    }

    fn checked(path: &Path) -> Result<Place, Failure> {
        match fs::canonicalize(path) {
            Ok(real) if real.is_file() => Ok(Place { path: real }),
            Ok(_) => Err(refused(path, "not a file")),
            Err(e) if e.kind() == ErrorKind::NotFound && !path.is_symlink() => Ok(Place { path: path.to_owned() }),
            Err(e) => Err(io_failure("read", path, &e)),
        }
    }

    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// The text; a file that does not exist yet is empty.
    pub(super) fn read(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match fs::read(&self.path) {
            Ok(text) => Ok(Zeroizing::new(text)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(Zeroizing::new(Vec::new())),
            Err(e) => Err(io_failure("read", &self.path, &e)),
        }
    }

    /// Waits until no other `userdb` changes this file. Courier's takes the same lock.
    pub(super) fn lock(&self) -> Result<Flock<File>, Failure> {
        let path = self.beside(".lock.");
        let failure = |e| io_failure("lock", &path, &e);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(PRIVATE);
        let file = options.open(&path).map_err(failure)?;
        Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| failure(errno.into()))
    }

    /// Puts this text in the place of the old one, with the old one's mode and owner.
    pub(super) fn replace(&self, _lock: &Flock<File>, text: &[u8]) -> Result<(), Failure> {
        let write = || {
            let old = fs::metadata(&self.path).ok();
            let mode = old.as_ref().map_or(PRIVATE, |old| old.mode() & 0o777);
            let mut new = Replacement::create(&self.path, &self.beside(".tmp."), mode)?;
            if let Some(old) = old.filter(|old| nix::unistd::geteuid().is_root() && (old.uid(), old.gid()) != (0, 0)) {
                fchown(new.file(), Some(old.uid()), Some(old.gid()))?;
            }
            new.write_all(text)?;
            new.commit()
        };
        write().map_err(|e| io_failure("write", &self.path, &e))
    }

    fn beside(&self, prefix: &str) -> PathBuf {
        let mut name = OsString::from(prefix);
        name.push(self.path.file_name().unwrap_or_default());
        self.path.with_file_name(name)
    }
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure(REFUSED, [path.as_os_str().as_bytes(), b": ", why.as_bytes()].concat())
}
