//! crypt(3): what the C library's crypt makes of a password.
//!
//! With glibc that is libcrypt with every scheme of a shadow file; musl has its own, without
//! yescrypt and its relatives.

use nix::libc;
use std::ffi::CString;
use std::io;

/// Why there is no hash.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum CryptError {
    /// Not enough memory (yescrypt needs 16 MiB): a temporary failure, not a wrong password.
    OutOfMemory,
    /// The setting is none this library knows, or the password has a NUL.
    Refused,
}

/// Hashes `password` the way `setting` says, which may be a whole stored hash.
pub fn crypt(password: &[u8], setting: &[u8]) -> Result<Vec<u8>, CryptError> {
    let setting = CString::new(setting).map_err(|_| CryptError::Refused)?;
    let mut phrase = Wiped(Vec::with_capacity(password.len() + 1));
    if password.contains(&0) {
        return Err(CryptError::Refused);
    }
    phrase.0.extend_from_slice(password);
    phrase.0.push(0);
    let hash = library::crypt(&phrase.0, &setting)?;
    // Failure tokens begin with a star, which no hash does.
    if hash.is_empty() || hash.starts_with(b"*") {
        return Err(CryptError::Refused);
    }
    Ok(hash)
}

fn failure(setting: &[u8]) -> CryptError {
    let short_of_memory = matches!(io::Error::last_os_error().raw_os_error(), Some(libc::ENOMEM | libc::EAGAIN));
    if short_of_memory || (is_memory_hard(setting) && !has_room()) {
        CryptError::OutOfMemory
    } else {
        CryptError::Refused
    }
}

fn is_memory_hard(setting: &[u8]) -> bool {
    [&b"$y$"[..], b"$gy$", b"$7$"].iter().any(|scheme| setting.starts_with(scheme))
}

/// libcrypt says EINVAL when yescrypt finds no memory, so map as much as it does (16 MiB at the
/// cost that Debian sets) and see.
fn has_room() -> bool {
    const NEEDED: usize = 16 << 20;
    // SAFETY: an anonymous mapping at an address of the kernel's choice, which nobody touches.
    unsafe {
        let room = libc::mmap(
            std::ptr::null_mut(),
            NEEDED,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        room != libc::MAP_FAILED && libc::munmap(room, NEEDED) == 0
    }
}

/// Bytes that are overwritten when they are done with.
struct Wiped(Vec<u8>);

impl Drop for Wiped {
    fn drop(&mut self) {
        for byte in &mut self.0 {
            // SAFETY: a reference is valid to write through; volatile so that it is not left out.
            unsafe { std::ptr::write_volatile(byte, 0) };
        }
    }
}

#[cfg(target_env = "gnu")]
mod library {
    use super::{CryptError, Wiped, failure};
    use std::ffi::{CStr, CString, c_char, c_int, c_void};

    #[link(name = "crypt")]
    unsafe extern "C" {
        fn crypt_rn(phrase: *const c_char, setting: *const c_char, data: *mut c_void, size: c_int) -> *const c_char;
    }

    /// `sizeof(struct crypt_data)`, fixed by libcrypt's binary interface.
    const DATA: usize = 32768;

    pub fn crypt(phrase: &[u8], setting: &CString) -> Result<Vec<u8>, CryptError> {
        let mut data = Wiped(vec![0; DATA]);
        // SAFETY: both strings are NUL-terminated, the buffer has the size told. (It need not be
        // aligned: libcrypt takes it as bytes and aligns what it needs inside.)
        let hash =
            unsafe { crypt_rn(phrase.as_ptr().cast(), setting.as_ptr(), data.0.as_mut_ptr().cast(), DATA as c_int) };
        if hash.is_null() {
            return Err(failure(setting.as_bytes()));
        }
        // SAFETY: not null, so a NUL-terminated string inside `data`.
        Ok(unsafe { CStr::from_ptr(hash) }.to_bytes().to_vec())
    }
}

#[cfg(not(target_env = "gnu"))]
mod library {
    use super::{CryptError, Wiped, failure};
    use std::ffi::{CStr, CString, c_char, c_void};

    unsafe extern "C" {
        fn crypt_r(phrase: *const c_char, setting: *const c_char, data: *mut c_void) -> *const c_char;
    }

    /// musl's `struct crypt_data` is an int and 256 bytes.
    const DATA: usize = 512;

    pub fn crypt(phrase: &[u8], setting: &CString) -> Result<Vec<u8>, CryptError> {
        let mut data = Wiped(vec![0; DATA]);
        // SAFETY: both strings are NUL-terminated, and the buffer is larger than the structure,
        // which musl writes as bytes.
        let hash = unsafe { crypt_r(phrase.as_ptr().cast(), setting.as_ptr(), data.0.as_mut_ptr().cast()) };
        if hash.is_null() {
            return Err(failure(setting.as_bytes()));
        }
        // SAFETY: not null, so a NUL-terminated string, inside `data` or static.
        Ok(unsafe { CStr::from_ptr(hash) }.to_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes() {
        // Drepper's SHA-crypt test vector, and the oldest scheme of all.
        let sha512 =
            b"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
        assert_eq!(crypt(b"Hello world!", sha512).unwrap(), sha512);
        assert_eq!(crypt(b"test", b"ab").unwrap(), b"abgOeLfPimXQo");
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert_eq!(crypt(b"x", b"*0"), Err(CryptError::Refused));
        assert_eq!(crypt(b"a\0b", b"ab"), Err(CryptError::Refused));
        assert_eq!(crypt(b"x", b"a\0"), Err(CryptError::Refused));
        assert_eq!(crypt(b"x", b""), Err(CryptError::Refused));
    }

    #[test]
    #[cfg(target_env = "gnu")]
    fn yescrypt_and_what_it_needs() {
        let hash = crypt(b"secret", b"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$").unwrap();
        assert!(hash.starts_with(b"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"));
        let code = crate::process::in_child(|| {
            let limit = libc::rlimit { rlim_cur: 8 << 20, rlim_max: 8 << 20 };
            // SAFETY: a valid rlimit to read.
            unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) };
            let short = crypt(b"secret", b"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$");
            i32::from(short != Err(CryptError::OutOfMemory))
        });
        assert_eq!(code, 0);
    }
}
