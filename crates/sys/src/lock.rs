//! Locks that belong to an open file and die with it (OFD locks).

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use std::io;
use std::os::fd::BorrowedFd;

/// How a file is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Others may hold it shared too.
    Shared,
    /// Nobody else may hold it.
    Exclusive,
}

/// Takes the lock, waiting as long as it takes. (An alarm interrupts the wait.)
pub fn wait(file: BorrowedFd<'_>, kind: Kind) -> io::Result<()> {
    fcntl(file, FcntlArg::F_OFD_SETLKW(&whole(kind.into())))?;
    Ok(())
}

/// Takes the lock if it is free at once; `false` where somebody else has it.
pub fn attempt(file: BorrowedFd<'_>, kind: Kind) -> io::Result<bool> {
    match fcntl(file, FcntlArg::F_OFD_SETLK(&whole(kind.into()))) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// Gives the lock back before the file is closed.
pub fn release(file: BorrowedFd<'_>) -> io::Result<()> {
    let unlock = libc::F_UNLCK as libc::c_short;
    fcntl(file, FcntlArg::F_OFD_SETLK(&whole(unlock)))?;
    Ok(())
}

impl From<Kind> for libc::c_short {
    fn from(kind: Kind) -> libc::c_short {
        match kind {
            Kind::Shared => libc::F_RDLCK as libc::c_short,
            Kind::Exclusive => libc::F_WRLCK as libc::c_short,
        }
    }
}

fn whole(kind: libc::c_short) -> libc::flock {
    // SAFETY: flock is plain numbers; some targets have padding fields of their own names.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd;

    #[test]
    fn one_holder_at_a_time() {
        let path = std::env::temp_dir().join(format!("daisychain-lock-{}", std::process::id()));
        let open = || File::options().read(true).write(true).create(true).truncate(false).open(&path).unwrap();
        let (a, b) = (open(), open());
        wait(a.as_fd(), Kind::Exclusive).unwrap();
        assert!(!attempt(b.as_fd(), Kind::Exclusive).unwrap());
        release(a.as_fd()).unwrap();
        assert!(attempt(b.as_fd(), Kind::Shared).unwrap());
        assert!(attempt(a.as_fd(), Kind::Shared).unwrap());
        drop(b);
        assert!(attempt(a.as_fd(), Kind::Exclusive).unwrap());
        std::fs::remove_file(path).unwrap();
    }
}
