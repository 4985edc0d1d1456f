//! System calls that `nix` and std lack, and the only `unsafe` code of the house.
//!
//! Each module is a thin, safe door to one thing the kernel or the C library does; nothing here
//! decides anything. Every other crate forbids `unsafe`.
//!
//! ```
//! let mut nonce = [0u8; 16];
//! sys::random::fill(&mut nonce)?;
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod clock;
pub mod crypt;
pub mod descriptors;
pub mod environment;
pub mod files;
pub mod landlock;
pub mod lock;
pub mod process;
pub mod random;
pub mod seccomp;
pub mod shadow;

use std::io;

/// The value of a system call, or the error in `errno` where it was -1.
fn check<T: PartialEq + From<i8>>(value: T) -> io::Result<T> {
    if value == T::from(-1) { Err(io::Error::last_os_error()) } else { Ok(value) }
}
