//! What can go wrong with a folder, in the terms that the answer to the client is chosen by.

use std::fmt;

/// A refusal. Where a command is all or nothing, nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The folder is not the one that was opened: removed, or made anew with another UIDVALIDITY.
    Replaced,
    /// The folder was opened for reading only.
    ReadOnly,
    /// A message number above the number of messages.
    BadNumber,
    /// A message is gone from the disk.
    Expunged,
    /// A keyword is too long, or the folder has too many.
    Keyword,
    /// The files refused.
    Files(maildir::Error),
}

impl From<maildir::Error> for Error {
    fn from(error: maildir::Error) -> Error {
        Error::Files(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Replaced => "the folder was removed or replaced",
            Error::ReadOnly => "the folder is open for reading only",
            Error::BadNumber => "no message has this number",
            Error::Expunged => "the message is gone",
            Error::Keyword => "keyword too long, or too many of them",
            Error::Files(error) => return error.fmt(f),
        })
    }
}

impl std::error::Error for Error {}
