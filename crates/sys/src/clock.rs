//! What time it is, without the panics of `std::time` on odd clocks.

use nix::libc;

/// Seconds since 1970 by the wall clock.
pub fn seconds() -> i64 {
    read(libc::CLOCK_REALTIME).0
}

/// Nanoseconds since 1970 by the wall clock.
pub fn nanoseconds() -> i128 {
    let (seconds, nanoseconds) = read(libc::CLOCK_REALTIME);
    i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
}

/// Milliseconds of a clock that never goes back, from an arbitrary beginning.
pub fn monotonic_milliseconds() -> u64 {
    let (seconds, nanoseconds) = read(libc::CLOCK_MONOTONIC);
    let seconds = u64::try_from(seconds).unwrap_or(0);
    let nanoseconds = u64::try_from(nanoseconds).unwrap_or(0);
    seconds.saturating_mul(1000).saturating_add(nanoseconds / 1_000_000)
}

// By the system call: a program that asks a few times pays less for that than for finding and
// mapping the pages where the kernel would tell it for nothing.
fn read(clock: libc::clockid_t) -> (i64, i64) {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec to write to; the two clocks used exist on every Linux.
    unsafe { libc::syscall(libc::SYS_clock_gettime, clock, &raw mut now) };
    (now.tv_sec, now.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_run_forward() {
        assert!(seconds() > 1_700_000_000);
        assert!(nanoseconds() / 1_000_000_000 >= i128::from(seconds()) - 1);
        let before = monotonic_milliseconds();
        assert!(monotonic_milliseconds() >= before);
    }
}
