//! A folder's name: what IMAP calls `INBOX.a.b` and the disk calls `.a.b`.

use crate::error::{Error, Result};
use crate::utf7;

/// How folder names are written on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// UTF-8, Courier's since 5.0.
    #[default]
    Utf8,
    /// Modified UTF-7, byte for byte the name in IMAP: Courier's before 5.0, and Dovecot's.
    Utf7,
}

/// How a client writes names: modified UTF-7, or UTF-8 once it enabled UTF8=ACCEPT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wire {
    /// Modified UTF-7.
    #[default]
    Utf7,
    /// UTF-8.
    Utf8,
}

/// A valid folder name: its directory is one component directly below the account's maildir.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FolderName {
    /// Empty for INBOX, else `.a.b` as on disk.
    directory: Vec<u8>,
}

const DEPTH: usize = 20;
const LENGTH: usize = 255;

impl FolderName {
    /// The maildir itself.
    pub const INBOX: FolderName = FolderName { directory: Vec::new() };

    /// The folder that a client names. `INBOX` is recognised in any case; a name outside of it is no name of ours.
    pub fn from_imap(name: &[u8], wire: Wire, disk: Encoding) -> Result<FolderName> {
        let bad = || Error::BadName(name.to_vec());
        let (inbox, rest) = name.split_at_checked(5).ok_or_else(bad)?;
        if !inbox.eq_ignore_ascii_case(b"INBOX") {
            return Err(bad());
        }
        if rest.is_empty() {
            return Ok(FolderName::INBOX);
        }
        let mut directory = Vec::with_capacity(rest.len());
        for part in rest.strip_prefix(b".").ok_or_else(bad)?.split(|&b| b == b'.') {
            directory.push(b'.');
            directory.extend_from_slice(&to_disk(part, wire, disk).ok_or_else(bad)?);
        }
        FolderName::from_directory(&directory).ok_or_else(bad)
    }

    /// The folder whose directory has this name; nothing where no folder can be called so.
    pub fn from_directory(directory: &[u8]) -> Option<FolderName> {
        let parts = directory.strip_prefix(b".")?;
        let valid = directory.len() <= LENGTH
            && parts.split(|&b| b == b'.').count() <= DEPTH
            && parts.split(|&b| b == b'.').all(|part| !part.is_empty())
            && !parts.iter().any(|&b| b == b'/' || b < b' ' || b == 127);
        valid.then(|| FolderName { directory: directory.to_vec() })
    }

    /// Whether this is INBOX.
    pub fn is_inbox(&self) -> bool {
        self.directory.is_empty()
    }

    /// The directory below the maildir; empty for INBOX.
    pub fn directory(&self) -> &[u8] {
        &self.directory
    }

    /// The name as IMAP has it; nothing where the directory's bytes cannot be told to a client.
    pub fn to_imap(&self, wire: Wire, disk: Encoding) -> Option<Vec<u8>> {
        let mut name = b"INBOX".to_vec();
        for part in self.directory.strip_prefix(b".").into_iter().flat_map(|parts| parts.split(|&b| b == b'.')) {
            name.push(b'.');
            name.extend_from_slice(&from_disk(part, wire, disk)?);
        }
        Some(name)
    }

    /// The folder one level up; INBOX's own folders have INBOX, which has none.
    pub fn parent(&self) -> Option<FolderName> {
        let dot = self.directory.iter().rposition(|&b| b == b'.')?;
        Some(FolderName { directory: self.directory.get(..dot).unwrap_or(b"").to_vec() })
    }

    /// Whether this folder lies below `ancestor`.
    pub fn is_below(&self, ancestor: &FolderName) -> bool {
        self.directory.strip_prefix(ancestor.directory.as_slice()).is_some_and(|rest| rest.starts_with(b"."))
    }

    /// This folder's name when its ancestor (or itself) `from` is renamed to `to`.
    pub fn moved(&self, from: &FolderName, to: &FolderName) -> Option<FolderName> {
        let rest = self.directory.strip_prefix(from.directory.as_slice())?;
        FolderName::from_directory(&[to.directory.as_slice(), rest].concat())
    }

    /// Whether a folder of this name may be made: Maildir's own words are kept free.
    pub fn may_be_created(&self) -> bool {
        !self.is_inbox() && !matches!(self.directory.as_slice(), b".cur" | b".new" | b".tmp")
    }
}

fn to_disk(part: &[u8], wire: Wire, disk: Encoding) -> Option<Vec<u8>> {
    let text = match wire {
        Wire::Utf7 => utf7::decode(part)?,
        Wire::Utf8 => String::from_utf8(part.to_vec()).ok()?,
    };
    // Unicode's own control characters have no business in a name either; a decoded dot or slash would be another name.
    if text.chars().any(|c| c.is_control() || matches!(c, '/' | '.')) {
        return None;
    }
    Some(match disk {
        Encoding::Utf8 => text.into_bytes(),
        Encoding::Utf7 => utf7::encode(&text),
    })
}

fn from_disk(part: &[u8], wire: Wire, disk: Encoding) -> Option<Vec<u8>> {
    let text = match disk {
        Encoding::Utf8 => String::from_utf8(part.to_vec()).ok()?,
        Encoding::Utf7 => utf7::decode(part)?,
    };
    Some(match wire {
        Wire::Utf8 => text.into_bytes(),
        Wire::Utf7 => utf7::encode(&text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn disk(name: &str) -> Option<Vec<u8>> {
        let name = FolderName::from_imap(name.as_bytes(), Wire::Utf7, Encoding::Utf8).ok()?;
        Some(name.directory().to_vec())
    }

    #[test]
    fn names_become_directories() {
        assert_eq!(disk("inbox").unwrap(), b"");
        assert_eq!(disk("InBox.Sent.2024").unwrap(), b".Sent.2024");
        assert_eq!(disk("INBOX.Entw&APw-rfe").unwrap(), ".Entwürfe".as_bytes());
        assert_eq!(disk("INBOX.A&-B").unwrap(), b".A&B");
    }

    #[test]
    fn names_that_no_folder_has() {
        for bad in [
            "",
            "Sent",
            "INBOXES",
            "INBOX.",
            "INBOX..a",
            "INBOX.a.",
            "INBOX.a/b",
            "INBOX.&",
            "INBOX.&AC8-",
            "INBOX.a\0b",
            "INBOX.\n",
        ] {
            assert_eq!(disk(bad), None, "{bad:?}");
        }
        assert_eq!(disk(&format!("INBOX.{}", "a".repeat(255))), None);
        assert_eq!(disk(&format!("INBOX{}", ".a".repeat(21))), None);
    }

    #[test]
    fn relatives() {
        let name = |d: &str| FolderName::from_directory(d.as_bytes()).unwrap();
        assert_eq!(name(".a.b").parent(), Some(name(".a")));
        assert_eq!(name(".a").parent(), Some(FolderName::INBOX));
        assert_eq!(FolderName::INBOX.parent(), None);
        assert!(name(".a.b").is_below(&name(".a")) && !name(".ab").is_below(&name(".a")));
        assert_eq!(name(".a.b").moved(&name(".a"), &name(".x.y")), Some(name(".x.y.b")));
    }

    proptest! {
        #[test]
        fn one_component_below_the_root(bytes in proptest::collection::vec(any::<u8>(), 0..300), utf8 in any::<bool>(), old in any::<bool>(), prefix in any::<bool>()) {
            let wire = if utf8 { Wire::Utf8 } else { Wire::Utf7 };
            let encoding = if old { Encoding::Utf7 } else { Encoding::Utf8 };
            let name = if prefix { [b"INBOX.".as_slice(), &bytes].concat() } else { bytes };
            if let Ok(folder) = FolderName::from_imap(&name, wire, encoding) {
                let directory = folder.directory();
                prop_assert!(folder.is_inbox() || directory.starts_with(b"."));
                prop_assert!(!directory.contains(&b'/') && !directory.contains(&0) && directory != b".." && directory != b".");
                prop_assert!(directory.len() <= 255);
                let back = folder.to_imap(wire, encoding).unwrap();
                prop_assert_eq!(FolderName::from_imap(&back, wire, encoding).unwrap(), folder);
                prop_assert_eq!(back.get(5..), name.get(5..));
            }
        }
    }
}
