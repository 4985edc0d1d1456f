//! The port list: `143`, `imap`, `127.0.0.1.1143`, `::1.1143`, separated by commas.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One item of a port list, or of the ports that `-haproxy` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// The address before the last dot; none stands for `-address`.
    pub address: Option<Bind>,
    /// The port; 0 lets the system choose one.
    pub port: u16,
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    /// Every address of the host: the IPv6 wildcard, then the IPv4 wildcard.
    All,
    /// One address.
    One(IpAddr),
}

impl Bind {
    /// Reads an address; `0` and the empty word stand for all.
    pub fn parse(text: &str) -> Option<Bind> {
        match text {
            "" | "0" => Some(Bind::All),
            _ => text.parse().ok().map(Bind::One),
        }
    }
}

/// Reads a port list. `services` is the text of `/etc/services`.
pub fn parse(list: &str, services: &str) -> Result<Vec<Port>, String> {
    list.split(',').map(|item| item_of(item, services).ok_or_else(|| item.to_owned())).collect()
}

/// True where a word can only be a port list: what a program's path never is.
pub fn looks_like_list(word: &str, services: &str) -> bool {
    !word.contains('/') && parse(word, services).is_ok()
}

/// A service name may contain a dot, so the whole item is looked up before it is cut.
fn item_of(item: &str, services: &str) -> Option<Port> {
    if let Some(port) = number_of(item, services) {
        return Some(Port { address: None, port });
    }
    let (address, port) = item.rsplit_once('.')?;
    Some(Port {
        address: Some(Bind::parse(address).filter(|_| !address.is_empty())?),
        port: number_of(port, services)?,
    })
}

fn number_of(word: &str, services: &str) -> Option<u16> {
    service(word, services).or_else(|| word.bytes().all(|b| b.is_ascii_digit()).then(|| word.parse().ok()).flatten())
}

/// The TCP port of a service by its name or an alias of it.
fn service(name: &str, services: &str) -> Option<u16> {
    services.lines().find_map(|line| {
        let line = line.split('#').next()?;
        let mut words = line.split_ascii_whitespace();
        let first = words.next()?;
        let port = words.next()?.strip_suffix("/tcp")?;
        (first == name || words.any(|alias| alias == name)).then(|| port.parse().ok()).flatten()
    })
}

/// An address in the 16 bytes in which addresses are compared: IPv4 as its mapped IPv6 form.
pub fn bytes_of(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The wildcard addresses in the order in which they are bound.
pub const WILDCARDS: [IpAddr; 2] = [IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::UNSPECIFIED)];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SERVICES: &str = "# a comment\nimap2\t143/tcp\timap # mail\nimap3 220/udp\nimaps 993/tcp\nodd.name 99/tcp\n";

    fn one(address: &str, port: u16) -> Port {
        Port { address: Some(Bind::One(address.parse().unwrap())), port }
    }

    #[test]
    fn numbers_names_and_addresses() {
        let any = |port| Port { address: None, port };
        assert_eq!(parse("143,imap,imaps", SERVICES).unwrap(), [any(143), any(143), any(993)]);
        assert_eq!(parse("127.0.0.1.1143", SERVICES).unwrap(), [one("127.0.0.1", 1143)]);
        assert_eq!(parse("::1.1143,10.0.0.1.imap2", SERVICES).unwrap(), [one("::1", 1143), one("10.0.0.1", 143)]);
        assert_eq!(parse("::ffff:1.2.3.4.143", SERVICES).unwrap(), [one("::ffff:1.2.3.4", 143)]);
        assert_eq!(parse("0.143", SERVICES).unwrap(), [Port { address: Some(Bind::All), port: 143 }]);
        assert_eq!(parse("odd.name", SERVICES).unwrap(), [any(99)]);
    }

    #[test]
    fn what_is_none_is_named() {
        for bad in
            ["", "143,", "imap3", "65536", "-1", "+143", "1.2.3.143", ".143", "127.0.0.1.", "127.0.0.1", "::1", "a b"]
        {
            assert!(parse(bad, SERVICES).is_err(), "{bad}");
        }
        assert_eq!(parse("143,nosuch", SERVICES), Err("nosuch".to_owned()));
    }

    #[test]
    fn a_path_is_no_port_list() {
        assert!(looks_like_list("1143", SERVICES));
        assert!(!looks_like_list("/usr/bin/imaplogin", SERVICES));
        assert!(!looks_like_list("./143", SERVICES));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,40}") {
            let _ = parse(&text, SERVICES);
        }
    }
}
