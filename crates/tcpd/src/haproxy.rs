//! The PROXY protocol, versions 1 and 2: what a proxy says about the connection it passes on.
//!
//! Only the bytes of the header are taken from the socket: neither version has a form shorter than [`START`] bytes, the
//! rest of a line is read byte by byte, the rest of a binary header by its announced length.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The endpoints that the header names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The proxy speaks for itself (a health check), or does not know: the socket's own addresses hold.
    Own,
    /// The client, and the address it connected to.
    Passed {
        /// The client.
        source: SocketAddr,
        /// What the client connected to.
        destination: SocketAddr,
    },
}

/// Why a header was refused, in words for the log.
pub type Refusal = &'static str;

/// No header is shorter: `PROXY UNKNOWN` with its CR LF has 15 bytes, a binary one at least 16.
pub const START: usize = 15;
/// The longest line read, as in Courier; the specification's longest has 107 bytes.
pub const LONGEST_LINE: usize = 255;
/// The longest binary header read behind its first 16 bytes; addresses need 36, the rest is for extensions.
pub const LONGEST_BINARY: usize = 4096;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Reads a header from `read`, which fills the slice whole or fails.
pub fn read<E: From<Refusal>>(mut read: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Header, E> {
    let mut start = [0; START];
    read(&mut start)?;
    if start.starts_with(SIGNATURE) {
        return read_binary(&start, read);
    }
    if !start.starts_with(b"PROXY ") {
        return Err("no PROXY header".into());
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\n") {
        if line.len() == LONGEST_LINE {
            return Err("PROXY header too long".into());
        }
        let mut byte = [0];
        read(&mut byte)?;
        line.extend(byte);
    }
    Ok(line_header(&line)?)
}

fn read_binary<E: From<Refusal>>(
    start: &[u8; START],
    mut read: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Header, E> {
    let [.., command, family, high] = *start;
    let mut low = [0];
    read(&mut low)?;
    let length = usize::from(high) << 8 | usize::from(low[0]);
    if length > LONGEST_BINARY {
        return Err("PROXY header too long".into());
    }
    let mut addresses = vec![0; length];
    read(&mut addresses)?;
    Ok(binary_header(command, family, &addresses)?)
}

/// `PROXY TCP4 SOURCE DESTINATION SOURCEPORT DESTINATIONPORT` with its line end.
fn line_header(line: &[u8]) -> Result<Header, Refusal> {
    const MALFORMED: Refusal = "malformed PROXY header";
    let line = line.strip_suffix(b"\n").ok_or(MALFORMED)?;
    let line = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).map_err(|_| MALFORMED)?;
    let mut words = line.split(' ');
    let mut word = || words.next().ok_or(MALFORMED);
    let (_, family) = (word()?, word()?);
    if family == "UNKNOWN" {
        return Ok(Header::Own);
    }
    let (source, destination, source_port, destination_port) = (word()?, word()?, word()?, word()?);
    if words.next().is_some() {
        return Err(MALFORMED);
    }
    let endpoint = |address: &str, port: &str| {
        let address = match family {
            "TCP4" => address.parse().ok().map(IpAddr::V4),
            "TCP6" => address.parse().ok().map(IpAddr::V6),
            _ => None,
        };
        let digits = port.bytes().all(|b| b.is_ascii_digit());
        Some(SocketAddr::new(address?, port.parse().ok().filter(|_| digits)?))
    };
    match (endpoint(source, source_port), endpoint(destination, destination_port)) {
        (Some(source), Some(destination)) => Ok(Header::Passed { source, destination }),
        _ => Err(MALFORMED),
    }
}

fn binary_header(command: u8, family: u8, addresses: &[u8]) -> Result<Header, Refusal> {
    match (command, family) {
        (0x20, _) => Ok(Header::Own),
        (0x21, 0x11) => pair::<4>(addresses, |bytes| Ipv4Addr::from(bytes).into()),
        (0x21, 0x21) => pair::<16>(addresses, |bytes| Ipv6Addr::from(bytes).into()),
        // Unspecified, a datagram or a unix socket: no endpoints that we could use.
        (0x21, _) => Ok(Header::Own),
        _ => Err("unknown PROXY version or command"),
    }
}

/// Source and destination of `N` bytes each, then their ports; extensions behind them are ignored.
fn pair<const N: usize>(bytes: &[u8], address: impl Fn([u8; N]) -> IpAddr) -> Result<Header, Refusal> {
    const SHORT: Refusal = "PROXY header too short";
    let (source, bytes) = bytes.split_first_chunk::<N>().ok_or(SHORT)?;
    let (destination, bytes) = bytes.split_first_chunk::<N>().ok_or(SHORT)?;
    let (&[a, b, c, d], _) = bytes.split_first_chunk::<4>().ok_or(SHORT)?;
    Ok(Header::Passed {
        source: SocketAddr::new(address(*source), u16::from_be_bytes([a, b])),
        destination: SocketAddr::new(address(*destination), u16::from_be_bytes([c, d])),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads from bytes; returns the header and how many bytes were left alone.
    fn parse(bytes: &[u8]) -> Result<(Header, usize), String> {
        let mut rest = bytes;
        let header = super::read(|into: &mut [u8]| {
            let (now, later) = rest.split_at_checked(into.len()).ok_or_else(|| Text("end".to_owned()))?;
            into.copy_from_slice(now);
            rest = later;
            Ok::<(), Text>(())
        });
        header.map(|header| (header, rest.len())).map_err(|Text(text)| text)
    }

    struct Text(String);
    impl From<Refusal> for Text {
        fn from(refusal: Refusal) -> Text {
            Text(refusal.to_owned())
        }
    }

    fn passed(source: &str, destination: &str) -> Header {
        Header::Passed { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
    }

    fn binary(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([command, family]);
        bytes.extend((addresses.len() as u16).to_be_bytes());
        bytes.extend(addresses);
        bytes
    }

    #[test]
    fn lines() {
        let v4 = passed("1.2.3.4:5", "6.7.8.9:143");
        assert_eq!(parse(b"PROXY TCP4 1.2.3.4 6.7.8.9 5 143\r\n"), Ok((v4, 0)));
        assert_eq!(parse(b"PROXY TCP4 1.2.3.4 6.7.8.9 5 143\r\na login b c\r\n"), Ok((v4, 13)));
        assert_eq!(parse(b"PROXY TCP4 1.2.3.4 6.7.8.9 5 143\n"), Ok((v4, 0)));
        assert_eq!(parse(b"PROXY TCP6 ::1 2001:db8::1 65535 1\r\n"), Ok((passed("[::1]:65535", "[2001:db8::1]:1"), 0)));
        assert_eq!(parse(b"PROXY UNKNOWN\r\nx"), Ok((Header::Own, 1)));
        assert_eq!(parse(b"PROXY UNKNOWN what ever it says\r\nx"), Ok((Header::Own, 1)));
    }

    #[test]
    fn bad_lines() {
        for bad in [
            "PROXY TCP4 1.2.3.4 6.7.8.9 5\r\n",
            "PROXY TCP4 1.2.3.4 6.7.8.9 5 65536\r\n",
            "PROXY TCP4 1.2.3.4 6.7.8.9 +5 6\r\n",
            "PROXY TCP4 ::1 6.7.8.9 5 6\r\n",
            "PROXY TCP6 1.2.3.4 6.7.8.9 5 6\r\n",
            "PROXY TCP4 1.2.3.4 6.7.8.9 5 6 7\r\n",
            "PROXY TCP9 1.2.3.4 6.7.8.9 5 6\r\n",
            "PROXY TCP4  1.2.3.4 6.7.8.9 5 6\r\n",
            "a login john secret\r\n",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(300));
        assert_eq!(parse(long.as_bytes()), Err("PROXY header too long".to_owned()));
        assert_eq!(parse(b"PROXY TCP4 1.2.3"), Err("end".to_owned()));
    }

    #[test]
    fn binary_headers() {
        let v4 = [1, 2, 3, 4, 6, 7, 8, 9, 0, 5, 0, 143];
        assert_eq!(parse(&binary(0x21, 0x11, &v4)), Ok((passed("1.2.3.4:5", "6.7.8.9:143"), 0)));
        let mut with_extension = v4.to_vec();
        with_extension.extend([4, 0, 1, 99]);
        let mut bytes = binary(0x21, 0x11, &with_extension);
        bytes.extend(b"tail");
        assert_eq!(parse(&bytes), Ok((passed("1.2.3.4:5", "6.7.8.9:143"), 4)));
        let mut v6 = [0; 36];
        v6[15] = 1;
        v6[31] = 2;
        v6[33] = 7;
        v6[35] = 9;
        assert_eq!(parse(&binary(0x21, 0x21, &v6)), Ok((passed("[::1]:7", "[::2]:9"), 0)));
        assert_eq!(parse(&binary(0x20, 0, &[])), Ok((Header::Own, 0)));
        assert_eq!(parse(&binary(0x21, 0x31, &[0; 216])), Ok((Header::Own, 0)));
        assert_eq!(parse(&binary(0x21, 0x11, &v4[..11])), Err("PROXY header too short".to_owned()));
        assert!(parse(&binary(0x31, 0x11, &v4)).is_err());
        assert!(parse(&binary(0x22, 0x11, &v4)).is_err());
        assert_eq!(parse(&binary(0x21, 0x11, &[0; 5000])), Err("PROXY header too long".to_owned()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn any_line_is_read_without_a_panic(tail in "[ -~\r\n]{0,120}") {
            let _ = parse(format!("PROXY {tail}\r\n").as_bytes());
        }

        #[test]
        fn any_binary_header_is_read_without_a_panic(
            command: u8, family: u8, bytes in proptest::collection::vec(any::<u8>(), 0..64)
        ) {
            let _ = parse(&binary(command, family, &bytes));
        }

        #[test]
        fn what_a_proxy_writes_is_read(a: [u8; 4], b: [u8; 4], c: u16, d: u16, tail in "[ -~]{0,20}") {
            let (a, b) = (Ipv4Addr::from(a), Ipv4Addr::from(b));
            let expected = Header::Passed { source: (a, c).into(), destination: (b, d).into() };
            let line = format!("PROXY TCP4 {a} {b} {c} {d}\r\n{tail}");
            prop_assert_eq!(parse(line.as_bytes()), Ok((expected, tail.len())));
        }
    }
}
