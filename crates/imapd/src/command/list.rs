//! LIST and LSUB (RFC 3501 sections 6.3.8 and 6.3.9, RFC 3348).

use std::collections::{BTreeSet, HashSet};

use imap::{List, Pattern, response};
use maildir::{FolderName, subscriptions};

use super::subscribe;
use crate::answer::{Answer, Outcome, Stop};
use crate::mailbox_name::{self, DELIMITER};
use crate::session::Session;

/// LIST: the folders, and the levels above them that are none.
pub fn list(session: &mut Session, list: &List) -> Outcome {
    let done = Answer::ok("LIST completed");
    let Some(pattern) = pattern(session, b"LIST", list) else { return Ok(done) };
    let folders = all_folders(session)?;
    let tree = Tree::of(&folders);
    for folder in &folders {
        show(session, b"LIST", folder, &pattern, Kind::folder(tree.has_children(folder)))?;
    }
    for level in tree.levels() {
        show(session, b"LIST", &level, &pattern, Kind::Level)?;
    }
    Ok(done)
}

/// LSUB: the subscribed names, there or not. Levels above them only where `%` ends the pattern: elsewhere the
/// subscribed names themselves are what matches.
pub fn lsub(session: &mut Session, list: &List) -> Outcome {
    let done = Answer::ok("LSUB completed");
    let Some(pattern) = pattern(session, b"LSUB", list) else { return Ok(done) };
    let lines = subscriptions::read(&session.root)?;
    let subscribed: BTreeSet<FolderName> = lines.iter().filter_map(|line| subscribe::folder_of(line)).collect();
    let subscribed: Vec<FolderName> = subscribed.into_iter().collect();
    let folders = if subscribed.is_empty() { Vec::new() } else { all_folders(session)? };
    let (tree, known) = (Tree::of(&folders), Tree::of(&subscribed));
    for folder in &subscribed {
        let has_children = tree.has_children(folder) || known.has_children(folder);
        let kind = if tree.has(folder) { Kind::folder(has_children) } else { Kind::absent(has_children) };
        show(session, b"LSUB", folder, &pattern, kind)?;
    }
    if list.patterns.iter().any(|pattern| pattern.ends_with(b"%")) {
        for level in known.levels() {
            show(session, b"LSUB", &level, &pattern, Kind::Level)?;
        }
    }
    Ok(done)
}

/// INBOX first.
fn all_folders(session: &Session) -> Result<Vec<FolderName>, Stop> {
    let mut folders = session.root.folders()?;
    folders.insert(0, FolderName::INBOX);
    Ok(folders)
}

/// What is asked for; `None` where that was the root, which is shown here, or what cannot be.
///
/// As in Courier the pattern begins a new level behind the reference, and a delimiter at the end of either means
/// nothing.
fn pattern(session: &mut Session, command: &[u8], list: &List) -> Option<Pattern> {
    let reference = bare(&list.reference);
    let wanted = list.patterns.first()?;
    if wanted.is_empty() {
        if is_possible(reference) {
            response::list(session.wire.out(), command, &[b"\\Noselect"], DELIMITER, b"");
        }
        return None;
    }
    let mut whole = reference.to_vec();
    if !whole.is_empty() {
        whole.push(DELIMITER);
    }
    whole.extend_from_slice(bare(wanted));
    Some(Pattern::new(&whole, DELIMITER))
}

fn bare(name: &[u8]) -> &[u8] {
    name.strip_suffix(&[DELIMITER]).unwrap_or(name)
}

/// A reference below which there may be names.
fn is_possible(reference: &[u8]) -> bool {
    match reference.split_at_checked(5) {
        Some((inbox, rest)) => inbox.eq_ignore_ascii_case(b"INBOX") && matches!(rest.first(), None | Some(&DELIMITER)),
        None => reference.is_empty(),
    }
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Folder {
        has_children: bool,
    },
    /// Subscribed, and not there.
    Absent {
        has_children: bool,
    },
    /// Names are below it, and it is none itself.
    Level,
}

impl Kind {
    const fn folder(has_children: bool) -> Kind {
        Kind::Folder { has_children }
    }

    const fn absent(has_children: bool) -> Kind {
        Kind::Absent { has_children }
    }
}

/// One line, if the name matches. A folder whose name is no text is not shown.
fn show(session: &mut Session, command: &[u8], folder: &FolderName, pattern: &Pattern, kind: Kind) -> Result<(), Stop> {
    let Some(name) = mailbox_name::shown(session, folder).filter(|name| pattern.matches(name)) else { return Ok(()) };
    let mut attributes: Vec<&[u8]> = Vec::with_capacity(2);
    let has_children = match kind {
        Kind::Folder { has_children } => {
            attributes.extend(mark(session, folder));
            has_children
        }
        Kind::Absent { has_children } => {
            attributes.push(b"\\Noselect");
            has_children
        }
        Kind::Level => {
            attributes.push(b"\\Noselect");
            true
        }
    };
    attributes.push(match has_children {
        true => b"\\HasChildren",
        false if session.settings.obsolete_client => b"\\Noinferiors",
        false => b"\\HasNoChildren",
    });
    response::list(session.wire.out(), command, &attributes, DELIMITER, &name);
    Ok(session.wire.relieve()?)
}

/// Whether somebody wants to look into the folder. Of INBOX alone, if the administrator does not say otherwise: each
/// folder's names must be read for it.
fn mark(session: &Session, folder: &FolderName) -> Option<&'static [u8]> {
    if !folder.is_inbox() && !session.settings.check_all_folders {
        return None;
    }
    // A folder that cannot be looked into now has no mark.
    let unseen = session.root.folder(folder).and_then(|folder| folder.has_unseen()).ok()?;
    Some(if unseen { b"\\Marked" } else { b"\\Unmarked" })
}

/// Which of many names have others below them. Each name and each level is looked at once.
struct Tree<'a> {
    present: HashSet<&'a [u8]>,
    parents: HashSet<&'a [u8]>,
}

impl<'a> Tree<'a> {
    fn of(folders: &'a [FolderName]) -> Tree<'a> {
        let present: HashSet<&[u8]> = folders.iter().map(FolderName::directory).collect();
        let mut parents = HashSet::new();
        for folder in folders {
            let mut name = folder.directory();
            while let Some(dot) = name.iter().rposition(|&byte| byte == DELIMITER) {
                name = name.get(..dot).unwrap_or_default();
                if !parents.insert(name) {
                    break;
                }
            }
        }
        Tree { present, parents }
    }

    fn has(&self, folder: &FolderName) -> bool {
        self.present.contains(folder.directory())
    }

    fn has_children(&self, folder: &FolderName) -> bool {
        self.parents.contains(folder.directory())
    }

    /// Names that only have others below them, in order.
    fn levels(&self) -> Vec<FolderName> {
        let mut levels: Vec<&[u8]> = self.parents.difference(&self.present).copied().collect();
        levels.sort_unstable();
        let name =
            |level: &[u8]| if level.is_empty() { Some(FolderName::INBOX) } else { FolderName::from_directory(level) };
        levels.into_iter().filter_map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directories: &[&str]) -> Vec<FolderName> {
        let name = |text: &&str| match *text {
            "" => FolderName::INBOX,
            text => FolderName::from_directory(text.as_bytes()).unwrap(),
        };
        directories.iter().map(name).collect()
    }

    #[test]
    fn a_tree_of_flat_names() {
        let folders = names(&["", ".a-b", ".a", ".x.y.z", ".a.b"]);
        let tree = Tree::of(&folders);
        let parents: Vec<bool> = folders.iter().map(|folder| tree.has_children(folder)).collect();
        assert_eq!(parents, [true, false, true, false, false]);
        assert_eq!(tree.levels(), names(&[".x", ".x.y"]));
        let subscribed = names(&[".x.y"]);
        assert_eq!(Tree::of(&subscribed).levels(), names(&["", ".x"]), "INBOX is a level like others in LSUB");
    }

    #[test]
    fn references_below_which_there_are_names() {
        for yes in [&b""[..], b"INBOX", b"inbox", b"INBOX.a.b"] {
            assert!(is_possible(yes));
        }
        for no in [&b"x"[..], b"INBOXES", b"#shared"] {
            assert!(!is_possible(no));
        }
    }
}
