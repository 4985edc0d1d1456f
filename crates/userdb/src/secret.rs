//! Lines that a person types or a script sends: secrets without echo, never in arguments.

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use zeroize::Zeroizing;

/// Longest line.
const LONGEST: usize = 4096;

/// One line from descriptor 0, without its LF; on a terminal after a prompt. None at the end of the input.
pub(crate) fn line(prompt: &[u8], echo: bool) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return read_line();
    }
    // The echo is off before the prompt invites anybody to type.
    let _silence = if echo { None } else { Silence::begin()? };
    io::stderr().write_all(prompt)?;
    let line = read_line();
    if !echo {
        io::stderr().write_all(b"\n")?;
    }
    // With the signals off, a ^C stands in the line.
    Ok(line?.filter(|line| !line.iter().any(|byte| *byte < b' ' && *byte != b'\t')))
}

/// A new password: typed twice on a terminal, else one line. None where there is no line, it is empty, or the two differ.
pub(crate) fn new_password() -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let Some(password) = line(b"Password: ", false)?.filter(|password| !password.is_empty()) else {
        return Ok(None);
    };
    if io::stdin().is_terminal() && line(b"Reenter password: ", false)?.as_deref() != Some(&*password) {
        io::stderr().write_all(b"The passwords differ.\n")?;
        return Ok(None);
    }
    Ok(Some(password))
}

/// Byte by byte, so that what stands behind the line is the next reader's, and no buffer keeps a copy.
fn read_line() -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut stdin = Unbuffered;
    let mut byte = [0];
    loop {
        if stdin.read(&mut byte)? == 0 {
            return Ok((!line.is_empty()).then_some(line));
        }
        match byte {
            [b'\n'] => return Ok(Some(line)),
            _ if line.len() == LONGEST => return Err(io::ErrorKind::InvalidData.into()),
            [byte] => line.push(byte),
        }
    }
}

/// Descriptor 0 without std's buffer.
struct Unbuffered;

impl io::Read for Unbuffered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match nix::unistd::read(sys::descriptors::standard(0), buffer) {
                Err(nix::errno::Errno::EINTR) => {}
                result => return Ok(result?),
            }
        }
    }
}

/// A terminal that does not echo, until this is dropped; no signal from it can end us before.
struct Silence(Termios);

impl Silence {
    fn begin() -> io::Result<Option<Silence>> {
        let stdin = sys::descriptors::standard(0);
        let before = tcgetattr(stdin)?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO | LocalFlags::ISIG);
        tcsetattr(stdin, SetArg::TCSAFLUSH, &silent)?;
        Ok(Some(Silence(before)))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(sys::descriptors::standard(0), SetArg::TCSANOW, &self.0);
    }
}
