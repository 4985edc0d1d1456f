//! Access rights: `courierimapacl` in each folder, `courierimaphieracl/NAME` for names without a folder.
//!
//! ```text
//! owner aceilrstwx
//! user=jane lr
//! -group=guests w
//! ```

use crate::dir::Dir;
use crate::durable;
use crate::error::{Error, Result};
use crate::folder_name::FolderName;
use crate::root::Root;
use std::fmt;
use std::ops::{BitAnd, BitOr};

/// The file of a folder.
pub(crate) const FILE: &[u8] = b"courierimapacl";
const LEVELS: &[u8] = b"courierimaphieracl";
const LIMIT: u64 = 1 << 20;
const LETTERS: &[u8; 10] = b"aceilrstwx";

/// A set of the rights of RFC 4314.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights(u16);

impl Rights {
    /// No right.
    pub const NONE: Rights = Rights(0);
    /// Every right: `aceilrstwx`.
    pub const ALL: Rights = Rights(0x3ff);

    /// Rights by their letters; RFC 2086's `d` is `e`, `t` and `x`, other letters mean nothing.
    pub fn of(letters: &[u8]) -> Rights {
        let bit = |letter: u8| LETTERS.iter().position(|&l| l == letter).map_or(0, |at| 1 << at);
        letters.iter().fold(Rights::NONE, |all, &letter| match letter {
            b'd' => all | Rights::of(b"etx"),
            _ => all | Rights(bit(letter)),
        })
    }

    /// The letters, sorted.
    pub fn letters(self) -> Vec<u8> {
        LETTERS.iter().enumerate().filter(|(at, _)| self.0 & 1 << at != 0).map(|(_, &letter)| letter).collect()
    }

    /// Whether all of `other` are in this set.
    pub fn contains(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }

    /// Those that are not in `other`.
    pub fn without(self, other: Rights) -> Rights {
        Rights(self.0 & !other.0)
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Rights {
    type Output = Rights;
    fn bitor(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }
}

impl BitAnd for Rights {
    type Output = Rights;
    fn bitand(self, other: Rights) -> Rights {
        Rights(self.0 & other.0)
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({})", String::from_utf8_lossy(&self.letters()))
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    /// Whether the maildir is this user's own.
    pub owner: bool,
    /// The login name (`AUTHENTICATED`).
    pub user: &'a [u8],
    /// The account's groups (option `group`).
    pub groups: &'a [&'a [u8]],
}

/// A folder's list: identifiers, a negative one with its `-`, and their rights.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acl {
    entries: Vec<(Vec<u8>, Rights)>,
}

impl Acl {
    /// What a folder has that says nothing: all to its owner.
    pub fn of_owner() -> Acl {
        Acl { entries: vec![(b"owner".to_vec(), Rights::ALL)] }
    }

    /// Reads the text of a file. A line that says nothing is left out; administrators always have all rights.
    pub fn parse(text: &[u8]) -> Acl {
        let mut acl = Acl::default();
        for line in text.split(|&b| b == b'\n') {
            let Some(space) = line.iter().rposition(|&b| b == b' ').filter(|&space| space > 0) else { continue };
            acl.set(line.get(..space).unwrap_or(b""), Rights::of(line.get(space + 1..).unwrap_or(b"")));
        }
        acl.set(b"administrators", Rights::ALL);
        acl
    }

    /// The text of the file.
    pub fn format(&self) -> Vec<u8> {
        self.entries
            .iter()
            .flat_map(|(who, rights)| [who.as_slice(), b" ", &rights.letters(), b"\n"].concat())
            .collect()
    }

    /// All entries, in their order.
    pub fn entries(&self) -> &[(Vec<u8>, Rights)] {
        &self.entries
    }

    /// Gives an identifier these rights, none removes it.
    pub fn set(&mut self, who: &[u8], rights: Rights) {
        let who = canonical(who);
        let known = self.entries.iter().position(|(have, _)| *have == who);
        match known {
            Some(at) if rights.is_empty() => drop(self.entries.remove(at)),
            Some(at) => self.entries.iter_mut().skip(at).take(1).for_each(|entry| entry.1 = rights),
            None if rights.is_empty() => {}
            None => self.entries.push((who, rights)),
        }
    }

    /// What somebody may do: all that is granted to any name of theirs, less what is taken from any.
    pub fn rights(&self, who: &Who<'_>) -> Rights {
        let sum = |negative: bool| {
            let mine = self.entries.iter().filter(|(name, _)| applies(name, who, negative));
            mine.fold(Rights::NONE, |all, (_, rights)| all | *rights)
        };
        let owned = if who.owner { Rights::of(b"a") } else { Rights::NONE };
        sum(false).without(sum(true)) | owned
    }

    /// Nobody may lock out the owner or the administrators.
    fn check(&self, name: &FolderName) -> Result<()> {
        let owner = self.rights(&Who { owner: true, user: b"", groups: &[] });
        let granted =
            |who: &[u8]| self.entries.iter().filter(|(have, _)| have == who).fold(Rights::NONE, |all, e| all | e.1);
        let taken = granted(b"-owner") | granted(b"-anyone") | granted(b"-administrators");
        let kept = owner.contains(Rights::of(b"l")) && !taken.contains(Rights::of(b"a"));
        if !kept || granted(b"administrators") != Rights::ALL || !granted(b"-administrators").is_empty() {
            return Err(Error::Refused(name.directory().to_vec(), "the owner or the administrators would lose rights"));
        }
        Ok(())
    }
}

/// `anonymous` is `anyone`, `group=administrators` is `administrators`.
fn canonical(who: &[u8]) -> Vec<u8> {
    let (sign, name) = who.strip_prefix(b"-").map_or((b"".as_slice(), who), |name| (b"-".as_slice(), name));
    let name = match name {
        b"anonymous" => b"anyone",
        b"group=administrators" => b"administrators".as_slice(),
        other => other,
    };
    [sign, name].concat()
}

fn applies(name: &[u8], who: &Who<'_>, negative: bool) -> bool {
    let (is_negative, name) = name.strip_prefix(b"-").map_or((false, name), |name| (true, name));
    let in_group = |group: &[u8]| who.groups.contains(&group);
    is_negative == negative
        && match name {
            b"owner" => who.owner,
            b"anyone" => true,
            b"administrators" => in_group(b"administrators"),
            _ => {
                name.strip_prefix(b"user=").is_some_and(|user| user == who.user)
                    || name.strip_prefix(b"group=").is_some_and(in_group)
            }
        }
}

/// The list that holds for a folder or a bare name: its own, else the nearest above it, else the owner's.
pub fn read(root: &Root, name: &FolderName) -> Result<Acl> {
    let mut at = Some(name.clone());
    while let Some(level) = at {
        if let Some(text) = text_of(root, &level)? {
            return Ok(Acl::parse(&text));
        }
        at = level.parent();
    }
    Ok(Acl::parse(&Acl::of_owner().format()))
}

fn text_of(root: &Root, name: &FolderName) -> Result<Option<Vec<u8>>> {
    if name.is_inbox() {
        return root.dir().read(FILE, LIMIT);
    }
    if let Some(dir) = absent_as_none(root.dir().open_dir(name.directory()))? {
        return dir.read(FILE, LIMIT);
    }
    let Some(levels) = absent_as_none(root.dir().open_dir(LEVELS))? else { return Ok(None) };
    levels.read(level_file(name), LIMIT)
}

/// Saves a folder's list, or that of a bare name.
pub fn save(root: &Root, name: &FolderName, acl: &Acl) -> Result<()> {
    acl.check(name)?;
    let tmp = root.dir().open_dir(b"tmp")?;
    if name.is_inbox() {
        return durable::replace(&tmp, root.dir(), FILE, &acl.format());
    }
    if let Some(dir) = absent_as_none(root.dir().open_dir(name.directory()))? {
        return durable::replace(&tmp, &dir, FILE, &acl.format());
    }
    match root.dir().mkdir(LEVELS) {
        Ok(()) | Err(Error::Exists(_)) => {}
        Err(e) => return Err(e),
    }
    durable::replace(&tmp, &root.dir().open_dir(LEVELS)?, level_file(name), &acl.format())
}

/// What a new folder begins with: the list its name had without a folder, or a copy of the one above it.
pub(crate) fn bequeath(root: &Root, name: &FolderName) -> Result<Option<Vec<u8>>> {
    let mut at = Some(name.clone());
    while let Some(level) = at {
        if let Some(text) = text_of(root, &level)? {
            return Ok(Some(Acl::parse(&text).format()));
        }
        at = level.parent();
    }
    Ok(None)
}

/// The name has a folder of its own now.
pub(crate) fn forget_level(root: &Root, name: &FolderName) {
    if let Ok(levels) = root.dir().open_dir(LEVELS) {
        let _ = levels.unlink(level_file(name));
    }
}

fn level_file(name: &FolderName) -> &[u8] {
    name.directory().strip_prefix(b".").unwrap_or(name.directory())
}

fn absent_as_none(dir: Result<Dir>) -> Result<Option<Dir>> {
    match dir {
        Ok(dir) => Ok(Some(dir)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Who<'static> = Who { owner: true, user: b"john", groups: &[] };
    const JANE: Who<'static> = Who { owner: false, user: b"jane", groups: &[b"staff"] };

    #[test]
    fn rights_are_letters() {
        assert_eq!(Rights::of(b"xwtsrlieca"), Rights::ALL);
        assert_eq!(Rights::of(b"lrd?").letters(), b"elrtx");
        assert_eq!(Rights::ALL.letters(), b"aceilrstwx");
    }

    #[test]
    fn granted_less_taken() {
        let acl =
            Acl::parse(b"owner aceilrstwx\nuser=jane lr\ngroup=staff s\nanyone i\n-user=jane r\n-group=others l\n");
        assert_eq!(acl.rights(&OWNER), Rights::ALL);
        assert_eq!(acl.rights(&JANE), Rights::of(b"ils"));
        let admin = Who { groups: &[b"administrators"], ..JANE };
        assert!(acl.rights(&admin).contains(Rights::of(b"aceilstwx")));
    }

    #[test]
    fn the_owner_always_administers() {
        assert_eq!(Acl::parse(b"user=jane lr\n").rights(&OWNER), Rights::of(b"a"));
        assert!(Acl::parse(b"user=jane lr\n").check(&FolderName::INBOX).is_err());
        assert!(Acl::parse(b"owner lr\n").check(&FolderName::INBOX).is_ok());
        assert!(Acl::parse(b"owner lr\n-owner l\n").check(&FolderName::INBOX).is_err());
    }

    #[test]
    fn text_round_trip() {
        let text = b"owner aceilrstwx\nadministrators aceilrstwx\nuser=a b lr\n";
        assert_eq!(Acl::parse(text).format(), text);
        assert_eq!(Acl::parse(b"anonymous lr\n\n x\nnothing\n").format(), b"anyone lr\nadministrators aceilrstwx\n");
    }
}
