//! The program at the end of an accepted connection: started beside us, or in place of a forked child.

use crate::options::{Options, Stderr};
use crate::rule::Variable;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::SigSet;
use nix::unistd::{Pid, dup2_stderr, dup2_stdin, dup2_stdout};
use std::ffi::{CStr, CString};
use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;

/// All that is the same for every connection.
pub struct Launch {
    args: Vec<CString>,
    environment: Vec<CString>,
    stderr_is_socket: bool,
    attributes: PosixSpawnAttr,
}

impl Launch {
    /// For the program of the options, with an environment of what may pass from ours.
    pub fn new(options: &Options, environment: &chain::Environment) -> io::Result<Launch> {
        let args = options.program.iter().map(|arg| CString::new(arg.as_bytes())).collect::<Result<_, _>>()?;
        let environment = environment.entries().into_iter().map(CStr::to_owned).collect();
        let mut attributes = PosixSpawnAttr::init()?;
        // No signal is ignored since our start, so the mask is all there is to undo.
        attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK)?;
        attributes.set_sigmask(&SigSet::empty())?;
        Ok(Launch { args, environment, stderr_is_socket: options.stderr == Stderr::Socket, attributes })
    }

    /// Starts the program on the connection. The child borrows our memory until its exec, so nothing of ours is
    /// copied; the connection stays ours to close, or to apologise on where there is no child.
    pub fn spawn(&self, stream: &TcpStream, variables: &[Variable]) -> io::Result<Pid> {
        let own = own(variables)?;
        let mut descriptors = PosixSpawnFileActions::init()?;
        descriptors.add_dup2(stream.as_raw_fd(), 0)?;
        descriptors.add_dup2(stream.as_raw_fd(), 1)?;
        if self.stderr_is_socket {
            descriptors.add_dup2(stream.as_raw_fd(), 2)?;
        }
        let environment = self.environment(variables, &own);
        let program = self.program()?;
        Ok(posix_spawn(program, &descriptors, &self.attributes, &self.args, &environment)?)
    }

    /// Becomes the program; comes back only with the reason why not.
    pub fn exec(&self, stream: &TcpStream, variables: &[Variable]) -> io::Error {
        match self.become_program(stream, variables) {
            Ok(never) => match never {},
            Err(e) => e,
        }
    }

    fn become_program(&self, stream: &TcpStream, variables: &[Variable]) -> io::Result<std::convert::Infallible> {
        dup2_stdin(stream)?;
        dup2_stdout(stream)?;
        if self.stderr_is_socket {
            dup2_stderr(stream)?;
        }
        let own = own(variables)?;
        let args: Vec<&CStr> = self.args.iter().map(CString::as_c_str).collect();
        sys::process::default_signals();
        Err(sys::process::execve(self.program()?, &args, &self.environment(variables, &own)))
    }

    /// The words for a program that does not start.
    pub fn failure(&self, e: &io::Error) -> Vec<u8> {
        let program = self.args.first().map(|program| program.as_bytes()).unwrap_or_default();
        [b"unable to run ", program, b": ", chain::reason(e).as_bytes()].concat()
    }

    fn program(&self) -> io::Result<&CStr> {
        self.args.first().map(CString::as_c_str).ok_or(io::ErrorKind::InvalidInput.into())
    }

    /// What passes from our environment, without the names that this connection sets, and what it sets.
    fn environment<'a>(&'a self, variables: &[Variable], own: &'a [CString]) -> Vec<&'a CStr> {
        let is_set = |entry: &CStr| {
            let entry = entry.to_bytes();
            variables
                .iter()
                .any(|(name, _)| entry.strip_prefix(name.as_slice()).is_some_and(|rest| rest.starts_with(b"=")))
        };
        let inherited = self.environment.iter().map(CString::as_c_str).filter(|entry| !is_set(entry));
        inherited.chain(own.iter().map(CString::as_c_str)).collect()
    }
}

fn own(variables: &[Variable]) -> io::Result<Vec<CString>> {
    let entry = |(name, value): &Variable| Ok(CString::new([name, &b"="[..], value].concat())?);
    variables.iter().map(entry).collect()
}
