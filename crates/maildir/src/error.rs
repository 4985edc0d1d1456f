//! What can go wrong, always with the name of the object it went wrong with.

use nix::errno::Errno;
use std::fmt;
use std::io;

/// A failure in a Maildir. Callers map it to the protocol's words; the text is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A system call failed on the object.
    System(Vec<u8>, Errno),
    /// The folder or file is not there.
    Missing(Vec<u8>),
    /// Something of that name is there already.
    Exists(Vec<u8>),
    /// No folder can have this name.
    BadName(Vec<u8>),
    /// Somebody else holds the folder's lock.
    InUse(Vec<u8>),
    /// The file's content cannot be what this program or Courier wrote.
    Damaged(Vec<u8>, &'static str),
    /// A limit of ours: the words say which.
    Limit(&'static str),
    /// The account's quota does not allow it.
    OverQuota,
    /// The operation is never allowed on this object.
    Refused(Vec<u8>, &'static str),
}

/// The result of an operation on a Maildir.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The standard library's error on an object.
    pub fn of(object: &[u8], error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists(object.to_vec()),
            _ => Error::System(object.to_vec(), error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)),
        }
    }

    /// The kind of failure in the standard library's words, for mapping to answers.
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Error::System(_, errno) => io::Error::from(*errno).kind(),
            Error::Missing(_) => io::ErrorKind::NotFound,
            Error::Exists(_) => io::ErrorKind::AlreadyExists,
            Error::BadName(_) => io::ErrorKind::InvalidInput,
            Error::InUse(_) => io::ErrorKind::WouldBlock,
            Error::Damaged(..) => io::ErrorKind::InvalidData,
            Error::Limit(_) => io::ErrorKind::FileTooLarge,
            Error::OverQuota => io::ErrorKind::QuotaExceeded,
            Error::Refused(..) => io::ErrorKind::PermissionDenied,
        }
    }

    /// The system's error number, where a system call failed.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Error::System(_, errno) => Some(*errno as i32),
            _ => None,
        }
    }

    /// Whether the disk, or the account's share of it, is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Error::System(_, Errno::ENOSPC | Errno::EDQUOT))
    }

    /// Whether the store cannot be written at all by this account (a read-only view is still possible).
    pub fn is_read_only(&self) -> bool {
        matches!(self, Error::System(_, Errno::EACCES | Errno::EPERM | Errno::EROFS))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |object: &[u8]| String::from_utf8_lossy(object).into_owned();
        match self {
            Error::System(object, errno) => write!(f, "{}: {}", name(object), errno.desc().to_lowercase()),
            Error::Missing(object) => write!(f, "{}: not found", name(object)),
            Error::Exists(object) => write!(f, "{}: exists already", name(object)),
            Error::BadName(object) => write!(f, "{}: not a folder name", name(object)),
            Error::InUse(object) => write!(f, "{}: locked by another program", name(object)),
            Error::Damaged(object, what) => write!(f, "{}: damaged: {what}", name(object)),
            Error::Limit(what) => write!(f, "limit reached: {what}"),
            Error::OverQuota => write!(f, "over quota"),
            Error::Refused(object, what) => write!(f, "{}: {what}", name(object)),
        }
    }
}

impl std::error::Error for Error {}
