//! How old a directory's time must be before it proves that nothing happened since.

use crate::dir::{Dir, Stamp};
use std::time::Duration;

/// The clock's grain on an account's file system.
#[derive(Debug, Clone, Copy)]
pub struct Grain(Duration);

/// Times taken from the tick: two changes within one look the same.
const TICK: Duration = Duration::from_millis(20);
/// Times that keep whole seconds only (ext4 with small inodes, some network file systems).
const SECONDS: Duration = Duration::from_secs(2);

/// File systems that give a directory a fresh time for the first change after somebody looked, since Linux 6.13.
const FINE: [i64; 4] = [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994];

impl Grain {
    /// The grain where `dir` lies.
    pub fn of(dir: &Dir) -> Grain {
        // The C libraries do not agree on the number's sign.
        let is_fine = |kind: i128| FINE.iter().any(|fine| i128::from(*fine) == kind);
        let kind = nix::sys::statfs::fstatfs(dir).map(|fs| i128::from(fs.filesystem_type().0));
        let fine = kernel_is_fine() && kind.is_ok_and(is_fine);
        Grain(if fine { Duration::ZERO } else { TICK })
    }

    /// Whether a change after `stamp` was read would have shown another time.
    pub fn has_passed(self, stamp: Stamp) -> bool {
        let whole = |nanos: i128| nanos % 1_000_000_000 == 0;
        let grain = if whole(stamp.modified) && whole(stamp.changed) { SECONDS } else { self.0 };
        if grain.is_zero() {
            return true;
        }
        let age = sys::clock::nanoseconds() - stamp.modified.max(stamp.changed);
        u128::try_from(age).is_ok_and(|age| age > grain.as_nanos())
    }
}

fn kernel_is_fine() -> bool {
    let Ok(name) = nix::sys::utsname::uname() else { return false };
    let release = name.release().as_encoded_bytes();
    let mut numbers = release.split(|b| !b.is_ascii_digit()).map(|n| std::str::from_utf8(n).ok()?.parse::<u32>().ok());
    let (major, minor) = (numbers.next().flatten().unwrap_or(0), numbers.next().flatten().unwrap_or(0));
    (major, minor) >= (6, 13)
}
