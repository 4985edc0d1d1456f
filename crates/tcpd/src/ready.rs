//! Telling whoever started us that connections are taken from now on.

use std::io::{self, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// `-1`: the port of each socket on descriptor 1, a line each.
pub fn print_ports(sockets: &[TcpListener]) -> io::Result<()> {
    let mut text = Vec::new();
    let mut last = None;
    for socket in sockets {
        let port = socket.local_addr()?.port();
        // The two wildcards of one port are one line.
        if last.replace(port) != Some(port) {
            writeln!(text, "{port}")?;
        }
    }
    write_all(sys::descriptors::standard(1), &text)
}

/// `-notify-fd`: a newline there, and its end.
pub fn notify(fd: OwnedFd) -> io::Result<()> {
    write_all(&fd, b"\n")
}

/// `NOTIFY_SOCKET`: the datagram that a service manager of the kind of systemd waits for.
pub fn notify_socket() -> io::Result<()> {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return Ok(()) };
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(abstract_name) => SocketAddr::from_abstract_name(abstract_name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    UnixDatagram::unbound()?.send_to_addr(b"READY=1\n", &address).map(|_| ())
}

fn write_all(fd: impl std::os::fd::AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::write(&fd, bytes) {
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(nix::errno::Errno::EINTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}
