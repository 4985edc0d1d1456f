//! Entries of the shadow database, through the C library.

use nix::libc;
use std::ffi::CStr;
use std::io;

/// One account's shadow entry. Numbers of days are -1 where the field is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The hash, or a word such as `*` or `!` that no password makes.
    pub hash: Vec<u8>,
    /// Day of the last change of password, counted from 1970; 0 = must change it.
    pub changed: i64,
    /// Days after which the password must be changed.
    pub maximum: i64,
    /// Days after that until the account is shut.
    pub inactive: i64,
    /// Day on which the account expires.
    pub expires: i64,
}

unsafe extern "C" {
    // Missing in libc for musl.
    fn getspnam(name: *const libc::c_char) -> *const libc::spwd;
}

/// The entry of that name; `None` where there is none.
pub fn entry(name: &CStr) -> io::Result<Option<Entry>> {
    nix::errno::Errno::clear();
    // SAFETY: `name` is NUL-terminated.
    let found = unsafe { getspnam(name.as_ptr()) };
    if found.is_null() {
        return match io::Error::last_os_error() {
            e if matches!(e.raw_os_error(), Some(0 | libc::ENOENT | libc::ESRCH)) => Ok(None),
            e => Err(e),
        };
    }
    // SAFETY: not null, so it is a static entry that stays until the next call; there is one thread.
    let found = unsafe { &*found };
    let hash = if found.sp_pwdp.is_null() {
        Vec::new()
    } else {
        // SAFETY: a non-null field of the entry is a NUL-terminated string.
        unsafe { CStr::from_ptr(found.sp_pwdp) }.to_bytes().to_vec()
    };
    #[allow(clippy::useless_conversion)]
    Ok(Some(Entry {
        hash,
        changed: i64::from(found.sp_lstchg),
        maximum: i64::from(found.sp_max),
        inactive: i64::from(found.sp_inact),
        expires: i64::from(found.sp_expire),
    }))
}

#[cfg(test)]
mod tests {
    #[test]
    fn root_has_an_entry_for_root() {
        match super::entry(c"root") {
            Ok(found) => assert!(found.is_some()),
            Err(e) => assert_eq!(e.kind(), std::io::ErrorKind::PermissionDenied),
        }
        assert!(matches!(super::entry(c"no such user here"), Ok(None) | Err(_)));
    }
}
