//! What the tests of this crate share: a Maildir of their own.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use imap::{Bound, FlagList, SequenceSet};
use maildir::{Durable, Folder, FolderName, Root, Settings};

use crate::{Append, Mailbox, Mode};

mod histories;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A Maildir that goes with the test.
pub(crate) struct Place {
    pub path: PathBuf,
    pub root: Root,
}

impl Place {
    pub fn new() -> Place {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("daisychain-mailbox-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Root::make(&path).unwrap();
        let root = Root::open(&path, Settings { durable: Durable::None, ..Settings::default() }).unwrap();
        Place { path, root }
    }

    pub fn inbox(&self) -> Folder {
        self.root.folder(&FolderName::INBOX).unwrap()
    }

    pub fn select(&self) -> Mailbox {
        Mailbox::open(&self.root, &FolderName::INBOX, Mode::ReadWrite).unwrap()
    }

    pub fn examine(&self) -> Mailbox {
        Mailbox::open(&self.root, &FolderName::INBOX, Mode::ReadOnly).unwrap()
    }

    /// Delivers as an MTA does.
    pub fn deliver(&self, base: &str) {
        std::fs::write(self.path.join("new").join(base), b"Subject: x\n\nbody\n").unwrap();
    }

    pub fn append(&self, flags: &FlagList) -> maildir::Placed {
        let mut append = Append::begin(self.inbox(), None).unwrap();
        append.write(b"Subject: appended\r\n\r\nbody\r\n").unwrap();
        append.finish(flags).unwrap();
        append.commit().unwrap()
    }

    pub fn cur(&self) -> Vec<String> {
        self.entries("cur")
    }

    pub fn entries(&self, directory: &str) -> Vec<String> {
        let names = std::fs::read_dir(self.path.join(directory)).unwrap();
        let mut names: Vec<String> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// The set of this one.
pub(crate) fn one(number: u32) -> SequenceSet {
    SequenceSet::range(Bound::Number(number), Bound::Number(number))
}

/// `1:*`
pub(crate) fn all() -> SequenceSet {
    SequenceSet::range(Bound::Number(1), Bound::Last)
}
