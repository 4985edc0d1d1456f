//! Who is at the other end.

use crate::environment::{Environment, is_harmless, own_set};
use crate::names;
use nix::sys::socket::{SockaddrLike, SockaddrStorage, getpeername, getsockname};
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The connection's two ends, as far as they are known. An empty field is an unknown one: a pipe
/// and a local socket have no addresses, and that is no failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// The client's address, in figures.
    pub remote_ip: Vec<u8>,
    /// The client's port.
    pub remote_port: Vec<u8>,
    /// The client's name.
    pub remote_host: Vec<u8>,
    /// Our address, in figures.
    pub local_ip: Vec<u8>,
    /// Our port.
    pub local_port: Vec<u8>,
}

impl Peer {
    /// From the names under `$PROTO`, else the `TCP` names, else systemd's, else the socket on
    /// descriptor 0.
    pub fn of_connection() -> Peer {
        Peer::from_variables(|name| own_set(name).map(<[u8]>::to_vec))
            .unwrap_or_else(|| Peer::of_socket(sys::descriptors::standard(0)))
    }

    fn from_variables(own: impl Fn(&str) -> Option<Vec<u8>>) -> Option<Peer> {
        let get = |name: &str| own(name).filter(|value| is_harmless(value));
        let proto = get("PROTO").filter(|proto| names::is_proto(proto));
        let proto = proto.and_then(|proto| String::from_utf8(proto).ok());
        for prefix in proto.as_deref().into_iter().chain(["TCP"]) {
            let field = |name: &str| get(&[prefix, name].concat()).unwrap_or_default();
            let peer = Peer {
                remote_ip: field("REMOTEIP"),
                remote_port: field("REMOTEPORT"),
                remote_host: field("REMOTEHOST"),
                local_ip: field("LOCALIP"),
                local_port: field("LOCALPORT"),
            };
            if !peer.remote_ip.is_empty() {
                return Some(peer);
            }
        }
        let remote_ip = get("REMOTE_ADDR")?;
        Some(Peer {
            remote_ip,
            remote_port: get("REMOTE_PORT").unwrap_or_default(),
            ..Peer::of_socket(sys::descriptors::standard(0))
        })
    }

    /// From the socket itself, as under plain inetd. Empty where it is none, or a local one.
    pub fn of_socket(socket: BorrowedFd<'_>) -> Peer {
        let number = socket.as_raw_fd();
        let (remote_ip, remote_port) = address(getpeername(number));
        let (local_ip, local_port) = address(getsockname(number));
        Peer { remote_ip, remote_port, remote_host: Vec::new(), local_ip, local_port }
    }

    /// Is the other end on a network?
    pub fn is_known(&self) -> bool {
        !self.remote_ip.is_empty()
    }

    /// The client's address as people write it: an IPv4 address that came through an IPv6 socket
    /// without its `::ffff:`. For the log and for rules.
    pub fn shown_ip(&self) -> &[u8] {
        let ip = &self.remote_ip;
        ip.strip_prefix(b"::ffff:").filter(|rest| rest.contains(&b'.')).unwrap_or(ip)
    }

    /// Describes the peer under the `TCP` names, which programs of any origin read, where they
    /// are not there already. Without a peer they are those of Courier for that case.
    pub fn describe(&self, next: &mut Environment) {
        let unknown = |value: &[u8], otherwise: &[u8]| match value {
            b"" => otherwise.to_vec(),
            value => value.to_vec(),
        };
        let mut set = |name: &str, value: &[u8]| {
            if !value.is_empty() && next.get(name).is_none_or(<[u8]>::is_empty) {
                next.set(name, value);
            }
        };
        set("TCPREMOTEIP", &unknown(&self.remote_ip, b"127.0.0.1"));
        set("TCPREMOTEPORT", &unknown(&self.remote_port, b"N/A"));
        set("TCPREMOTEHOST", &self.remote_host);
        set("TCPLOCALIP", &self.local_ip);
        set("TCPLOCALPORT", &self.local_port);
    }
}

fn address(found: nix::Result<SockaddrStorage>) -> (Vec<u8>, Vec<u8>) {
    let Ok(found) = found else {
        return Default::default();
    };
    // A socket without a name gives no family at all.
    if found.len() == 0 {
        return Default::default();
    }
    let (ip, port) = match (found.as_sockaddr_in(), found.as_sockaddr_in6()) {
        (Some(v4), _) => (IpAddr::V4(v4.ip()), v4.port()),
        (_, Some(v6)) => (IpAddr::V6(v6.ip()), v6.port()),
        _ => return Default::default(),
    };
    (ip.to_string().into_bytes(), port.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    fn from(given: &[(&str, &str)]) -> Option<Peer> {
        Peer::from_variables(|name| {
            let found = given.iter().find(|(n, _)| *n == name)?;
            Some(found.1.as_bytes().to_vec())
        })
    }

    #[test]
    fn proto_goes_before_tcp() {
        let both = [("PROTO", "SSL"), ("SSLREMOTEIP", "10.0.0.1"), ("SSLREMOTEPORT", "5"), ("TCPREMOTEIP", "10.0.0.2")];
        let peer = from(&both).unwrap();
        assert_eq!(peer.remote_ip, b"10.0.0.1");
        assert_eq!(peer.remote_port, b"5");
        let peer = from(&[("PROTO", "UNIX"), ("TCPREMOTEIP", "::ffff:10.0.0.2")]).unwrap();
        assert_eq!(peer.remote_ip, b"::ffff:10.0.0.2");
        assert_eq!(peer.shown_ip(), b"10.0.0.2");
        assert!(from(&[("PROTO", "UNIX"), ("UNIXREMOTEPID", "1")]).is_none());
    }

    #[test]
    fn values_that_could_forge_a_line_are_unknown() {
        let peer = from(&[("TCPREMOTEIP", "10.0.0.1"), ("TCPREMOTEHOST", "a\nb"), ("TCPREMOTEPORT", "1\r")]).unwrap();
        assert_eq!((&peer.remote_host[..], &peer.remote_port[..]), (&b""[..], &b""[..]));
        assert!(from(&[("TCPREMOTEIP", "10.0.0.1\n")]).is_none());
    }

    #[test]
    fn systemd_has_names_of_its_own() {
        let peer = from(&[("REMOTE_ADDR", "::1"), ("REMOTE_PORT", "99")]).unwrap();
        assert_eq!(peer.remote_ip, b"::1");
        assert_eq!(peer.shown_ip(), b"::1");
        assert_eq!(peer.remote_port, b"99");
    }

    #[test]
    fn a_socket_tells_by_itself() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                eprintln!("skipped: {address} cannot be bound");
                continue;
            };
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (server, from) = listener.accept().unwrap();
            let peer = Peer::of_socket(server.as_fd());
            assert_eq!(peer.remote_ip, from.ip().to_string().as_bytes());
            assert_eq!(peer.remote_port, from.port().to_string().as_bytes());
            let local = listener.local_addr().unwrap();
            assert_eq!(peer.local_ip, local.ip().to_string().as_bytes());
            assert_eq!(peer.local_port, local.port().to_string().as_bytes());
            drop(client);
        }
    }

    #[test]
    fn pipes_and_local_sockets_have_no_peer() {
        let (a, _b) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(Peer::of_socket(a.as_fd()), Peer::default());
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(!Peer::of_socket(file.as_fd()).is_known());
    }

    #[test]
    fn the_next_program_finds_the_tcp_names() {
        let mut next = Environment::default();
        next.set("TCPREMOTEHOST", b"set.before");
        let peer = Peer { remote_ip: b"10.0.0.1".to_vec(), remote_host: b"new".to_vec(), ..Peer::default() };
        peer.describe(&mut next);
        assert_eq!(next.get("TCPREMOTEIP"), Some(&b"10.0.0.1"[..]));
        assert_eq!(next.get("TCPREMOTEPORT"), Some(&b"N/A"[..]));
        assert_eq!(next.get("TCPREMOTEHOST"), Some(&b"set.before"[..]));
        assert_eq!(next.get("TCPLOCALPORT"), None);
        let mut next = Environment::default();
        Peer::default().describe(&mut next);
        assert_eq!(next.get("TCPREMOTEIP"), Some(&b"127.0.0.1"[..]));
    }
}
