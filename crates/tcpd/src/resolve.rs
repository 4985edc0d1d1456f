//! The name of an address, asked of the system's resolvers with a deadline.

use crate::dns::{self, Answer, Kind, Record};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// What is known of an address's name.
#[derive(Debug, PartialEq, Eq)]
pub enum Name {
    /// A name that leads back to the address.
    Confirmed(Vec<u8>),
    /// No name, or none that leads back.
    None,
    /// The resolvers did not tell.
    Unknown,
}

/// The wait for one server before the next is asked.
const ONE_WAIT: Duration = Duration::from_millis(1500);
/// Names of one address that are looked at.
const NAMES: usize = 4;

/// The servers to ask: `$DNSCACHEIP`, else those of `resolv.conf`, else this host.
pub fn servers(dnscacheip: Option<&str>, resolv_conf: &str) -> Vec<SocketAddr> {
    let listed = |text: &str| text.split([' ', ',']).filter_map(|word| word.parse().ok()).collect::<Vec<IpAddr>>();
    let mut addresses = dnscacheip.map(listed).unwrap_or_default();
    if addresses.is_empty() {
        let lines = resolv_conf.lines().filter_map(|line| line.strip_prefix("nameserver"));
        addresses = lines.filter_map(|rest| rest.split_ascii_whitespace().next()?.parse().ok()).collect();
    }
    if addresses.is_empty() {
        addresses = vec![IpAddr::from([127, 0, 0, 1])];
    }
    addresses.into_iter().take(3).map(|address| SocketAddr::new(address, 53)).collect()
}

/// The name of an address that leads back to it.
pub fn name_of(address: IpAddr, servers: &[SocketAddr], deadline: Instant) -> Name {
    let address = address.to_canonical();
    let Some(names) = ask(&dns::reverse_name(address), Kind::Ptr, servers, deadline) else { return Name::Unknown };
    let kind = if address.is_ipv4() { Kind::A } else { Kind::Aaaa };
    let mut doubt = false;
    for record in names.into_iter().take(NAMES) {
        let Record::Name(name) = record else { continue };
        match ask(&name, kind, servers, deadline) {
            Some(records) if records.contains(&Record::Address(address)) => return Name::Confirmed(name),
            Some(_) => {}
            None => doubt = true,
        }
    }
    if doubt { Name::Unknown } else { Name::None }
}

/// The records of a name; none where nobody told before the deadline.
fn ask(name: &[u8], kind: Kind, servers: &[SocketAddr], deadline: Instant) -> Option<Vec<Record>> {
    for server in servers.iter().cycle() {
        let wait = deadline.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero())?;
        match ask_one(name, kind, *server, wait.min(ONE_WAIT)) {
            Ok(Answer::Records(records)) => return Some(records),
            // A server that fails at once must not be asked in a tight loop.
            Ok(Answer::Failed) if servers.len() == 1 => return None,
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => return None,
            Err(e)
                if !matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) && servers.len() == 1 =>
            {
                return None;
            }
            _ => {}
        }
        if servers.last() == Some(server) && wait < ONE_WAIT {
            return None;
        }
    }
    None
}

fn ask_one(name: &[u8], kind: Kind, server: SocketAddr, wait: Duration) -> io::Result<Answer> {
    let mut id = [0; 2];
    sys::random::fill(&mut id)?;
    let question = dns::question(u16::from_ne_bytes(id), name, kind).ok_or(io::ErrorKind::InvalidInput)?;
    // Each question from a port of its own that the system chooses; connected, so that only this server is heard.
    let any: SocketAddr = if server.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    socket.send(&question)?;
    let end = Instant::now() + wait;
    let mut bytes = [0; 4096];
    loop {
        let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        socket.set_read_timeout(Some(left.ok_or(io::ErrorKind::TimedOut)?))?;
        let length = socket.recv(&mut bytes)?;
        if let Some(answer) = dns::answer(&question, kind, bytes.get(..length).unwrap_or_default()) {
            return Ok(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_found() {
        let conf = "# x\nnameserver 192.0.2.1\nsearch example.org\nnameserver\t2001:db8::1 # y\nnameserver bad\n";
        let list = |servers: Vec<SocketAddr>| servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(list(servers(None, conf)), "192.0.2.1:53 [2001:db8::1]:53");
        assert_eq!(list(servers(Some("127.0.0.9"), conf)), "127.0.0.9:53");
        assert_eq!(list(servers(Some("nonsense"), conf)), "192.0.2.1:53 [2001:db8::1]:53");
        assert_eq!(list(servers(None, "")), "127.0.0.1:53");
    }
}
