//! userdb: accounts in a text file (or a directory of them) and in the two databases that `makeuserdb` makes of it.

mod compiled;
mod record;
mod source;

pub use compiled::{Entry, Error, Userdb};
pub use record::{field, fields, is_secret, is_valid};
pub use source::{Line, line, lines};

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The source where `USERDB` names no other.
pub const DEFAULT: &str = "/etc/courier/userdb";

/// The database of what is no secret, beside the source: `userdb.dat`.
pub fn database(source: &Path) -> PathBuf {
    beside(source, ".dat")
}

/// The database of passwords, beside the source: `userdbshadow.dat`.
pub fn shadow_database(source: &Path) -> PathBuf {
    beside(source, "shadow.dat")
}

/// The path of the source with this behind it.
pub fn beside(source: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(source);
    path.push(suffix);
    path.into()
}
