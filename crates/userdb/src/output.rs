//! What a tool prints: all of it in one place, so that a closed pipe or a full disk is an error and not a panic.

use std::io::{self, Write as _};

/// Writes to descriptor 1.
pub(crate) fn print(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// `unable to DO PATH: reason`.
pub(crate) fn unable(what: &str, path: &std::path::Path, e: &io::Error) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    [b"unable to ", what.as_bytes(), b" ", path.as_os_str().as_bytes(), b": ", chain::reason(e).as_bytes()].concat()
}
