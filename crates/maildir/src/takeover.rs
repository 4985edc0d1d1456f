//! What Dovecot left in a folder, taken over once: when the folder has no UID table of Courier's yet.
//!
//! UIDs come from `dovecot-uidlist`, the names of the keyword letters `a` to `z` from `dovecot-keywords`. The letters
//! stay in the file names. Dovecot's files are not changed.

use crate::error::Result;
use crate::folder::Folder;
use crate::keyword_files::{self, Changes};
use crate::message_name::{MessageName, base_of};
use crate::names::Names;
use crate::uidtable::UidTable;
use crate::uidvalidity;
use std::collections::BTreeMap;

const UIDS: &[u8] = b"dovecot-uidlist";
const KEYWORDS: &[u8] = b"dovecot-keywords";
const LIMIT: u64 = 1 << 30;

/// Dovecot's UIDs, where there are some, as a table to be saved; keywords go along. The caller holds the lock.
pub(crate) fn take_over(folder: &Folder) -> Result<Option<UidTable>> {
    let Some(text) = folder.dir.read(UIDS, LIMIT)? else { return Ok(None) };
    let Some(table) = parse_uids(&text) else { return Ok(None) };
    uidvalidity::note(folder.root(), table.uid_validity)?;
    take_keywords(folder)?;
    Ok(Some(table))
}

/// Version 3 has settings in its first line and in each record, version 1 is Courier's own format.
fn parse_uids(text: &[u8]) -> Option<UidTable> {
    if text.starts_with(b"1 ") {
        return UidTable::parse(text).ok();
    }
    let mut lines = text.split_inclusive(|&b| b == b'\n');
    let mut header = lines.next()?.strip_suffix(b"\n")?.split(|&b| b == b' ');
    if header.next() != Some(b"3") {
        return None;
    }
    let fields: Vec<&[u8]> = header.collect();
    let field = |letter: &[u8]| fields.iter().find_map(|field| number(field.strip_prefix(letter)?));
    let (validity, mut next) = (field(b"V").filter(|&v| v > 0)?, field(b"N").unwrap_or(1).max(1));
    // A line that comes later takes the place of an earlier one.
    let mut bases: BTreeMap<u32, &[u8]> = BTreeMap::new();
    for (uid, base) in lines.filter_map(parse_record) {
        bases.insert(uid, base);
        next = next.max(uid.checked_add(1)?);
    }
    UidTable::of(validity, next, bases.into_iter()).ok()
}

/// `UID [Kvalue ...] :BASENAME`; a cut line is none.
fn parse_record(line: &[u8]) -> Option<(u32, &[u8])> {
    let line = line.strip_suffix(b"\n")?;
    let colon = line.windows(2).position(|pair| pair == b" :")?;
    let uid = number(line.get(..colon)?.split(|&b| b == b' ').next()?).filter(|&uid| uid > 0)?;
    let base = base_of(line.get(colon + 2..)?);
    (!base.is_empty() && !base.contains(&0)).then_some((uid, base))
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Messages with keyword letters get Courier's keywords, unless they have some already.
fn take_keywords(folder: &Folder) -> Result<()> {
    let words = parse_keywords(&folder.dir.read(KEYWORDS, 1 << 20)?.unwrap_or_default());
    if words.is_empty() {
        return Ok(());
    }
    let mut names = Names::new();
    folder
        .cur
        .list(|name, _| if MessageName::parse(name).keyword_letters() != 0 { names.push(name) } else { Ok(()) })?;
    let had = keyword_files::load(folder, |_| true)?;
    let mut changes = Changes::begin(folder)?;
    for name in names.iter().filter(|name| had.of(base_of(name)).is_empty()) {
        let letters = MessageName::parse(name).keyword_letters();
        let set = words.iter().filter(|(letter, _)| letters & 1 << **letter != 0);
        let set: Vec<Vec<u8>> = set.map(|(_, word)| word.clone()).collect();
        if !set.is_empty() {
            changes.add(base_of(name), &set)?;
        }
    }
    changes.commit()?;
    keyword_files::sync(folder)
}

/// `INDEX NAME` a line; the index is the letter's place.
fn parse_keywords(text: &[u8]) -> BTreeMap<u32, Vec<u8>> {
    let lines = text.split(|&b| b == b'\n');
    let pairs = lines.filter_map(|line| {
        let space = line.iter().position(|&b| b == b' ')?;
        let index = number(line.get(..space)?).filter(|&index| index < 26)?;
        Some((index, line.get(space + 1..)?.to_vec()))
    });
    pairs.filter(|(_, word)| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn version_3() {
        let text = b"3 V1700000000 N9 Gabc Pfoo\n1 :1000.a\n3 S5 W6 :1001.b,S=5\n2 :late\n3 :1001.c\n7 :cut";
        let table = parse_uids(text).unwrap();
        assert_eq!((table.uid_validity, table.uid_next, table.uids()), (1_700_000_000, 9, &[1, 2, 3][..]));
        assert_eq!(table.bases().iter().collect::<Vec<_>>(), [&b"1000.a"[..], b"late", b"1001.c"]);
        assert_eq!(parse_uids(b"3 V5 N2\n4 :x:2,S\n").unwrap().uid_next, 5);
    }

    #[test]
    fn others() {
        assert_eq!(parse_uids(b"1 5 3\n2 a\n").unwrap().uids(), [2]);
        for text in [&b""[..], b"2 V5 N3\n", b"3 N3\n", b"3 V0 N3\n", b"3 V5 N3", b"3 V5 N3\n4294967295 :a\n"] {
            assert!(parse_uids(text).is_none(), "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(parse_keywords(b"0 $Junk\n25 x y\n26 z\nodd\n3 \n").len(), 2);
    }

    proptest! {
        #[test]
        fn any_bytes(text in proptest::collection::vec(any::<u8>(), 0..200), lines in "[0-9 :a\n]{0,100}") {
            for text in [text, [b"3 V1 N1\n", lines.as_bytes()].concat()] {
                if let Some(table) = parse_uids(&text) {
                    prop_assert!(table.uid_next > table.uids().last().copied().unwrap_or(0));
                }
                parse_keywords(&text);
            }
        }
    }
}
