//! The IDENT protocol (RFC 1413): whom the client's host names as the owner of a connection.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage, sockopt};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Instant;

const PORT: u16 = 113;
/// RFC 1413 section 7 allows 1,000 characters.
const LONGEST: u64 = 1000;

/// The owner of the connection from `client` to `server`, where the client's host tells before the deadline.
pub fn owner(client: SocketAddr, server: SocketAddr, deadline: Instant) -> Option<Vec<u8>> {
    let mut stream = connect(client, server, deadline).ok()?;
    stream.set_write_timeout(left(deadline)).ok()?;
    stream.write_all(format!("{}, {}\r\n", client.port(), server.port()).as_bytes()).ok()?;
    let mut line = Vec::new();
    let mut buffer = [0; 512];
    while !line.contains(&b'\n') && (line.len() as u64) < LONGEST {
        stream.set_read_timeout(Some(left(deadline)?)).ok()?;
        let length = stream.read(&mut buffer).ok().filter(|&length| length > 0)?;
        line.extend(buffer.get(..length)?);
    }
    parse(&line)
}

/// From the address to which the client connected: the answer is about that pair.
fn connect(client: SocketAddr, server: SocketAddr, deadline: Instant) -> io::Result<TcpStream> {
    let family = if client.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd: OwnedFd = socket::socket(family, SockType::Stream, flags, None)?;
    socket::bind(fd.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(server.ip(), 0)))?;
    match socket::connect(fd.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(client.ip(), PORT))) {
        Ok(()) | Err(nix::errno::Errno::EINPROGRESS) => {}
        Err(e) => return Err(e.into()),
    }
    let wait = left(deadline).and_then(|left| PollTimeout::try_from(left).ok()).ok_or(io::ErrorKind::TimedOut)?;
    if poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLOUT)], wait)? == 0 {
        return Err(io::ErrorKind::TimedOut.into());
    }
    match socket::getsockopt(&fd, sockopt::SocketError)? {
        0 => {}
        error => return Err(io::Error::from_raw_os_error(error)),
    }
    let stream = TcpStream::from(fd);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

fn left(deadline: Instant) -> Option<std::time::Duration> {
    deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

/// The user of `PORT , PORT : USERID : SYSTEM : USER`, if it may stand in a variable.
fn parse(line: &[u8]) -> Option<Vec<u8>> {
    let end = line.iter().position(|&b| b == b'\n')?;
    let mut fields = line.get(..end)?.splitn(4, |&b| b == b':');
    let (_ports, kind, _system) = (fields.next()?, fields.next()?, fields.next()?);
    let user = fields.next()?.trim_ascii();
    let usable = !user.is_empty() && user.len() <= 100 && user.iter().all(|&b| b.is_ascii_graphic() || b == b' ');
    (kind.trim_ascii() == b"USERID" && usable).then(|| user.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn answers() {
        assert_eq!(parse(b"6193, 23 : USERID : UNIX : stjohns\r\n"), Some(b"stjohns".to_vec()));
        assert_eq!(parse(b"6193,23:USERID:UNIX,utf-8:a:b\n"), Some(b"a:b".to_vec()));
        assert_eq!(parse(b"6193, 23 : ERROR : NO-USER\r\n"), None);
        assert_eq!(parse(b"6193, 23 : USERID : UNIX : \r\n"), None);
        assert_eq!(parse(b"6193, 23 : USERID : UNIX : a\x01b\r\n"), None);
        assert_eq!(parse(b"6193, 23 : USERID : UNIX : cut"), None);
    }

    proptest! {
        #[test]
        fn any_line_is_read_without_a_panic(line in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&line);
        }
    }
}
