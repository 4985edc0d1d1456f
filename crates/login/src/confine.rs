//! What the conversation half may still do: read and write its two descriptors, hand over its
//! record, end.

use chain::environment::own_set;
use chain::{Groups, Identity};
use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Uid, chdir, chroot, getppid};
use std::io;

/// User and group of nobody, whom the kernel itself calls so.
const NOBODY: u32 = 65534;
/// A directory without a file: the open descriptors of a process, which only itself may list, and
/// which dies with it. It is there wherever `/proc` is, and nothing can be put into it.
const EMPTY: &str = "/proc/self/fdinfo";
const DATA: u64 = 4 << 20;

/// The calls of a conversation, the frequent ones first. Memory for the allocator, the clock where
/// the kernel shares none, the rest for the C library.
const CALLS: &[libc::c_long] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_recvfrom,
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_clock_gettime,
    libc::SYS_exit_group,
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_restart_syscall,
];

/// Gives up every right. An error means that the half must end before it reads a byte.
pub fn confine(parent: nix::unistd::Pid) -> Result<(), String> {
    if Uid::effective().is_root() {
        become_nobody()?;
    }
    limit(Resource::RLIMIT_NOFILE, 64)?;
    limit(Resource::RLIMIT_DATA, DATA)?;
    limit(Resource::RLIMIT_NPROC, 0)?;
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|e| told("prctl", e.into()))?;
    if getppid() != parent {
        return Err("the other half is gone".to_owned());
    }
    prctl::set_dumpable(false).map_err(|e| told("prctl", e.into()))?;
    prctl::set_no_new_privs().map_err(|e| told("prctl", e.into()))?;
    // No rule at all: no file, no port.
    if let Some(rules) = sys::landlock::Ruleset::new(landlock_version()).map_err(|e| told("landlock", e))? {
        rules.restrict().map_err(|e| told("landlock", e))?;
    }
    sys::seccomp::allow_only(CALLS, otherwise()).map_err(|e| told("seccomp", e))?;
    Ok(())
}

fn become_nobody() -> Result<(), String> {
    chroot(EMPTY).map_err(|e| told("chroot to /proc/self/fdinfo", e.into()))?;
    chdir("/").map_err(|e| told("chdir", e.into()))?;
    let uid = id("UID");
    let gid = id("GID");
    let identity = Identity { uid, gid, groups: Groups::Only(gid) };
    identity.assume().map_err(|e| e.to_string())
}

/// A number from the environment, as envuidgid puts it there; never root's.
fn id(name: &str) -> u32 {
    own_set(name)
        .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok())
        .filter(|id| *id != 0)
        .unwrap_or(NOBODY)
}

/// Both limits. Who may not have as much has less already.
fn limit(resource: Resource, most: u64) -> Result<(), String> {
    match setrlimit(resource, most, most) {
        Ok(()) | Err(Errno::EPERM) => Ok(()),
        Err(e) => Err(told("setrlimit", e.into())),
    }
}

/// Tests may ask for an older kernel's rules, never for none.
fn landlock_version() -> u32 {
    let ours = sys::landlock::abi();
    own_set("LANDLOCK_ABI")
        .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok())
        .filter(|version| *version >= 1)
        .map_or(ours, |version: u32| ours.min(version))
}

/// Tests may ask to be told of a call outside the list in another way.
fn otherwise() -> sys::seccomp::Action {
    match own_set("SECCOMP_ACTION") {
        Some(b"log") => sys::seccomp::Action::Log,
        Some(b"trap") => sys::seccomp::Action::Trap,
        _ => sys::seccomp::Action::Kill,
    }
}

fn told(what: &str, error: io::Error) -> String {
    format!("{what}: {}", chain::reason(&error))
}
