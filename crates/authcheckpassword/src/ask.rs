//! Asks the checkpassword program, in a child.

use crate::listen::{self, Sender};
use crate::report::Report;
use crate::{PROGRAM, REPORT};
use chain::{Environment, Next, Request, Stage, exit, reason};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use sys::process::Fork;

/// Seconds after which a child that does not end is waited for no more.
const LAST_RESORT: u32 = 75;

/// What the checkpassword program said.
pub enum Answer {
    Accepted(Report, Sender),
    Refused,
    /// Neither, with a sentence for the log.
    Failed(Vec<u8>),
}

/// Runs it with the request, and waits for its answer.
pub fn ask(checkpassword: &[OsString], request: &Request) -> Answer {
    let name = checkpassword.first().map(|path| path.as_bytes()).unwrap_or_default();
    let failed = |why: &str| Answer::Failed([name, b": ", why.as_bytes()].concat());
    match run(checkpassword, request) {
        Ok((Some((report, sender)), _)) => Answer::Accepted(report, sender),
        Ok((None, status)) => match status {
            WaitStatus::Exited(_, exit::REFUSED) => Answer::Refused,
            WaitStatus::Exited(_, code) => failed(&format!("exit {code}")),
            WaitStatus::Signaled(_, signal, _) => failed(&format!("killed by {signal}")),
            _ => failed("no answer"),
        },
        Err(e) => failed(&reason(&e)),
    }
}

fn run(checkpassword: &[OsString], request: &Request) -> io::Result<(Option<(Report, Sender)>, WaitStatus)> {
    // Should it neither speak nor end after all, this ends us; the next program's clock is its own.
    sys::process::alarm(LAST_RESORT);
    let pipe = request.into_pipe()?;
    let (ours, its) = listen::pair()?;
    match sys::process::fork()? {
        Fork::Child => become_checkpassword(checkpassword, pipe, its),
        Fork::Parent(child) => {
            drop((pipe, its));
            let heard = listen::listen(ours);
            if heard.is_err() {
                // It hangs, or talks without end; what it would have said is of no interest any more.
                let _ = kill(child, Signal::SIGKILL);
            }
            let status = wait(child)?;
            Ok((heard?, status))
        }
    }
}

/// The network is not its business: it reads nothing, and what it writes is the report.
fn become_checkpassword(checkpassword: &[OsString], request: OwnedFd, output: OwnedFd) -> ! {
    let mut args = checkpassword.to_vec();
    args.extend([authmodule::neighbour("authcheckpassword").into(), REPORT.into()]);
    let environment = Environment::inherited(Stage::Module);
    let place = || -> io::Result<()> {
        sys::descriptors::place(File::open("/dev/null")?.into(), 0)?;
        sys::descriptors::place(output, 1)
    };
    let error = match place() {
        Ok(()) => chain::exec(Next { args: &args, environment: &environment, request: Some(request) }),
        Err(e) => e,
    };
    let name = checkpassword.first().map(|path| path.as_bytes()).unwrap_or_default();
    PROGRAM.warn(&[b"unable to run ", name, b": ", reason(&error).as_bytes()].concat());
    sys::process::exit_now(exit::TEMPORARY)
}

fn wait(child: Pid) -> io::Result<WaitStatus> {
    loop {
        match waitpid(child, None) {
            Err(nix::errno::Errno::EINTR) => {}
            status => return Ok(status?),
        }
    }
}
