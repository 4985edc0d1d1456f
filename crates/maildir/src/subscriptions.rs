//! Subscribed folders: `courierimapsubscribed`, one full IMAP name a line, written as folder names are on disk.

use crate::durable;
use crate::error::{Error, Result};
use crate::root::Root;

const FILE: &[u8] = b"courierimapsubscribed";
/// Read while there is none of Courier's.
const DOVECOT: &[u8] = b"subscriptions";
const LIMIT: u64 = 16 << 20;

/// The subscribed names, as the file has them: `INBOX.a`, `#shared.b`.
pub fn read(root: &Root) -> Result<Vec<Vec<u8>>> {
    match root.dir().read(FILE, LIMIT)? {
        Some(text) => Ok(parse(&text)),
        None => Ok(parse_dovecot(&root.dir().read(DOVECOT, LIMIT)?.unwrap_or_default())),
    }
}

/// Dovecot's names have no prefix; in its second version levels are apart by tabs, below a line that says so.
fn parse_dovecot(text: &[u8]) -> Vec<Vec<u8>> {
    let (text, separator) = text.strip_prefix(b"V\t2\n").map_or((text, b'.'), |text| (text, b'\t'));
    let named = |line: Vec<u8>| match line.as_slice() {
        b"INBOX" => line,
        _ => [b"INBOX.".as_slice(), &line.split(|&b| b == separator).collect::<Vec<_>>().join(&b'.')].concat(),
    };
    parse(text).into_iter().map(named).collect()
}

/// Adds a name; false where it was there already.
pub fn add(root: &Root, name: &[u8]) -> Result<bool> {
    if name.is_empty() || name.iter().any(|&b| b == b'\n' || b == 0) {
        return Err(Error::BadName(name.to_vec()));
    }
    change(root, |names| {
        let absent = !names.iter().any(|have| is_same(have, name));
        if absent {
            names.push(name.to_vec());
        }
        absent
    })
}

/// Removes a name; false where it was not there.
pub fn remove(root: &Root, name: &[u8]) -> Result<bool> {
    change(root, |names| {
        let before = names.len();
        names.retain(|have| !is_same(have, name));
        names.len() != before
    })
}

fn change(root: &Root, edit: impl FnOnce(&mut Vec<Vec<u8>>) -> bool) -> Result<bool> {
    let inbox = root.folder(&crate::folder_name::FolderName::INBOX)?;
    let _lock = crate::lock::FolderLock::take(&inbox)?;
    let mut names = read(root)?;
    let changed = edit(&mut names);
    if changed {
        let mut text = names.join(&b'\n');
        if !names.is_empty() {
            text.push(b'\n');
        }
        durable::replace(&inbox.tmp, root.dir(), FILE, &text)?;
    }
    Ok(changed)
}

fn parse(text: &[u8]) -> Vec<Vec<u8>> {
    text.split(|&b| b == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

/// The same name, INBOX in any case.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    match (a.split_at_checked(5), b.split_at_checked(5)) {
        (Some((a, a_rest)), Some((b, b_rest))) if a.eq_ignore_ascii_case(b"INBOX") => {
            b.eq_ignore_ascii_case(b"INBOX") && a_rest == b_rest
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dovecots_two_formats() {
        let expected = [b"INBOX".to_vec(), b"INBOX.Sent".to_vec(), b"INBOX.a.b".to_vec()];
        assert_eq!(parse_dovecot(b"INBOX\nSent\na.b\n"), expected);
        assert_eq!(parse_dovecot(b"V\t2\n\nINBOX\nSent\na\tb\n"), expected);
    }

    proptest! {
        #[test]
        fn any_bytes(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&text).iter().chain(&parse_dovecot(&text)).all(|name| !name.contains(&b'\n')));
        }
    }
}
