//! Descriptors by number: what an exec chain inherits and hands on.

use crate::check;
use nix::libc;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

/// Takes ownership of a descriptor that was open when the program started, such as 3.
/// `None` where it is closed. Call it before anything else opened a descriptor, and once.
pub fn inherited(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: F_GETFD reads a flag and touches no memory.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    if flags == -1 {
        return None;
    }
    // SAFETY: the descriptor is open, and by the rule above nobody else owns it.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Borrows standard descriptor 0, 1 or 2; any other number is descriptor 2.
pub fn standard(number: RawFd) -> BorrowedFd<'static> {
    let number = if (0..3).contains(&number) { number } else { 2 };
    // SAFETY: 0, 1 and 2 are opened by the runtime where they were closed, and never closed here;
    // the number is not -1.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Makes descriptors 0, 1 and 2 open and inheritable; what was closed becomes /dev/null.
pub fn open_standard() -> io::Result<()> {
    for number in 0..3 {
        // SAFETY: F_GETFD and F_SETFD touch no memory.
        let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
        if flags == -1 {
            // The lowest free number is this one: all below it are open by now.
            // SAFETY: the path is a NUL-terminated literal.
            check(unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) })?;
        } else if flags & libc::FD_CLOEXEC != 0 {
            // SAFETY: as above.
            check(unsafe { libc::fcntl(number, libc::F_SETFD, 0) })?;
        }
    }
    Ok(())
}

/// Puts `fd` on the number given, where an exec keeps it. It is nobody's any more.
pub fn place(fd: OwnedFd, number: RawFd) -> io::Result<()> {
    if fd.as_raw_fd() == number {
        // SAFETY: F_SETFD touches no memory.
        check(unsafe { libc::fcntl(number, libc::F_SETFD, 0) })?;
        let _ = fd.into_raw_fd();
        return Ok(());
    }
    // SAFETY: dup2 touches no memory; whatever stood on the number is replaced by intent.
    check(unsafe { libc::dup2(fd.as_raw_fd(), number) })?;
    Ok(())
}

/// Closes every descriptor from `first` upward. Meant for the moment before an exec or in a
/// freshly forked half: owned descriptors above it are gone, and must not be used again.
pub fn close_from(first: RawFd) -> io::Result<()> {
    // SAFETY: the call takes numbers alone.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
    if done == 0 {
        return Ok(());
    }
    close_one_by_one(first)
}

/// For kernels without close_range (before 5.9): up to the limit, which may have been lowered
/// after the descriptors were opened, so at least to 1024.
fn close_one_by_one(first: RawFd) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid rlimit to write to.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) })?;
    let end = RawFd::try_from(limit.rlim_max.clamp(1024, 1 << 20)).unwrap_or(1024);
    for number in first..end {
        // SAFETY: closing a number that is not open is only an error.
        unsafe { libc::close(number) };
    }
    Ok(())
}

/// Reads from a socket without taking the bytes (MSG_PEEK); blocks until there is one.
pub fn peek(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer and length are those of a live, writable slice.
    let n = check(unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_PEEK) })?;
    Ok(usize::try_from(n).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn closed_numbers_are_nobodys() {
        assert!(inherited(987_654).is_none());
    }

    #[test]
    fn peeked_bytes_stay() {
        let (mut a, mut b) = UnixStream::pair().unwrap();
        a.write_all(b"abc").unwrap();
        let mut buffer = [0u8; 8];
        assert_eq!(peek(b.as_fd(), &mut buffer).unwrap(), 3);
        assert_eq!(b.read(&mut buffer).unwrap(), 3);
        drop(a);
        assert_eq!(peek(b.as_fd(), &mut buffer).unwrap(), 0);
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(peek(file.as_fd(), &mut buffer).unwrap_err().raw_os_error(), Some(libc::ENOTSOCK));
    }

    #[test]
    fn closes_all_above_both_ways() {
        for close in [close_from, close_one_by_one] {
            let status = crate::process::in_child(|| {
                let files: Vec<_> = (0..50).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
                close(3).unwrap();
                std::mem::forget(files);
                let open = (3..1024).filter(|n| {
                    // SAFETY: F_GETFD touches no memory.
                    unsafe { libc::fcntl(*n, libc::F_GETFD) != -1 }
                });
                i32::try_from(open.count()).unwrap()
            });
            assert_eq!(status, 0);
        }
    }

    #[test]
    fn standard_descriptors_are_reopened() {
        let status = crate::process::in_child(|| {
            // SAFETY: this child owns its descriptors and uses none of these.
            unsafe {
                libc::close(0);
                libc::fcntl(1, libc::F_SETFD, libc::FD_CLOEXEC);
                libc::close(2);
            }
            open_standard().unwrap();
            (0..3)
                .map(|n| {
                    // SAFETY: F_GETFD touches no memory.
                    unsafe { libc::fcntl(n, libc::F_GETFD) }
                })
                .map(i32::abs)
                .sum()
        });
        assert_eq!(status, 0);
    }
}
