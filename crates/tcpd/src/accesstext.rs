//! Courier's access text: lines of an address and an action, compiled by `makeimapaccess`.

use crate::access::courier_key;
use crate::rule::quotes_are_closed;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A line of the text as it goes into the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The keys that it stands for; more than one where `-cidr` cut a block at its bytes.
    pub keys: Vec<Vec<u8>>,
    /// How many bits of an address it names: the greater wins where two entries have a key in common.
    pub bits: u32,
    /// The action as it was written.
    pub action: Vec<u8>,
}

/// Reads one line; none where it is empty or a comment.
pub fn entry(line: &[u8], cidr: bool) -> Result<Option<Entry>, &'static str> {
    let line = line.trim_ascii_end();
    if line.is_empty() || line.starts_with(b"#") {
        return Ok(None);
    }
    // The address has no blanks, so one too many before the action cannot turn a refusal into a permission.
    let cut = line.iter().position(|b| b.is_ascii_whitespace()).ok_or("no tab between address and action")?;
    let (key, action) = line.split_at_checked(cut).ok_or("no tab between address and action")?;
    let action = action.trim_ascii_start();
    if action.contains(&0) {
        return Err("a NUL byte in the action");
    }
    if !quotes_are_closed(action) {
        return Err("a quote that is not closed");
    }
    let key = std::str::from_utf8(key).map_err(|_| BAD_ADDRESS)?;
    let (keys, bits) = keys(key, cidr)?;
    Ok(Some(Entry { keys, bits, action: action.to_vec() }))
}

const BAD_ADDRESS: &str = "not an address";

fn keys(text: &str, cidr: bool) -> Result<(Vec<Vec<u8>>, u32), &'static str> {
    if let Some((address, length)) = text.split_once('/') {
        return if cidr { block(address, length) } else { Err("an address with a length needs -cidr") };
    }
    let bits = match text.strip_prefix('*') {
        Some("") => 0,
        // A port is an exact match of its own; it shares keys with nothing.
        Some(port) => port.strip_prefix('.').filter(|port| is_port(port)).map(|_| 0).ok_or(BAD_ADDRESS)?,
        None if text.starts_with(':') => groups_of_six(text)?,
        None => bytes_of_four(text)?,
    };
    Ok((vec![text.as_bytes().to_vec()], bits))
}

/// `192.168.0.10`, a shorter one that ends at a byte, or a whole one with a port.
fn bytes_of_four(text: &str) -> Result<u32, &'static str> {
    let mut count = 0;
    for part in text.split('.') {
        count += 1;
        let canonical = part.parse::<u8>().is_ok_and(|byte| byte.to_string() == part);
        if !(canonical || count == 5 && is_port(part)) || count > 5 {
            return Err(BAD_ADDRESS);
        }
    }
    Ok(8 * count)
}

/// A colon and four lower-case digits, up to eight times; behind eight of them a port may stand.
fn groups_of_six(text: &str) -> Result<u32, &'static str> {
    let (groups, port) = text.split_once('.').map_or((text, None), |(groups, port)| (groups, Some(port)));
    let mut count = 0;
    for group in groups.split(':').skip(1) {
        count += 1;
        let padded = group.len() == 4 && group.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !padded || count > 8 {
            return Err("an IPv6 address is written in groups of four lower-case digits, each after a colon");
        }
    }
    if port.is_some_and(|port| count != 8 || !is_port(port)) {
        return Err(BAD_ADDRESS);
    }
    Ok(16 * count)
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port.to_string() == text)
}

/// The keys that cover `address/length`: whole bytes (or groups of 16 bits) before, every value of the one it ends in.
fn block(address: &str, length: &str) -> Result<(Vec<Vec<u8>>, u32), &'static str> {
    let address: IpAddr = address.parse().map_err(|_| BAD_ADDRESS)?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits: u32 = length.parse().map_err(|_| "not a length")?;
    if bits > width || bits == 0 && width == 128 {
        return Err("not a length");
    }
    let unit = width / if width == 32 { 4 } else { 8 };
    let units = bits.div_ceil(unit).max(1);
    let steps = 1u128 << (units * unit - bits);
    let step = 1u128 << (width - units * unit);
    let number = match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let first = number - number % (steps * step);
    let keys = (0..steps).map(|n| {
        let number = first + n * step;
        let address = match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(number).unwrap_or(0))),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(number)),
        };
        front(&courier_key(address), units as usize, address.is_ipv6())
    });
    Ok((keys.collect(), bits))
}

/// The first `units` parts of a whole key.
fn front(key: &[u8], units: usize, six: bool) -> Vec<u8> {
    if six {
        return key.get(..units * 5).unwrap_or(key).to_vec();
    }
    key.split(|&b| b == b'.').take(units).collect::<Vec<_>>().join(&b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(line: &str) -> (Vec<String>, u32, String) {
        let entry = entry(line.as_bytes(), true).unwrap().unwrap();
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        (entry.keys.iter().map(text).collect(), entry.bits, text(&entry.action))
    }

    fn keys_of(address: &str) -> Vec<String> {
        read(&format!("{address}\tdeny")).0
    }

    #[test]
    fn lines() {
        assert_eq!(entry(b"", false), Ok(None));
        assert_eq!(entry(b"  \t", false), Ok(None));
        assert_eq!(entry(b"# 1.2.3.4\tdeny", false), Ok(None));
        assert_eq!(read("192.168.0\tdeny"), (vec!["192.168.0".into()], 24, "deny".into()));
        assert_eq!(read("192.168.0 \t deny\r\n"), (vec!["192.168.0".into()], 24, "deny".into()));
        assert_eq!(read("*\tallow,A='x y'"), (vec!["*".into()], 0, "allow,A='x y'".into()));
        assert_eq!(read("10.0.0.1.143\tallow").0, ["10.0.0.1.143"]);
        assert_eq!(read("*.993\tdeny").0, ["*.993"]);
        assert_eq!(read(":2001:0db8\tdeny").1, 32);
        assert_eq!(read(":0000:0000:0000:0000:0000:0000:0000:0001.143\tdeny").1, 128);
    }

    #[test]
    fn bad_lines_are_refused() {
        for bad in [
            "192.168.0",
            "192.168.\tdeny",
            "192.168.0.256\tdeny",
            "1.2.3.04\tdeny",
            "1.2.3.4.5.6\tdeny",
            "1.2.3.4.99999\tdeny",
            "host.example.org\tdeny",
            ":2001:db8\tdeny",
            ":2001:0DB8\tdeny",
            "2001:db8::1\tdeny",
            ":2001.143\tdeny",
            "*.x\tdeny",
            "**\tdeny",
            "1.2.3.4\tallow,A=\"x",
            "1.2.3.4\tallow,A=\0",
        ] {
            assert!(entry(bad.as_bytes(), false).is_err(), "{bad}");
        }
        assert!(entry(b"10.0.0.0/8\tdeny", false).is_err());
        for bad in ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "::/0", "::/129", "10.0.0.0/"] {
            assert!(entry(format!("{bad}\tdeny").as_bytes(), true).is_err(), "{bad}");
        }
    }

    #[test]
    fn blocks_become_keys() {
        assert_eq!(keys_of("10.0.0.0/8"), ["10"]);
        assert_eq!(keys_of("10.1.2.3/32"), ["10.1.2.3"]);
        assert_eq!(keys_of("10.1.2.128/30"), ["10.1.2.128", "10.1.2.129", "10.1.2.130", "10.1.2.131"]);
        assert_eq!(keys_of("10.1.7.9/23"), ["10.1.6", "10.1.7"]);
        assert_eq!(keys_of("172.16.0.0/12").len(), 16);
        assert_eq!(keys_of("172.16.0.0/12")[15], "172.31");
        assert_eq!(keys_of("0.0.0.0/0").len(), 256);
        assert_eq!(keys_of("255.0.0.0/7"), ["254", "255"]);
        assert_eq!(keys_of("2001:db8::/32"), [":2001:0db8"]);
        assert_eq!(keys_of("2001:db8::/31"), [":2001:0db8", ":2001:0db9"]);
        assert_eq!(keys_of("::1/128"), [":0000:0000:0000:0000:0000:0000:0000:0001"]);
    }

    proptest! {
        #[test]
        fn any_line_is_read_without_a_panic(line in proptest::collection::vec(any::<u8>(), 0..60), cidr: bool) {
            let _ = entry(&line, cidr);
        }

        #[test]
        fn a_block_covers_its_own_addresses_and_no_others(address: u32, bits in 1u32..=32, other: u32) {
            let covers = |address: u32, keys: &[Vec<u8>]| {
                let text = Ipv4Addr::from_bits(address).to_string();
                keys.iter().any(|key| {
                    let key = String::from_utf8(key.clone()).unwrap();
                    text == key || text.starts_with(&format!("{key}."))
                })
            };
            let line = format!("{}/{bits}\tdeny", Ipv4Addr::from_bits(address));
            let keys = entry(line.as_bytes(), true).unwrap().unwrap().keys;
            prop_assert!(covers(address, &keys));
            let same = (address ^ other).leading_zeros() >= bits;
            prop_assert_eq!(covers(other, &keys), same);
        }
    }
}
