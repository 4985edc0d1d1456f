//! Random bytes from the kernel.

use crate::check;
use nix::libc;
use std::io;

/// Fills `buffer` with random bytes fit for secrets.
pub fn fill(buffer: &mut [u8]) -> io::Result<()> {
    let mut rest = buffer;
    while !rest.is_empty() {
        // The system call itself: the standard library knows libc's `getrandom` as a weak symbol, and in a static
        // program the linker then leaves it at address 0.
        // SAFETY: the pointer and length are those of a live, writable slice.
        let done = check(unsafe { libc::syscall(libc::SYS_getrandom, rest.as_mut_ptr(), rest.len(), 0) });
        match done {
            Ok(n) => {
                let n = usize::try_from(n).unwrap_or(0);
                rest = rest.get_mut(n..).unwrap_or_default();
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_draws_differ() {
        let (mut a, mut b) = ([0u8; 32], [0u8; 32]);
        super::fill(&mut a).unwrap();
        super::fill(&mut b).unwrap();
        assert_ne!(a, b);
    }
}
