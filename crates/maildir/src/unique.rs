//! Names that nobody has used: for temporary files and for new messages.

use std::sync::atomic::{AtomicU32, Ordering};

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A name in `tmp/`, in Courier's shape, `tag` telling its use.
pub fn temporary_name(tag: &[u8]) -> Vec<u8> {
    let (seconds, micros) = now();
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut name =
        format!("{seconds}.M{micros:06}P{}_{count}{:06x}", std::process::id(), random() & 0xff_ffff).into_bytes();
    name.push(b'.');
    push_host(&mut name, tag);
    name
}

/// The base name of a message whose file is `device`/`inode`: unique without a look at the directory.
///
/// At most 70 bytes up to the first comma where `host` allows it: POP3 UIDLs are made of it.
pub fn message_base(host: &[u8], device: u64, inode: u64, size: Option<u64>) -> Vec<u8> {
    let (seconds, micros) = now();
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let random = random() & 0xffff;
    let pid = std::process::id();
    let mut name = format!("{seconds}.M{micros:06}P{pid}V{device:X}I{inode:X}_{count}{random:04x}.").into_bytes();
    push_host(&mut name, host);
    if let Some(size) = size {
        name.extend_from_slice(format!(",S={size}").as_bytes());
    }
    name
}

/// Bytes that mean something in a file name of a Maildir are written as `\ooo`, as the Maildir page asks.
fn push_host(name: &mut Vec<u8>, host: &[u8]) {
    let host = if host.is_empty() { b"localhost" } else { host };
    for &byte in host.iter().take(64) {
        match byte {
            b'/' | b':' | b',' | b'\\' | 0..=32 | 127.. => name.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
            _ => name.push(byte),
        }
    }
}

/// Seconds and microseconds of the clock.
pub(crate) fn now() -> (u64, u32) {
    let nanos = sys::clock::nanoseconds().max(0);
    let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(0);
    (seconds, u32::try_from(nanos % 1_000_000_000 / 1000).unwrap_or(0))
}

fn random() -> u32 {
    let mut bytes = [0; 4];
    // Without it names are still unique: pid, time, counter.
    let _ = sys::random::fill(&mut bytes);
    u32::from_ne_bytes(bytes)
}
