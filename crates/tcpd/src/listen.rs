//! The sockets that connections come in on: bound here, or handed over by the service manager.

use crate::options::Options;
use crate::ports::{Bind, Port, WILDCARDS};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{self, AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, setsockopt, sockopt};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};

/// Opens all ports of the options, in their order.
pub fn open(options: &Options) -> Result<Vec<TcpListener>, String> {
    let mut sockets = Vec::new();
    for port in &options.ports {
        open_port(*port, options.address, &mut sockets)?;
    }
    Ok(sockets)
}

/// The wildcards are IPv6 first, which takes IPv4 connections as well unless the system says otherwise; then IPv4 is
/// taken already, which is no error, and nor is a host without one of the two.
fn open_port(port: Port, default: Bind, sockets: &mut Vec<TcpListener>) -> Result<(), String> {
    let address = match port.address.unwrap_or(default) {
        Bind::One(address) => {
            sockets.push(bind(SocketAddr::new(address, port.port)).map_err(|e| refusal(address, port.port, &e))?);
            return Ok(());
        }
        Bind::All => WILDCARDS,
    };
    let [six, four] = address;
    match bind(SocketAddr::new(six, port.port)) {
        Ok(socket) => {
            // Port 0: both families are to have the port that was chosen for the first.
            let chosen = socket.local_addr().map_or(port.port, |address| address.port());
            sockets.push(socket);
            sockets.extend(bind(SocketAddr::new(four, chosen)));
            Ok(())
        }
        Err(e)
            if matches!(Errno::from_raw(e.raw_os_error().unwrap_or(0)), Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL) =>
        {
            sockets.push(bind(SocketAddr::new(four, port.port)).map_err(|e| refusal(four, port.port, &e))?);
            Ok(())
        }
        Err(e) => Err(refusal(six, port.port, &e)),
    }
}

fn refusal(address: IpAddr, port: u16, e: &io::Error) -> String {
    format!("unable to listen on {}: {}", SocketAddr::new(address, port), chain::reason(e))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let fd: OwnedFd = socket::socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    setsockopt(&fd, sockopt::ReuseAddr, &true)?;
    // The address of an interface that is not up yet can be bound; a kernel that refuses that loses nothing else.
    let _ = setsockopt(&fd, sockopt::IpFreebind, &true);
    socket::bind(fd.as_raw_fd(), &SockaddrStorage::from(address))?;
    socket::listen(&fd, Backlog::MAXCONN)?;
    prepare(fd)
}

/// What accepted sockets inherit from the one that listens is set here once rather than on each of them.
fn prepare(fd: OwnedFd) -> io::Result<TcpListener> {
    setsockopt(&fd, sockopt::KeepAlive, &true)?;
    setsockopt(&fd, sockopt::TcpNoDelay, &true)?;
    let listener = TcpListener::from(fd);
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The sockets that a service manager passed on (LISTEN_FDS): descriptors 3 and up, of which each must be listening.
pub fn adopt(sockets: Vec<OwnedFd>) -> Result<Vec<TcpListener>, String> {
    let adopt_one = |fd: OwnedFd| -> io::Result<TcpListener> {
        fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        if !socket::getsockopt(&fd, sockopt::AcceptConn)? {
            return Err(io::Error::from(Errno::EINVAL));
        }
        prepare(fd)
    };
    let unusable =
        |e: io::Error| format!("a descriptor of LISTEN_FDS is no listening TCP socket: {}", chain::reason(&e));
    sockets.into_iter().map(|fd| adopt_one(fd).map_err(unusable)).collect()
}
