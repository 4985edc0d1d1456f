//! The bytes of DNS: a question, and what of its answer we use.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An IPv4 address.
    A = 1,
    /// A name for an address.
    Ptr = 12,
    /// An IPv6 address.
    Aaaa = 28,
}

/// A server's answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The records of the kind asked for; none where there is no such name or no such record.
    Records(Vec<Record>),
    /// The server could not tell.
    Failed,
}

/// A record's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Of an A or AAAA record.
    Address(IpAddr),
    /// Of a PTR record, in lower case.
    Name(Vec<u8>),
}

/// The bytes of a question. None where the name cannot be asked for.
pub fn question(id: u16, name: &[u8], kind: Kind) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(name.len() + 18);
    bytes.extend(id.to_be_bytes());
    // One question, recursion wanted.
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split(|&b| b == b'.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?;
        bytes.push(length);
        bytes.extend(label);
    }
    bytes.extend([0, 0, kind as u8, 0, 1]);
    (name.len() <= 253).then_some(bytes)
}

/// Reads an answer to the question that has these bytes; none where it is no answer to it.
pub fn answer(question: &[u8], kind: Kind, bytes: &[u8]) -> Option<Answer> {
    let &[high, low, flags, code, _, 1, records_high, records_low, ..] = bytes else { return None };
    let asked = question.get(12..)?;
    let echoed = bytes.get(12..12 + asked.len())?;
    if question.get(..2)? != [high, low] || flags & 0x80 == 0 || !echoed.eq_ignore_ascii_case(asked) {
        return None;
    }
    // 3 is "no such name": an answer like an empty one.
    if !matches!(code & 0x0f, 0 | 3) {
        return Some(Answer::Failed);
    }
    let mut at = question.len();
    let mut records = Vec::new();
    for _ in 0..u16::from_be_bytes([records_high, records_low]) {
        // A cut answer gives what it has.
        let Some((record, next)) = record(bytes, at, kind) else { break };
        records.extend(record);
        at = next;
    }
    // Cut before anything of use, and we have no way to ask for more.
    if records.is_empty() && flags & 0x02 != 0 {
        return Some(Answer::Failed);
    }
    Some(Answer::Records(records))
}

/// The record at an offset, if it is of the kind, and the offset behind it.
fn record(bytes: &[u8], at: usize, kind: Kind) -> Option<(Option<Record>, usize)> {
    let (_, at) = name(bytes, at)?;
    let &[type_high, type_low, _, class, _, _, _, _, length_high, length_low] = bytes.get(at..)?.first_chunk()?;
    let length = usize::from(u16::from_be_bytes([length_high, length_low]));
    let data_at = at + 10;
    let data = bytes.get(data_at..data_at + length)?;
    let matching = u16::from_be_bytes([type_high, type_low]) == kind as u16 && class == 1;
    let record = match kind {
        _ if !matching => None,
        Kind::A => data.try_into().ok().map(|v4: [u8; 4]| Record::Address(Ipv4Addr::from(v4).into())),
        Kind::Aaaa => data.try_into().ok().map(|v6: [u8; 16]| Record::Address(Ipv6Addr::from(v6).into())),
        Kind::Ptr => name(bytes, data_at)?.0.map(Record::Name),
    };
    Some((record, data_at + length))
}

/// The name at an offset (none where it has bytes that no host name has) and the offset behind it.
fn name(bytes: &[u8], mut at: usize) -> Option<(Option<Vec<u8>>, usize)> {
    let mut name = Vec::new();
    let mut behind = None;
    let mut plain = true;
    // Each pointer leads backward, so 255 steps are more than any name has.
    for _ in 0..255 {
        let length = *bytes.get(at)?;
        match length {
            0 => {
                let usable = plain && !name.is_empty();
                return Some((usable.then_some(name), behind.unwrap_or(at + 1)));
            }
            1..64 => {
                let label = bytes.get(at + 1..at + 1 + usize::from(length))?;
                plain &= label.iter().all(|&b| b.is_ascii_graphic() && b != b'.');
                if !name.is_empty() {
                    name.push(b'.');
                }
                name.extend(label.to_ascii_lowercase());
                if name.len() > 253 {
                    return None;
                }
                at += 1 + usize::from(length);
            }
            0xc0.. => {
                behind = behind.or(Some(at + 2));
                let target = usize::from(length & 0x3f) << 8 | usize::from(*bytes.get(at + 1)?);
                if target >= at {
                    return None;
                }
                at = target;
            }
            _ => return None,
        }
    }
    None
}

/// The name under which the names of an address are kept.
pub fn reverse_name(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa").into_bytes()
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
            let mut name: Vec<u8> = nibbles.flat_map(|nibble| format!("{nibble:x}.").into_bytes()).collect();
            name.extend(b"ip6.arpa");
            name
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An answer to a question with these records: name bytes, kind, data.
    fn reply(question: &[u8], flags: [u8; 2], records: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
        let mut bytes = question.to_vec();
        bytes[2..4].copy_from_slice(&flags);
        bytes[7] = records.len() as u8;
        for (name, kind, data) in records {
            bytes.extend(*name);
            bytes.extend([0, *kind, 0, 1, 0, 0, 0, 9]);
            bytes.extend((data.len() as u16).to_be_bytes());
            bytes.extend(*data);
        }
        bytes
    }

    const POINTER: &[u8] = &[0xc0, 12];
    const FINE: [u8; 2] = [0x81, 0x80];

    #[test]
    fn a_question_in_bytes() {
        let bytes = question(0x1234, b"a.example", Kind::Ptr).unwrap();
        assert_eq!(bytes, b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x0c\0\x01");
        assert_eq!(question(1, b"", Kind::A), None);
        assert_eq!(question(1, b"a..b", Kind::A), None);
        assert_eq!(question(1, &[b'a'; 64], Kind::A), None);
    }

    #[test]
    fn addresses_and_names() {
        let asked = question(7, b"mail.example", Kind::A).unwrap();
        let bytes =
            reply(&asked, FINE, &[(POINTER, 5, b"\x01x\0"), (POINTER, 1, &[1, 2, 3, 4]), (POINTER, 1, &[1, 2])]);
        let expected = Answer::Records(vec![Record::Address("1.2.3.4".parse().unwrap())]);
        assert_eq!(answer(&asked, Kind::A, &bytes), Some(expected));
        let asked = question(7, b"4.3.2.1.in-addr.arpa", Kind::Ptr).unwrap();
        let bytes = reply(&asked, FINE, &[(POINTER, 12, b"\x04MAIL\x07Example\0"), (POINTER, 12, b"\x02\n\xff\0")]);
        let expected = Answer::Records(vec![Record::Name(b"mail.example".to_vec())]);
        assert_eq!(answer(&asked, Kind::Ptr, &bytes), Some(expected));
    }

    #[test]
    fn other_answers() {
        let asked = question(7, b"mail.example", Kind::A).unwrap();
        let of = |flags, records: &[(&[u8], u8, &[u8])]| answer(&asked, Kind::A, &reply(&asked, flags, records));
        assert_eq!(of([0x81, 0x83], &[]), Some(Answer::Records(vec![])));
        assert_eq!(of([0x81, 0x82], &[]), Some(Answer::Failed));
        assert_eq!(of([0x83, 0x80], &[]), Some(Answer::Failed));
        assert_eq!(of([0x01, 0x00], &[]), None, "a question is no answer");
        let other = question(8, b"mail.example", Kind::A).unwrap();
        assert_eq!(answer(&asked, Kind::A, &reply(&other, FINE, &[])), None);
        let other = question(7, b"evil.example", Kind::A).unwrap();
        assert_eq!(answer(&asked, Kind::A, &reply(&other, FINE, &[])), None);
        assert_eq!(answer(&asked, Kind::A, &asked[..10]), None);
    }

    #[test]
    fn a_name_that_points_at_itself_ends() {
        let asked = question(7, b"mail.example", Kind::Ptr).unwrap();
        let at = asked.len() as u8;
        let bytes = reply(&asked, FINE, &[(&[0xc0, at], 12, b"\x01x\0")]);
        assert_eq!(answer(&asked, Kind::Ptr, &bytes), Some(Answer::Records(vec![])));
    }

    #[test]
    fn reverse_names() {
        let of = |text: &str| String::from_utf8(reverse_name(text.parse().unwrap())).unwrap();
        assert_eq!(of("192.0.2.5"), "5.2.0.192.in-addr.arpa");
        assert_eq!(of("::ffff:192.0.2.5"), "5.2.0.192.in-addr.arpa");
        assert!(of("2001:db8::1f").starts_with("f.1.0.0."));
        assert!(of("2001:db8::1f").ends_with(".8.b.d.0.1.0.0.2.ip6.arpa"));
    }

    proptest! {
        #[test]
        fn any_answer_is_read_without_a_panic(tail in proptest::collection::vec(any::<u8>(), 0..200), count: u8) {
            for kind in [Kind::A, Kind::Aaaa, Kind::Ptr] {
                let asked = question(7, b"a.b", kind).unwrap();
                let mut bytes = reply(&asked, FINE, &[]);
                bytes[7] = count;
                bytes.extend(&tail);
                let _ = answer(&asked, kind, &bytes);
                let _ = answer(&asked, kind, &tail);
            }
        }
    }
}
