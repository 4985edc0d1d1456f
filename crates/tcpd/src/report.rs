//! What a forked child and the server tell each other before the child becomes the program.
//!
//! A child that reads a PROXY header is the first to know the client's address, but only the server knows how many
//! connections the address has; and lines of the log pass through the server so that their rate is bounded.

use crate::limits::Verdict;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// Longest message: a line of the log.
const LONGEST: usize = 1024;

/// The child's words.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// The client's address, and `MAXCPERIP` where its rule has one; the child waits for the verdict.
    Claim {
        /// In the form in which addresses are compared.
        address: [u8; 16],
        /// In place of `-maxperip`.
        per_address: Option<usize>,
    },
    /// A line for the log.
    Event(Vec<u8>),
    /// A line for the log, about ourselves.
    Warning(Vec<u8>),
}

/// A connected pair: the server's end and the child's.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?)
}

/// Sends a message. A server that is gone, or far behind, is not waited for.
pub fn tell(to: &OwnedFd, message: &Message) {
    let mut bytes = match message {
        Message::Claim { address, per_address } => {
            let limit =
                per_address.and_then(|limit| u32::try_from(limit).ok()).map_or(0, |limit| limit.saturating_add(1));
            [&b"c"[..], address, &limit.to_be_bytes()].concat()
        }
        Message::Event(line) => [&b"e"[..], line].concat(),
        Message::Warning(line) => [&b"w"[..], line].concat(),
    };
    bytes.truncate(LONGEST);
    let _ = send(to.as_raw_fd(), &bytes, MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT);
}

/// Receives a message without waiting; none where the child is done, or spoke nonsense.
pub fn hear(from: &OwnedFd) -> Option<Message> {
    let mut bytes = [0; LONGEST];
    let length = recv(from.as_raw_fd(), &mut bytes, MsgFlags::MSG_DONTWAIT).ok()?;
    let (kind, rest) = bytes.get(..length)?.split_first()?;
    match kind {
        b'c' => {
            let (address, rest) = rest.split_first_chunk::<16>()?;
            let limit = u32::from_be_bytes(rest.try_into().ok()?);
            Some(Message::Claim { address: *address, per_address: limit.checked_sub(1).map(|limit| limit as usize) })
        }
        b'e' => Some(Message::Event(rest.to_vec())),
        b'w' => Some(Message::Warning(rest.to_vec())),
        _ => None,
    }
}

/// Answers a claim.
pub fn answer(to: &OwnedFd, verdict: Verdict) {
    let byte = match verdict {
        Verdict::Admit => b"y",
        Verdict::AddressFull => b"a",
        Verdict::BlockFull => b"b",
        Verdict::Reserved => b"r",
    };
    let _ = send(to.as_raw_fd(), byte, MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT);
}

/// Waits for the answer to a claim; none where the server ended.
pub fn verdict(from: &OwnedFd) -> Option<Verdict> {
    let mut byte = [0];
    recv(from.as_raw_fd(), &mut byte, MsgFlags::empty()).ok()?;
    match byte {
        [b'y'] => Some(Verdict::Admit),
        [b'a'] => Some(Verdict::AddressFull),
        [b'b'] => Some(Verdict::BlockFull),
        [b'r'] => Some(Verdict::Reserved),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_understand_each_other() {
        let (server, child) = pair().unwrap();
        for per_address in [None, Some(0), Some(7)] {
            let claim = Message::Claim { address: [3; 16], per_address };
            tell(&child, &claim);
            assert_eq!(hear(&server), Some(claim));
        }
        tell(&child, &Message::Event(b"line".to_vec()));
        assert_eq!(hear(&server), Some(Message::Event(b"line".to_vec())));
        for said in [Verdict::Admit, Verdict::AddressFull, Verdict::BlockFull, Verdict::Reserved] {
            answer(&server, said);
            assert_eq!(verdict(&child), Some(said));
        }
        assert_eq!(hear(&server), None, "nothing said");
        drop(child);
        assert_eq!(hear(&server), None);
    }
}
