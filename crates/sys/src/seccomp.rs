//! seccomp: which system calls this process may still make.
//!
//! A program lists the calls it needs once its work has begun; any other ends it. The filter is a
//! tree of comparisons: the kernel runs it for each of its five hundred calls when it is installed,
//! so that a straight line would cost more than a login's other work.

use crate::check;
use nix::libc;
use std::io;

/// What becomes of a process that makes a call outside its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is killed. The default in all programs.
    Kill,
    /// The kernel logs it and lets it pass: to find out what a list lacks.
    Log,
    /// It gets SIGSYS, whose default is death with a core: for tests.
    Trap,
}

/// Puts the list in force, for ever. Needs no_new_privs or root.
/// `false` where the kernel has no seccomp filters: nothing is in force then.
pub fn allow_only(calls: &[libc::c_long], otherwise: Action) -> io::Result<bool> {
    let Some(program) = compile(calls, otherwise) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let filter = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: `filter` points to `len` instructions that outlive the call; the kernel copies them.
    let done = check(unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const filter) });
    match done {
        Ok(_) => Ok(true),
        Err(e) if matches!(e.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL)) => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const ARCHITECTURE: u32 = 0xc000_00f3;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
compile_error!("name this architecture's AUDIT_ARCH number here");

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;

/// `None` where the list is longer than a jump reaches.
fn compile(calls: &[libc::c_long], otherwise: Action) -> Option<Vec<libc::sock_filter>> {
    let refuse = match otherwise {
        Action::Kill => libc::SECCOMP_RET_KILL_PROCESS,
        Action::Log => libc::SECCOMP_RET_LOG,
        Action::Trap => libc::SECCOMP_RET_TRAP,
    };
    let numbers: Result<Vec<u32>, _> = calls.iter().map(|call| u32::try_from(*call)).collect();
    let mut numbers = numbers.ok()?;
    numbers.sort_unstable();
    let mut program = Vec::with_capacity(calls.len() * 2 + 8);
    program.push(load(ARCH));
    program.push(jump(libc::BPF_JEQ, ARCHITECTURE, 1, 0));
    // Another architecture's numbers mean other calls (x32 has this one's, with a bit set that no
    // entry of the list has).
    program.push(give(libc::SECCOMP_RET_KILL_PROCESS));
    program.push(load(NUMBER));
    branch(&numbers, refuse, &mut program)?;
    Some(program)
}

/// So many comparisons in a row are as good as a branch.
const LEAF: usize = 4;

/// Appends the verdict over these sorted numbers.
fn branch(numbers: &[u32], refuse: u32, program: &mut Vec<libc::sock_filter>) -> Option<()> {
    if numbers.len() <= LEAF {
        let count = u8::try_from(numbers.len()).ok()?;
        program.extend(numbers.iter().zip((1..=count).rev()).map(|(number, left)| {
            // To the last of the leaf, over the comparisons left and the refusal.
            jump(libc::BPF_JEQ, *number, left, 0)
        }));
        program.push(give(refuse));
        program.push(give(libc::SECCOMP_RET_ALLOW));
        return Some(());
    }
    let (low, high) = numbers.split_at(numbers.len() / 2);
    let fork = program.len();
    program.push(give(refuse));
    branch(low, refuse, program)?;
    let over = u8::try_from(program.len() - fork - 1).ok()?;
    *program.get_mut(fork)? = jump(libc::BPF_JGE, *high.first()?, over, 0);
    branch(high, refuse, program)
}

fn load(offset: u32) -> libc::sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

fn jump(comparison: u32, value: u32, then: u8, otherwise: u8) -> libc::sock_filter {
    instruction(libc::BPF_JMP | comparison | libc::BPF_K, value, then, otherwise)
}

fn give(verdict: u32) -> libc::sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, verdict, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{exit_now, in_child};

    const FEW: &[libc::c_long] = &[libc::SYS_exit_group, libc::SYS_write, libc::SYS_getuid];

    fn confined(action: Action, call: libc::c_long) -> i32 {
        in_child(|| {
            nix::sys::prctl::set_no_new_privs().unwrap();
            let limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            // SAFETY: a valid rlimit to read; and a call without arguments.
            unsafe {
                libc::setrlimit(libc::RLIMIT_CORE, &limit);
                assert!(allow_only(FEW, action).unwrap());
                libc::syscall(call);
            }
            exit_now(0)
        })
    }

    #[test]
    fn listed_calls_pass_and_others_do_not() {
        assert_eq!(confined(Action::Kill, libc::SYS_getuid), 0);
        assert_eq!(confined(Action::Kill, libc::SYS_getpid), 1000 + libc::SIGSYS);
        assert_eq!(confined(Action::Trap, libc::SYS_getpid), 1000 + libc::SIGSYS);
        assert_eq!(confined(Action::Log, libc::SYS_getpid), 0);
    }

    #[test]
    fn exactly_the_list_passes_whatever_its_length() {
        for length in (0..30).chain([60, 120, 200]) {
            let list: Vec<libc::c_long> = (0..length).rev().map(|n| n * 3 + 10).collect();
            let program = compile(&list, Action::Kill).unwrap();
            for number in 0..700 {
                let allowed = run(&program, ARCHITECTURE, number) == libc::SECCOMP_RET_ALLOW;
                assert_eq!(allowed, list.contains(&libc::c_long::from(number)), "{number} of {length}");
            }
            let foreign = run(&program, ARCHITECTURE + 1, 10);
            assert_eq!(foreign, libc::SECCOMP_RET_KILL_PROCESS);
        }
        assert!(compile(&(0..2000).collect::<Vec<_>>(), Action::Kill).is_none());
        assert!(compile(&[-1], Action::Kill).is_none());
    }

    /// The few instructions used, interpreted.
    fn run(program: &[libc::sock_filter], arch: u32, number: u32) -> u32 {
        let (mut at, mut value) = (0, 0);
        loop {
            let step = program[at];
            at += 1;
            match u32::from(step.code) & 7 {
                libc::BPF_LD => value = if step.k == ARCH { arch } else { number },
                libc::BPF_JMP => {
                    let is_equality = u32::from(step.code) & 0xf0 == libc::BPF_JEQ;
                    let holds = if is_equality { value == step.k } else { value >= step.k };
                    at += usize::from(if holds { step.jt } else { step.jf });
                }
                _ => return step.k,
            }
        }
    }
}
