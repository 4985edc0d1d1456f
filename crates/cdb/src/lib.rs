//! Constant databases (cdb): a reader that trusts no offset, and a writer that replaces the file in one step.
//!
//! The format is the one of `tcprules` and `cdbmake`: 256 header slots, then the records in the order in which they
//! were added, then the hash tables; every number is 32 bits, little endian. A file holds at most 4 GiB.
//!
//! ```
//! # fn main() -> Result<(), cdb::Error> {
//! let path = std::env::temp_dir().join(format!("cdb-example-{}", std::process::id()));
//! let mut writer = cdb::Writer::create(&path, &path.with_extension("tmp"), 0o600)?;
//! writer.add(b"joe@example.com", b"uid=1000|gid=1000|home=/home/joe")?;
//! writer.finish()?;
//! let cdb = cdb::Cdb::open(&path)?;
//! assert_eq!(cdb.get(b"joe@example.com")?.as_deref(), Some(&b"uid=1000|gid=1000|home=/home/joe"[..]));
//! assert_eq!(cdb.get(b"nobody")?, None);
//! # std::fs::remove_file(&path).map_err(cdb::Error::Io)
//! # }
//! ```
#![forbid(unsafe_code)]

mod reader;
mod replace;
mod writer;

pub use reader::{Cdb, Record, Records};
pub use replace::Replacement;
pub use writer::Writer;

use std::fmt;
use std::io;

/// Why a database cannot be read or written.
#[derive(Debug)]
pub enum Error {
    /// The system refused an operation.
    Io(io::Error),
    /// The file is no constant database, or it was cut or overwritten.
    Damaged,
    /// What was added does not fit the 4 GiB of the format.
    TooLarge,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(e) => e.fmt(f),
            Error::Damaged => f.write_str("damaged constant database"),
            Error::TooLarge => f.write_str("constant database would exceed 4 GiB"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(e: io::Error) -> Error {
        Error::Io(e)
    }
}

/// Bytes of the 256 header slots.
const HEADER: u32 = 2048;

/// The format's hash: the low 8 bits choose the table, the others the first slot in it.
fn hash(key: &[u8]) -> u32 {
    key.iter().fold(5381, |h: u32, &byte| h.wrapping_mul(33) ^ u32::from(byte))
}
