//! The environment this program was started with, read in place.

use nix::libc::c_char;
use std::ffi::CStr;

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// The strings `NAME=value` in the order they were given. No copy is made: no program of ours
/// changes its own environment, each builds a new one for the next.
pub fn variables() -> Variables {
    // SAFETY: reading the pointer itself; the C library set it before main.
    let next = unsafe { environ };
    Variables { next }
}

/// Iterator over the environment's strings.
#[derive(Clone)]
pub struct Variables {
    next: *const *const c_char,
}

impl Iterator for Variables {
    type Item = &'static CStr;

    fn next(&mut self) -> Option<&'static CStr> {
        if self.next.is_null() {
            return None;
        }
        // SAFETY: `next` points into the environment's array, at or before its null entry.
        let entry = unsafe { *self.next };
        if entry.is_null() {
            return None;
        }
        // SAFETY: the entry was not the null one, so another follows it.
        self.next = unsafe { self.next.add(1) };
        // SAFETY: each entry is a NUL-terminated string that lives as long as the process, since
        // nothing here calls setenv (`std::env::set_var` is unsafe, and only this crate has that).
        Some(unsafe { CStr::from_ptr(entry) })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn agrees_with_std() {
        use std::os::unix::ffi::OsStrExt;
        let path = std::env::var_os("PATH").unwrap();
        let ours = super::variables().find_map(|v| v.to_bytes().strip_prefix(b"PATH=")).unwrap();
        assert_eq!(ours, path.as_bytes());
        assert_eq!(super::variables().count(), std::env::vars_os().count());
    }
}
