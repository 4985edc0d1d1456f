//! Processes: fork, exec, and the state that an exec would hand on by accident.

use crate::check;
use nix::libc;
use std::ffi::{CStr, c_char};
use std::io;
use std::ptr;

/// Which side of a fork this is.
pub enum Fork {
    /// The new process.
    Child,
    /// The old process, with the new one's id.
    Parent(nix::unistd::Pid),
}

/// Forks. The programs of the chain have one thread each, so the child may do anything.
pub fn fork() -> io::Result<Fork> {
    // SAFETY: no program of ours starts a thread, so no lock can be left held in the child.
    let pid = check(unsafe { libc::fork() })?;
    Ok(match pid {
        0 => Fork::Child,
        pid => Fork::Parent(nix::unistd::Pid::from_raw(pid)),
    })
}

/// Ends this process at once, without destructors or buffers: for a forked half.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: ends the process, touches no memory.
    unsafe { libc::_exit(code) }
}

/// Replaces this program. Comes back only with the reason why not.
pub fn execve(path: &CStr, arguments: &[&CStr], environment: &[&CStr]) -> io::Error {
    let arguments = pointers(arguments);
    let environment = pointers(environment);
    // SAFETY: both arrays end in a null pointer and their strings outlive the call.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

fn pointers(strings: &[&CStr]) -> Vec<*const c_char> {
    let mut all = Vec::with_capacity(strings.len() + 1);
    all.extend(strings.iter().map(|s| s.as_ptr()));
    all.push(ptr::null());
    all
}

/// Gives every signal its default disposition, unblocks all signals and stops the timers: SIGPIPE
/// above all, which the Rust runtime ignores and an exec would hand on ignored.
///
/// By system calls, since the C library keeps its own few signals from its callers but not from
/// what was inherited: glibc's posix_spawn starts its programs with signal 32 ignored.
pub fn default_signals() {
    // A zeroed kernel sigaction: SIG_DFL, no flags, empty mask. It is at most 32 bytes.
    let default = [0u64; 8];
    // SAFETY: `default` is larger than any kernel's sigaction, and is only read. Signals that
    // cannot be changed (KILL, STOP) give an error, which is right.
    unsafe {
        for signal in 1..=64 {
            let none = ptr::null_mut::<u64>();
            libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), none, 8usize);
        }
    }
    let empty = 0u64;
    // SAFETY: the kernel's signal set is 8 bytes; only read.
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const empty, ptr::null_mut::<u64>(), 8usize);
    }
    alarm(0);
}

/// Sets the supplementary groups. This and the two below are the bare system calls, which change
/// the calling thread; the C library's make every thread do so, and no program of ours has two.
pub fn set_groups(groups: &[u32]) -> io::Result<()> {
    // SAFETY: the pointer and length are those of a live slice of gid_t.
    check(unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) }).map(drop)
}

/// Sets the real, the effective and the saved group id.
pub fn set_gid(gid: u32) -> io::Result<()> {
    // SAFETY: takes numbers.
    check(unsafe { libc::syscall(libc::SYS_setresgid, gid, gid, gid) }).map(drop)
}

/// Sets the real, the effective and the saved user id.
pub fn set_uid(uid: u32) -> io::Result<()> {
    // SAFETY: takes numbers.
    check(unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) }).map(drop)
}

/// Can this process become root by the call that everybody tries?
pub fn can_become_root() -> bool {
    // SAFETY: takes a number.
    unsafe { libc::syscall(libc::SYS_setuid, 0) == 0 }
}

/// Asks for SIGALRM in so many seconds; 0 takes it back.
pub fn alarm(seconds: u32) {
    // SAFETY: takes a number.
    unsafe { libc::alarm(seconds) };
}

/// Lets a signal kill the process as it does by default.
pub fn default_signal(signal: nix::sys::signal::Signal) {
    // SAFETY: SIG_DFL runs no code of ours.
    unsafe { libc::signal(signal as libc::c_int, libc::SIG_DFL) };
}

/// Runs `child` in a forked process and gives its exit code, or 1000 + signal. For tests.
#[cfg(test)]
pub(crate) fn in_child(child: impl FnOnce() -> i32) -> i32 {
    use nix::sys::wait::{WaitStatus, waitpid};
    match fork().unwrap() {
        Fork::Child => {
            let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(99);
            exit_now(code)
        }
        Fork::Parent(pid) => match waitpid(pid, None).unwrap() {
            WaitStatus::Exited(_, code) => code,
            WaitStatus::Signaled(_, signal, _) => 1000 + signal as i32,
            other => panic!("{other:?}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = |name: &str| {
            let hex = status.lines().find_map(|l| l.strip_prefix(name)).unwrap();
            u64::from_str_radix(hex.trim(), 16).unwrap()
        };
        line("SigIgn:") | line("SigCgt:") | line("SigBlk:")
    }

    #[test]
    fn all_signals_become_default() {
        let code = in_child(|| {
            // SAFETY: plain settings of this child's own signals.
            unsafe {
                for signal in [libc::SIGPIPE, libc::SIGCHLD, libc::SIGHUP, libc::SIGSYS] {
                    libc::signal(signal, libc::SIG_IGN);
                }
                // As glibc's posix_spawn leaves it, and its sigaction refuses to.
                let ignore = [1u64, 0, 0, 0];
                libc::syscall(libc::SYS_rt_sigaction, 32, ignore.as_ptr(), ptr::null_mut::<u64>(), 8usize);
                let mut all = std::mem::zeroed();
                libc::sigfillset(&mut all);
                libc::sigprocmask(libc::SIG_SETMASK, &all, ptr::null_mut());
                libc::alarm(1000);
            }
            assert_ne!(ignored(), 0);
            default_signals();
            // SAFETY: takes a number.
            let left = unsafe { libc::alarm(0) };
            i32::from(ignored() != 0 || left != 0)
        });
        assert_eq!(code, 0);
    }

    #[test]
    fn exec_gives_arguments_and_environment() {
        let code = in_child(|| {
            let e = execve(
                c"/bin/sh",
                &[c"sh", c"-c", c"test \"$A\" = b && test \"$1\" = x && exit 7", c"0", c"x"],
                &[c"A=b"],
            );
            e.raw_os_error().unwrap_or(98)
        });
        assert_eq!(code, 7);
        assert_eq!(execve(c"/nonexistent", &[], &[]).raw_os_error(), Some(libc::ENOENT));
    }
}
