//! The one record that the conversation half hands over.
//!
//! A length, then a kind, two counters and fields with lengths of their own. The half that reads
//! it trusts nothing in it: everything is checked again.

use crate::{End, Login, Outcome};
use zeroize::Zeroizing;

/// Longest record with its length.
pub const MAXIMUM: usize = 8191;
/// Length, kind and counters.
const HEAD: usize = 2 + 1 + 8 + 8;
/// The commands that are kept for the log.
const COMMANDS: usize = 512;

const LOGIN: u8 = b'L';
const STARTTLS: u8 = b'S';
const END: u8 = b'E';
const UNCONFINED: u8 = b'U';

/// How a conversation ended, and what to log of it.
pub struct Record {
    /// How; or why it did not begin: the half could not give up its rights.
    pub outcome: Result<Outcome, Vec<u8>>,
    /// Bytes from the client.
    pub received: u64,
    /// Bytes to the client.
    pub sent: u64,
    /// The names of its commands, for `DEBUG_LOGIN`.
    pub commands: Vec<u8>,
}

impl Record {
    /// Of a conversation that did not begin, for this reason.
    pub fn unconfined(why: String) -> Record {
        let mut why = why.into_bytes();
        why.truncate(COMMANDS);
        Record { outcome: Err(why), received: 0, sent: 0, commands: Vec::new() }
    }

    /// As bytes; a login that is too long for a record is none.
    pub fn encode(&self) -> Option<Zeroizing<Vec<u8>>> {
        let commands = self.commands.get(..COMMANDS).unwrap_or(&self.commands);
        let (kind, end);
        let fields: &[&[u8]] = match &self.outcome {
            Ok(Outcome::Login(login)) => {
                kind = LOGIN;
                &[commands, &login.tag, &login.user, &login.password]
            }
            Ok(Outcome::Starttls) => {
                kind = STARTTLS;
                &[commands]
            }
            Ok(Outcome::End(why)) => {
                kind = END;
                end = [end_code(*why)];
                &[commands, &end]
            }
            Err(why) => {
                kind = UNCONFINED;
                &[commands, why]
            }
        };
        let length = fields.iter().fold(HEAD, |sum, field| sum.saturating_add(2).saturating_add(field.len()));
        if length > MAXIMUM {
            return None;
        }
        // As long as it will be: a vector that grows leaves an unwiped copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        bytes.extend_from_slice(&u16::try_from(length).ok()?.to_be_bytes());
        bytes.push(kind);
        bytes.extend_from_slice(&self.received.to_be_bytes());
        bytes.extend_from_slice(&self.sent.to_be_bytes());
        for field in fields {
            bytes.extend_from_slice(&u16::try_from(field.len()).ok()?.to_be_bytes());
            bytes.extend_from_slice(field);
        }
        Some(bytes)
    }

    /// How long the record is whose first bytes these are; `None` where they are too few to tell.
    /// A length that no record has is the greatest.
    pub fn length(bytes: &[u8]) -> Option<usize> {
        let length = bytes.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)))?;
        Some(length.clamp(2, MAXIMUM))
    }

    /// From bytes; nothing where they are no record.
    pub fn decode(bytes: &[u8]) -> Option<Record> {
        if Record::length(bytes)? != bytes.len() {
            return None;
        }
        let mut rest = bytes.get(2..)?;
        let (kind, after) = rest.split_first()?;
        rest = after;
        let received = number(&mut rest)?;
        let sent = number(&mut rest)?;
        let commands = field(&mut rest)?.to_vec();
        let outcome = match *kind {
            LOGIN => Ok(Outcome::Login(Login {
                tag: field(&mut rest)?.to_vec(),
                user: field(&mut rest)?.to_vec(),
                password: Zeroizing::new(field(&mut rest)?.to_vec()),
            })),
            STARTTLS => Ok(Outcome::Starttls),
            END => Ok(Outcome::End(end(field(&mut rest)?)?)),
            UNCONFINED => Err(field(&mut rest)?.to_vec()),
            _ => return None,
        };
        rest.is_empty().then_some(Record { outcome, received, sent, commands })
    }
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u64::from_be_bytes(*number))
}

fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let (field, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = after;
    Some(field)
}

const ENDS: [(u8, End); 6] = [
    (b'l', End::Logout),
    (b'c', End::Closed),
    (b'i', End::Idle),
    (b'e', End::Expired),
    (b'n', End::Nonsense),
    (b'r', End::Refused),
];

fn end_code(end: End) -> u8 {
    ENDS.iter().find(|(_, known)| *known == end).map_or(b'c', |(code, _)| *code)
}

fn end(field: &[u8]) -> Option<End> {
    let [code] = field else { return None };
    ENDS.iter().find(|(known, _)| known == code).map(|(_, end)| *end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(user: &[u8], password: &[u8]) -> Record {
        let login = Login { tag: b"a1".to_vec(), user: user.to_vec(), password: Zeroizing::new(password.to_vec()) };
        Record { outcome: Ok(Outcome::Login(login)), received: 7, sent: 1 << 40, commands: b"NOOP LOGIN".to_vec() }
    }

    #[test]
    fn a_login_goes_through() {
        let bytes = login(b"john", b"secret").encode().unwrap();
        assert_eq!(Record::length(&bytes), Some(bytes.len()));
        let record = Record::decode(&bytes).unwrap();
        let Ok(Outcome::Login(login)) = record.outcome else { panic!() };
        assert_eq!((&login.tag[..], &login.user[..], &login.password[..]), (&b"a1"[..], &b"john"[..], &b"secret"[..]));
        assert_eq!((record.received, record.sent, &record.commands[..]), (7, 1 << 40, &b"NOOP LOGIN"[..]));
    }

    #[test]
    fn ends_go_through() {
        for (_, end) in ENDS {
            let record = Record { outcome: Ok(Outcome::End(end)), received: 0, sent: 0, commands: Vec::new() };
            let record = Record::decode(&record.encode().unwrap()).unwrap();
            assert!(matches!(record.outcome, Ok(Outcome::End(found)) if found == end));
        }
        let record = Record { outcome: Ok(Outcome::Starttls), received: 0, sent: 0, commands: Vec::new() };
        let record = Record::decode(&record.encode().unwrap()).unwrap();
        assert!(matches!(record.outcome, Ok(Outcome::Starttls)));
        let record = Record::decode(&Record::unconfined("no chroot".to_owned()).encode().unwrap()).unwrap();
        assert!(matches!(record.outcome, Err(why) if why == b"no chroot"));
    }

    #[test]
    fn too_long_is_refused_and_never_cut() {
        let frame = login(b"", b"").encode().unwrap().len();
        assert!(login(b"u", &vec![b'p'; MAXIMUM - frame - 1]).encode().is_some());
        assert!(login(b"u", &vec![b'p'; MAXIMUM - frame]).encode().is_none());
        assert!(login(b"u", &vec![b'p'; 70_000]).encode().is_none());
    }

    #[test]
    fn what_is_no_record_is_nothing() {
        let good = login(b"john", b"secret").encode().unwrap();
        for cut in 0..good.len() {
            assert!(Record::decode(&good[..cut]).is_none());
        }
        for place in 0..good.len() {
            let mut bytes = good.to_vec();
            bytes[place] ^= 0x80;
            let _ = Record::decode(&bytes);
        }
        let mut longer = good.to_vec();
        longer.push(0);
        assert!(Record::decode(&longer).is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(bytes: Vec<u8>) {
            let mut framed = bytes;
            let _ = Record::decode(&framed);
            if let Ok(length) = u16::try_from(framed.len()) && framed.len() >= 2 {
                framed[..2].copy_from_slice(&length.to_be_bytes());
                let _ = Record::decode(&framed);
            }
        }
    }
}
