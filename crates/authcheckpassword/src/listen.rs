//! The socket on which the child reports, and what the kernel says of who reported.

use crate::report::{self, Report};
use nix::cmsg_space;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixCredentials, recvmsg, setsockopt, socketpair,
    sockopt,
};
use std::fs;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};

/// Longest output of the child that is read.
const LONGEST: usize = 65_536;
/// How long it may take, as long as a login may.
const PATIENCE_MS: u64 = 60_000;

/// The ids of the process that reported.
pub struct Sender {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
}

/// Our end and the child's. Ours learns from the kernel who wrote.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, its) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?;
    setsockopt(&ours, sockopt::PassCred, &true)?;
    Ok((ours, its))
}

/// Reads until there is a whole report, or the end. The reporter is still there when its groups are looked up, as it
/// waits for us to close.
pub fn listen(socket: OwnedFd) -> io::Result<Option<(Report, Sender)>> {
    let deadline = sys::clock::monotonic_milliseconds() + PATIENCE_MS;
    let mut output = Vec::new();
    while let Some(writer) = receive(&socket, deadline, &mut output)? {
        if let Some(report) = report::parse(&output) {
            return Ok(Some((report, sender(&writer)?)));
        }
        if output.len() > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(None)
}

/// Appends what was written and gives who wrote it; none at the end. Words of two processes never come in one piece.
fn receive(socket: &OwnedFd, deadline: u64, output: &mut Vec<u8>) -> io::Result<Option<UnixCredentials>> {
    wait_until_readable(socket, deadline)?;
    let mut buffer = [0; 4096];
    let mut space = cmsg_space!(UnixCredentials);
    let mut pieces = [IoSliceMut::new(&mut buffer)];
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut pieces, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
    let writer = message.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::ScmCredentials(credentials) => Some(credentials),
        _ => None,
    });
    let length = message.bytes;
    output.extend_from_slice(buffer.get(..length).unwrap_or_default());
    match (length, writer) {
        (0, _) => Ok(None),
        (_, Some(writer)) => Ok(Some(writer)),
        (_, None) => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn wait_until_readable(socket: &OwnedFd, deadline: u64) -> io::Result<()> {
    loop {
        let left = deadline.saturating_sub(sys::clock::monotonic_milliseconds());
        if left == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(e) => return Err(e.into()),
        }
    }
}

/// Ids from the kernel, and the supplementary groups of that process.
fn sender(writer: &UnixCredentials) -> io::Result<Sender> {
    let status = fs::read_to_string(format!("/proc/{}/status", writer.pid()))?;
    let ids = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().map(|id| id.parse().ok()).collect::<Option<Vec<u32>>>()
    };
    // Another process that got the number meanwhile may not lend its groups.
    let is_same = ids("Uid:").is_some_and(|uids| uids.iter().all(|&uid| uid == writer.uid()));
    match ids("Groups:") {
        Some(groups) if is_same => Ok(Sender { uid: writer.uid(), gid: writer.gid(), groups }),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}
