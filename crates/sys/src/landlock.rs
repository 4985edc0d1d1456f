//! Landlock: which files and ports this process may still reach.
//!
//! Asks for every right the kernel knows, up to those known here. What is not allowed by a rule
//! is denied from [`Ruleset::restrict`] on, in this process and all that come from it.

use crate::check;
use nix::libc;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The highest interface version whose rights are named here.
pub const NEWEST: u32 = 6;

const VERSION_FLAG: u32 = 1;
const RULE_PATH_BENEATH: u32 = 1;

const EXECUTE: u64 = 1 << 0;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const IOCTL_DEV: u64 = 1 << 15;
/// ABI 1 has the bits up to MAKE_SYM (12).
const FIRST: u64 = (1 << 13) - 1;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
const BIND_TCP_AND_CONNECT_TCP: u64 = 3;
const SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS: u64 = 3;

/// What a rule allows below a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read files and list directories.
    Read,
    /// Everything but running programs and device controls.
    ReadWrite,
}

#[repr(C)]
struct RulesetAttributes {
    filesystem: u64,
    network: u64,
    scoped: u64,
}

#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: libc::c_int,
}

/// The interface version of the running kernel; 0 where it has none or it is switched off.
pub fn abi() -> u32 {
    let none = std::ptr::null::<RulesetAttributes>();
    // SAFETY: with the version flag the kernel reads no memory.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, 0usize, VERSION_FLAG) };
    u32::try_from(version).unwrap_or(0)
}

/// Rules being gathered.
pub struct Ruleset {
    fd: OwnedFd,
    filesystem: u64,
}

impl Ruleset {
    /// Denies everything that interface version `abi` can deny. Pass [`abi()`], or a lower number
    /// to behave as an older kernel would. `None` where the version is 0.
    pub fn new(abi: u32) -> io::Result<Option<Ruleset>> {
        if abi == 0 {
            return Ok(None);
        }
        let attributes = RulesetAttributes {
            filesystem: filesystem_rights(abi),
            network: if abi >= 4 { BIND_TCP_AND_CONNECT_TCP } else { 0 },
            scoped: if abi >= 6 { SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS } else { 0 },
        };
        // Older kernels take a shorter structure.
        let size = match abi {
            0..=3 => 8usize,
            4..=5 => 16,
            _ => 24,
        };
        // SAFETY: the structure is at least `size` bytes and only read.
        let fd = check(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, &raw const attributes, size, 0u32) })?;
        let fd = libc::c_int::try_from(fd).map_err(|_| io::Error::from(io::ErrorKind::Other))?;
        Ok(Some(Ruleset {
            // SAFETY: the kernel just made this descriptor for us; it is close-on-exec.
            fd: unsafe { OwnedFd::from_raw_fd(fd) },
            filesystem: attributes.filesystem,
        }))
    }

    /// Can files be moved between directories under these rules? Not with version 1.
    pub fn permits_moves(&self) -> bool {
        self.filesystem & REFER != 0
    }

    /// Allows access at and below what `place` is open on (a directory, or one file).
    pub fn allow(&self, place: BorrowedFd<'_>, access: Access) -> io::Result<()> {
        let mut rights = match access {
            Access::Read => READ_FILE | READ_DIR,
            Access::ReadWrite => !(EXECUTE | IOCTL_DEV),
        };
        rights &= self.filesystem;
        if !crate::files::Status::of(place)?.is_directory() {
            // The others make no sense on a file, and are refused.
            rights &= READ_FILE | WRITE_FILE | TRUNCATE;
        }
        let rule = PathBeneath { allowed: rights, parent: place.as_raw_fd() };
        // SAFETY: the rule has the layout of the rule type named and is only read.
        check(unsafe {
            libc::syscall(libc::SYS_landlock_add_rule, self.fd.as_raw_fd(), RULE_PATH_BENEATH, &raw const rule, 0u32)
        })?;
        Ok(())
    }

    /// Puts the rules in force, for ever. Needs no_new_privs or root.
    pub fn restrict(self) -> io::Result<()> {
        // SAFETY: takes a descriptor and flags.
        check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, self.fd.as_raw_fd(), 0u32) })?;
        Ok(())
    }
}

fn filesystem_rights(abi: u32) -> u64 {
    let mut rights = FIRST;
    if abi >= 2 {
        rights |= REFER;
    }
    if abi >= 3 {
        rights |= TRUNCATE;
    }
    if abi >= 5 {
        rights |= IOCTL_DEV;
    }
    rights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::in_child;
    use std::fs::{self, File};
    use std::net::TcpListener;
    use std::os::fd::AsFd;

    #[test]
    fn denies_all_but_what_is_allowed() {
        let base = std::env::temp_dir().join(format!("daisychain-landlock-{}", std::process::id()));
        for version in [abi(), abi().min(2)] {
            if version == 0 {
                eprintln!("skipped: this kernel has no landlock");
                return;
            }
            let _ = fs::remove_dir_all(&base);
            fs::create_dir_all(base.join("mail/tmp")).unwrap();
            fs::create_dir_all(base.join("mail/cur")).unwrap();
            fs::create_dir_all(base.join("lists")).unwrap();
            fs::write(base.join("lists/x"), "x").unwrap();
            let code = in_child(|| {
                let rules = Ruleset::new(version).unwrap().unwrap();
                let mail = File::open(base.join("mail")).unwrap();
                rules.allow(mail.as_fd(), Access::ReadWrite).unwrap();
                let list = File::open(base.join("lists/x")).unwrap();
                rules.allow(list.as_fd(), Access::Read).unwrap();
                let moves = rules.permits_moves();
                nix::sys::prctl::set_no_new_privs().unwrap();
                rules.restrict().unwrap();
                fs::write(base.join("mail/tmp/1"), "m").unwrap();
                let moved = fs::rename(base.join("mail/tmp/1"), base.join("mail/cur/1"));
                assert_eq!(moved.is_ok(), moves);
                fs::read(base.join("lists/x")).unwrap();
                assert!(fs::read("/etc/passwd").is_err());
                assert!(fs::write(base.join("lists/x"), "y").is_err());
                assert!(fs::read_dir(&base).is_err());
                let bound = TcpListener::bind("127.0.0.1:0");
                assert_eq!(bound.is_err(), version >= 4);
                0
            });
            assert_eq!(code, 0, "version {version}");
        }
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn version_zero_is_no_ruleset() {
        assert!(Ruleset::new(0).unwrap().is_none());
    }
}
