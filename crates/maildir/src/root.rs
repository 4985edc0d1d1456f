//! One account's maildir: opened once, everything else is reached below it.

use crate::dir::{Dir, FileKind, is_directory};
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::folder_name::{Encoding, FolderName};
use crate::grain::Grain;
use nix::errno::Errno;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// Which acknowledged changes are on disk before the answer (`DURABLE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub enum Durable {
    /// Only what keeps UIDs unique.
    None,
    /// New messages, not flags.
    Append,
    /// Everything.
    #[default]
    All,
}

/// What the programs know from their environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The host's name for message file names (`HOSTNAME`).
    pub host: Vec<u8>,
    /// How folder names are written on disk.
    pub encoding: Encoding,
    /// Whether Courier's own lock is taken too (`IMAP_USELOCKS`).
    pub use_locks: bool,
    /// How long to wait for a folder's lock.
    pub lock_wait: Duration,
    /// Which changes are synced.
    pub durable: Durable,
    /// The account's quota (`MAILDIRQUOTA`), empty for what `maildirsize` says.
    pub quota: Vec<u8>,
    /// The folder name of the trash (`IMAP_TRASHFOLDERNAME`).
    pub trash: Vec<u8>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            host: b"localhost".to_vec(),
            encoding: Encoding::Utf8,
            use_locks: true,
            lock_wait: Duration::from_secs(30),
            durable: Durable::All,
            quota: Vec::new(),
            trash: b"Trash".to_vec(),
        }
    }
}

/// An account's maildir. Cheap to clone: all clones share one descriptor.
#[derive(Debug, Clone)]
pub struct Root(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: Dir,
    settings: Settings,
    grain: Grain,
}

impl Root {
    /// Opens a maildir.
    pub fn open(path: &Path, settings: Settings) -> Result<Root> {
        let dir = Dir::open_path(path)?;
        Ok(Root(Rc::new(Inner { grain: Grain::of(&dir), dir, settings })))
    }

    /// Makes a new, empty maildir: the directory, `tmp`, `new` and `cur`. What exists of it already is kept.
    pub fn make(path: &Path) -> Result<()> {
        let bytes = path.as_os_str().as_encoded_bytes();
        match nix::unistd::mkdir(path, nix::sys::stat::Mode::S_IRWXU) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(Error::System(bytes.to_vec(), errno)),
        }
        let dir = Dir::open_path(path)?;
        for name in [b"tmp".as_slice(), b"new", b"cur"] {
            match dir.mkdir(name) {
                Ok(()) | Err(Error::Exists(_)) => {}
                Err(e) => return Err(e),
            }
        }
        dir.sync()
    }

    /// The maildir's own directory.
    pub fn dir(&self) -> &Dir {
        &self.0.dir
    }

    /// What was passed in.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// How fine the times of the account's directories are.
    pub fn grain(&self) -> Grain {
        self.0.grain
    }

    /// Whether anybody counts: there is a `maildirsize`, or a quota is given.
    pub(crate) fn has_quota(&self) -> bool {
        !self.settings().quota.is_empty() || matches!(self.dir().stat(b"maildirsize"), Ok(Some(_)))
    }

    /// Opens a folder.
    pub fn folder(&self, name: &FolderName) -> Result<Folder> {
        Folder::open(self, name)
    }

    /// Whether the folder is there, as far as that can be told.
    pub fn has(&self, name: &FolderName) -> Result<bool> {
        if name.is_inbox() { Ok(true) } else { self.is_folder(name.directory()) }
    }

    /// All folders but INBOX, sorted by directory name. What is no folder is left out.
    pub fn folders(&self) -> Result<Vec<FolderName>> {
        let mut names = Vec::new();
        self.dir().list(|entry, kind| {
            // Some file systems do not tell the kind: then `cur` below tells.
            if kind != FileKind::Other && entry.starts_with(b".") {
                names.extend(FolderName::from_directory(entry));
            }
            Ok(())
        })?;
        // What cannot be looked at now is there all the same: a client forgets what it knew of a folder that is not listed.
        names.retain(|name| self.is_folder(name.directory()).unwrap_or(true));
        names.sort_unstable();
        Ok(names)
    }

    /// Whether the account's maildir belongs to this very uid and gid (`IMAP_MAILBOX_SANITY_CHECK`).
    pub fn is_ours(&self) -> Result<bool> {
        let stat = self.dir().own_stat()?;
        Ok(stat.st_uid == nix::unistd::geteuid().as_raw() && stat.st_gid == nix::unistd::getegid().as_raw())
    }

    fn is_folder(&self, directory: &[u8]) -> Result<bool> {
        match self.dir().open_dir(directory).and_then(|folder| folder.stat(b"cur")) {
            Ok(cur) => Ok(cur.is_some_and(|stat| is_directory(&stat))),
            Err(Error::System(
                _,
                Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::EXDEV | Errno::ENAMETOOLONG,
            )) => Ok(false),
            Err(e @ Error::System(..)) => Err(e),
            Err(_) => Ok(false),
        }
    }
}
