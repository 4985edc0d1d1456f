//! One open directory and the operations on the names directly below it.
//!
//! Every name is a single component: nothing here can leave the directory, and no symbolic link is followed.

use crate::error::{Error, Result};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{FileStat, Mode};
use nix::unistd::UnlinkatFlags;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// An open directory; `label` is its name in messages.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    label: Vec<u8>,
}

/// What the directory entry says of a file, without a stat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file, or a file system that does not tell.
    File,
    /// A directory.
    Directory,
    /// Anything else: link, fifo, device, socket.
    Other,
}

/// Modification and change time of a directory or file, with nanoseconds: what tells whether it was touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// Device and inode.
    pub identity: (u64, u64),
    /// Size in bytes.
    pub size: u64,
    /// mtime, in nanoseconds since the epoch.
    pub modified: i128,
    /// ctime, in nanoseconds since the epoch.
    pub changed: i128,
}

impl Stamp {
    /// The times of a stat result.
    pub fn of(stat: &FileStat) -> Stamp {
        let nanos = |secs: i64, nsec: i64| i128::from(secs) * 1_000_000_000 + i128::from(nsec);
        Stamp {
            identity: (stat.st_dev, stat.st_ino),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: nanos(stat.st_mtime, stat.st_mtime_nsec),
            changed: nanos(stat.st_ctime, stat.st_ctime_nsec),
        }
    }
}

impl Dir {
    /// Opens the account's own maildir; its path may hold symbolic links, nothing below it may.
    pub fn open_path(path: &Path) -> Result<Dir> {
        let label = path.as_os_str().as_encoded_bytes().to_vec();
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        match nix::fcntl::open(path, flags, Mode::empty()) {
            Ok(fd) => Ok(Dir { fd, label }),
            Err(errno) => Err(Error::System(label, errno)),
        }
    }

    /// Opens a directory directly below.
    pub fn open_dir(&self, name: &[u8]) -> Result<Dir> {
        let fd = self.open_below(name, OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty())?;
        Ok(Dir { fd, label: self.path_of(name) })
    }

    /// Opens a directory directly below, or this very directory for `.`.
    pub(crate) fn open_self_or_dir(&self, name: &[u8]) -> Result<Dir> {
        if name != b"." {
            return self.open_dir(name);
        }
        let fd = self.fd.try_clone().map_err(|e| self.failed_io(name, &e))?;
        Ok(Dir { fd, label: self.label.clone() })
    }

    /// Opens a regular file directly below for reading; anything else is refused.
    pub fn open_file(&self, name: &[u8]) -> Result<File> {
        self.open_regular(name, OFlag::O_RDONLY)
    }

    /// Opens a regular file directly below with `flags`.
    pub(crate) fn open_regular(&self, name: &[u8], flags: OFlag) -> Result<File> {
        let fd = self.open_below(name, flags | OFlag::O_NONBLOCK, Mode::from_bits_truncate(0o600))?;
        let stat = nix::sys::stat::fstat(&fd).map_err(|e| self.failed(name, e))?;
        if !is_regular(&stat) {
            return Err(Error::Refused(self.path_of(name), "not a regular file"));
        }
        Ok(File::from(fd))
    }

    /// Creates a new file, mode 0600; an existing name is an error.
    pub fn create(&self, name: &[u8]) -> Result<File> {
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL;
        Ok(File::from(self.open_below(name, flags, Mode::from_bits_truncate(0o600))?))
    }

    /// Reads a whole small file; nothing where it is absent. A file above `limit` bytes is refused.
    pub fn read(&self, name: &[u8], limit: u64) -> Result<Option<Vec<u8>>> {
        let file = match self.open_file(name) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        self.read_open(name, file, limit).map(Some)
    }

    /// Reads an open file whole.
    pub(crate) fn read_open(&self, name: &[u8], file: File, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|e| self.failed_io(name, &e))?;
        if bytes.len() as u64 > limit {
            return Err(Error::Damaged(self.path_of(name), "too large"));
        }
        Ok(bytes)
    }

    /// The stat of a name below (never of a link's target); nothing where it is absent.
    pub fn stat(&self, name: &[u8]) -> Result<Option<FileStat>> {
        match nix::sys::stat::fstatat(&self.fd, self.checked(name)?, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(self.failed(name, errno)),
        }
    }

    /// The directory's own stat.
    pub fn own_stat(&self) -> Result<FileStat> {
        nix::sys::stat::fstat(&self.fd).map_err(|e| Error::System(self.label.clone(), e))
    }

    /// The directory's own times.
    pub fn stamp(&self) -> Result<Stamp> {
        Ok(Stamp::of(&self.own_stat()?))
    }

    /// Renames a name here over a name there.
    pub fn rename(&self, from: &[u8], to_dir: &Dir, to: &[u8]) -> Result<()> {
        nix::fcntl::renameat(&self.fd, self.checked(from)?, &to_dir.fd, to_dir.checked(to)?)
            .map_err(|e| self.failed(from, e))
    }

    /// Makes a second name for a file; an existing name is `Error::Exists`.
    pub fn link(&self, from: &[u8], to_dir: &Dir, to: &[u8]) -> Result<()> {
        let linked =
            nix::unistd::linkat(&self.fd, self.checked(from)?, &to_dir.fd, to_dir.checked(to)?, AtFlags::empty());
        linked.map_err(|e| if e == Errno::EEXIST { Error::Exists(to_dir.path_of(to)) } else { self.failed(from, e) })
    }

    /// Moves a file or directory to a name that must not exist; an existing one is `Error::Exists`.
    pub fn rename_new(&self, from: &[u8], to_dir: &Dir, to: &[u8]) -> Result<()> {
        let path = |name| Path::new(OsStr::from_bytes(name));
        let (old, new) = (path(self.checked(from)?), path(to_dir.checked(to)?));
        sys::files::rename_unless_exists(self.fd.as_fd(), old, to_dir.fd.as_fd(), new).map_err(|e| {
            if e.kind() == std::io::ErrorKind::AlreadyExists {
                Error::Exists(to_dir.path_of(to))
            } else {
                self.failed_io(from, &e)
            }
        })
    }

    /// Removes a file; false where it was gone already.
    pub fn unlink(&self, name: &[u8]) -> Result<bool> {
        self.remove(name, UnlinkatFlags::NoRemoveDir)
    }

    /// Removes an empty directory; false where it was gone already.
    pub fn rmdir(&self, name: &[u8]) -> Result<bool> {
        self.remove(name, UnlinkatFlags::RemoveDir)
    }

    /// Makes a directory, mode 0700.
    pub fn mkdir(&self, name: &[u8]) -> Result<()> {
        match nix::sys::stat::mkdirat(&self.fd, self.checked(name)?, Mode::from_bits_truncate(0o700)) {
            Ok(()) => Ok(()),
            Err(Errno::EEXIST) => Err(Error::Exists(self.path_of(name))),
            Err(errno) => Err(self.failed(name, errno)),
        }
    }

    /// Calls `each` for every name but `.` and `..`, in the directory's order. An error means the pass is worth nothing.
    pub fn list(&self, mut each: impl FnMut(&[u8], FileKind) -> Result<()>) -> Result<()> {
        self.find(|name, kind| each(name, kind).map(|()| false)).map(drop)
    }

    /// The same until `wanted` says that a name is the one looked for; whether it ever did.
    pub fn find(&self, mut wanted: impl FnMut(&[u8], FileKind) -> Result<bool>) -> Result<bool> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let failed = |e| Error::System(self.label.clone(), e);
        let mut dir = nix::dir::Dir::openat(&self.fd, c".", flags, Mode::empty()).map_err(failed)?;
        for entry in dir.iter() {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." && wanted(name, kind_of(entry.file_type()))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes the names in this directory durable.
    pub fn sync(&self) -> Result<()> {
        nix::unistd::fsync(&self.fd).map_err(|e| Error::System(self.label.clone(), e))
    }

    /// The path of a name below, for messages only.
    pub fn path_of(&self, name: &[u8]) -> Vec<u8> {
        [&self.label, name].join(&b'/')
    }

    /// The directory's name in messages.
    pub fn label(&self) -> &[u8] {
        &self.label
    }

    pub(crate) fn failed(&self, name: &[u8], errno: Errno) -> Error {
        Error::System(self.path_of(name), errno)
    }

    /// The error of an operation of the standard library on a name below.
    pub(crate) fn failed_io(&self, name: &[u8], error: &std::io::Error) -> Error {
        Error::of(&self.path_of(name), error)
    }

    fn remove(&self, name: &[u8], flag: UnlinkatFlags) -> Result<bool> {
        match nix::unistd::unlinkat(&self.fd, self.checked(name)?, flag) {
            Ok(()) => Ok(true),
            Err(Errno::ENOENT) => Ok(false),
            Err(errno) => Err(self.failed(name, errno)),
        }
    }

    fn open_below(&self, name: &[u8], flags: OFlag, mode: Mode) -> Result<OwnedFd> {
        let path = Path::new(OsStr::from_bytes(self.checked(name)?));
        let opened = sys::files::open_beneath(self.fd.as_fd(), path, flags, mode);
        opened.map_err(|e| self.failed_io(name, &e))
    }

    fn checked<'a>(&self, name: &'a [u8]) -> Result<&'a [u8]> {
        if name.is_empty() || name == b"." || name == b".." || name.iter().any(|b| matches!(b, b'/' | 0)) {
            return Err(Error::BadName(self.path_of(name)));
        }
        Ok(name)
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Whether a stat result is of a regular file.
pub(crate) fn is_regular(stat: &FileStat) -> bool {
    stat.st_mode & nix::libc::S_IFMT == nix::libc::S_IFREG
}

/// Whether a stat result is of a directory.
pub(crate) fn is_directory(stat: &FileStat) -> bool {
    stat.st_mode & nix::libc::S_IFMT == nix::libc::S_IFDIR
}

fn kind_of(kind: Option<nix::dir::Type>) -> FileKind {
    match kind {
        Some(nix::dir::Type::File) | None => FileKind::File,
        Some(nix::dir::Type::Directory) => FileKind::Directory,
        Some(_) => FileKind::Other,
    }
}
