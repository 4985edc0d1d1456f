//! Subscribed folders: `courierimapsubscribed`, one full IMAP name a line, written as folder names are on disk.

use crate::durable;
use crate::error::{Error, Result};
use crate::root::Root;

const FILE: &[u8] = b"courierimapsubscribed";
const LIMIT: u64 = 16 << 20;

/// The subscribed names, as the file has them: `INBOX.a`, `#shared.b`.
pub fn read(root: &Root) -> Result<Vec<Vec<u8>>> {
    Ok(parse(&root.dir().read(FILE, LIMIT)?.unwrap_or_default()))
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
