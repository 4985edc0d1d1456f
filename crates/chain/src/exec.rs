//! The one place where a program becomes the next.

use crate::environment::Environment;
use nix::sys::stat::{Mode, umask};
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

/// The program to become.
pub struct Next<'a> {
    /// Its full path, which is its argv\[0\] too, and its arguments.
    pub args: &'a [OsString],
    /// All that it gets to see.
    pub environment: &'a Environment,
    /// Becomes its descriptor 3.
    pub request: Option<OwnedFd>,
}

/// Becomes the next program; comes back only with the reason why not.
///
/// It starts as a program of a shell does: default signals, none blocked, no alarm, umask 077,
/// descriptors 0 to 2 open and, but for the request, no other.
pub fn exec(next: Next<'_>) -> io::Error {
    match next.args.first() {
        Some(path) => exec_as(path, next.args, next.environment, next.request),
        None => io::ErrorKind::InvalidInput.into(),
    }
}

/// The same with a path of its own, for the login program, whose argv\[0\] may be another word.
pub(crate) fn exec_as(
    path: &OsStr,
    args: &[OsString],
    environment: &Environment,
    request: Option<OwnedFd>,
) -> io::Error {
    match prepare(path, args, request) {
        Ok((path, args)) => {
            let args: Vec<&CStr> = args.iter().map(CString::as_c_str).collect();
            sys::process::execve(&path, &args, &environment.entries())
        }
        Err(e) => e,
    }
}

fn prepare(path: &OsStr, args: &[OsString], request: Option<OwnedFd>) -> io::Result<(CString, Vec<CString>)> {
    // A relative path would name what the account's own directory holds.
    if !path.as_bytes().starts_with(b"/") {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a full path"));
    }
    let path = CString::new(path.as_bytes())?;
    let args = args.iter().map(|arg| CString::new(arg.as_bytes())).collect::<Result<Vec<_>, _>>()?;
    sys::descriptors::open_standard()?;
    let first_unknown = match request {
        Some(fd) => {
            sys::descriptors::place(fd, 3)?;
            4
        }
        None => 3,
    };
    sys::descriptors::close_from(first_unknown)?;
    umask(Mode::from_bits_truncate(0o077));
    sys::process::default_signals();
    Ok((path, args))
}
