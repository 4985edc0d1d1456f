//! What the session gives up once it is known whom it serves, before the first
//! byte of the client or of mail is looked at.

use std::os::fd::BorrowedFd;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sys::landlock::{self, Access, Ruleset};

/// Memory for data: far above any session's need, far below the machine's.
const DATA: u64 = 256 * 1024 * 1024;
/// Descriptors.
const NOFILE: u64 = 256;

/// No new rights, bounded resources, and nothing of the file system but the Maildir.
/// `abi`: behave as under a kernel whose landlock is of this version, if it is older than ours.
pub fn close(maildir: BorrowedFd<'_>, abi: Option<u32>) -> std::io::Result<()> {
    for (resource, limit) in
        [(Resource::RLIMIT_CORE, 0), (Resource::RLIMIT_NOFILE, NOFILE), (Resource::RLIMIT_DATA, DATA)]
    {
        lower(resource, limit)?;
    }
    nix::sys::prctl::set_no_new_privs()?;
    confine(maildir, abi.unwrap_or(landlock::NEWEST))
}

/// Never above what the administrator's softlimit allows.
fn lower(resource: Resource, limit: u64) -> std::io::Result<()> {
    let (soft, hard) = getrlimit(resource)?;
    Ok(setrlimit(resource, soft.min(limit), hard.min(limit))?)
}

/// Landlock. A kernel that has none, or only its first version (which forbids every
/// rename from one directory to another), leaves us as we are.
fn confine(maildir: BorrowedFd<'_>, newest: u32) -> std::io::Result<()> {
    match Ruleset::new(landlock::abi().min(landlock::NEWEST).min(newest))? {
        Some(rules) if rules.permits_moves() => {
            rules.allow(maildir, Access::ReadWrite)?;
            rules.restrict()
        }
        _ => Ok(()),
    }
}
