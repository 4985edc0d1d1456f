//! One open folder, and what can be asked about its messages without touching the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::fd::AsFd;
use std::rc::Rc;

use imap::{Flag, Flags, NumberSet, SequenceSet};
use maildir::{Folder, FolderName, Root};

use crate::changes::{Changes, Expunges, Told, number};
use crate::keywords::Keywords;
use crate::look::Seen;
use crate::message::Message;
use crate::view::View;
use crate::watch::Watch;
use crate::{Error, resolve};

/// What the session may do with the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// SELECT.
    ReadWrite,
    /// EXAMINE: nothing that a client can see is changed.
    ReadOnly,
}

/// A selected folder.
pub struct Mailbox {
    pub(crate) folder: Rc<Folder>,
    pub(crate) mode: Mode,
    pub(crate) uid_validity: u32,
    /// No message that comes later has a UID below.
    pub(crate) uid_next: u32,
    pub(crate) view: View,
    pub(crate) keywords: Keywords,
    pub(crate) told: Told,
    pub(crate) seen: Seen,
    /// RFC822.SIZE by UID, of messages that were asked about.
    pub(crate) sizes: BTreeMap<u32, u64>,
    /// The large message that a client reads in pieces, by UID.
    pub(crate) reading: Option<(u32, Message<File>)>,
    /// UIDs of messages that this session copied somewhere.
    pub(crate) copied: BTreeSet<u32>,
}

/// A message's flags as FETCH shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown<'a> {
    /// System flags.
    pub system: Flags,
    /// `\Recent`.
    pub recent: bool,
    /// Keywords.
    pub keywords: Vec<&'a [u8]>,
}

impl Mailbox {
    /// Open a folder. Deliveries are taken in and get their UIDs, under either mode.
    pub fn open(root: &Root, name: &FolderName, mode: Mode) -> Result<Mailbox, Error> {
        let folder = Rc::new(root.folder(name)?);
        // What crashes left there is nobody's concern but the next cleaner's.
        let _left_behind = folder.clean_tmp();
        let mut mailbox = Mailbox {
            folder,
            mode,
            uid_validity: 0,
            uid_next: 0,
            view: View::default(),
            keywords: Keywords::default(),
            told: Told::default(),
            seen: Seen::default(),
            sizes: BTreeMap::new(),
            reading: None,
            copied: BTreeSet::new(),
        };
        mailbox.look()?;
        mailbox.view.shrink();
        // SELECT's own answer says it all.
        mailbox.told.news(&mut mailbox.view, mailbox.keywords.words().len(), Expunges::Report);
        Ok(mailbox)
    }

    /// The folder's name.
    pub fn name(&self) -> &FolderName {
        self.folder.name()
    }

    /// Opened by EXAMINE, or not to be written.
    pub fn read_only(&self) -> bool {
        self.mode == Mode::ReadOnly
    }

    /// UIDVALIDITY.
    pub fn uid_validity(&self) -> u32 {
        self.uid_validity
    }

    /// UIDNEXT.
    pub fn uid_next(&self) -> u32 {
        self.uid_next
    }

    /// How many messages the client knows of: the highest number it may use.
    pub fn exists(&self) -> u32 {
        number(self.told.exists())
    }

    /// How many of them are `\Recent` in this session.
    pub fn recent(&self) -> u32 {
        number(self.view.recent())
    }

    /// The number of the first message without `\Seen`.
    pub fn first_unseen(&self) -> Option<u32> {
        (0..self.told.exists()).find(|at| !self.view.flags(*at).contains(maildir::Flags::SEEN)).map(|at| number(at + 1))
    }

    /// How many messages lack `\Seen`.
    pub fn unseen(&self) -> u32 {
        let unseen = (0..self.told.exists()).filter(|at| !self.view.flags(*at).contains(maildir::Flags::SEEN));
        number(unseen.count())
    }

    /// The keywords that FLAGS lists.
    pub fn keywords(&self) -> &[Vec<u8>] {
        self.keywords.words()
    }

    /// The UID of a message.
    pub fn uid(&self, number: u32) -> Option<u32> {
        self.view.uid(position(number)?)
    }

    /// The number of a UID.
    pub fn number_of(&self, uid: u32) -> Option<u32> {
        self.view.position(uid).filter(|at| *at < self.told.exists()).map(|at| number(at + 1))
    }

    /// The flags of a message, as of the last sync.
    pub fn flags(&self, number: u32) -> Option<Shown<'_>> {
        let at = position(number).filter(|at| *at < self.view.len())?;
        Some(Shown {
            system: to_imap(self.view.flags(at)),
            recent: self.view.is_recent(at),
            keywords: self.keywords.spelled(self.view.set(at)),
        })
    }

    /// Is the message no more on disk, though its number still stands?
    pub fn is_gone(&self, number: u32) -> bool {
        position(number).is_some_and(|at| self.view.is_gone(at))
    }

    /// The numbers that a client's set means (conformance of sets: RFC 3501 sections 6.4.8 and 9).
    pub fn resolve(&self, set: &SequenceSet, uid: bool) -> Result<NumberSet, Error> {
        match uid {
            true => Ok(resolve::by_uid(&self.view, self.told.exists(), set)),
            false => resolve::by_number(self.told.exists(), set),
        }
    }

    /// The UIDs of messages given by number.
    pub fn uids(&self, numbers: &NumberSet) -> NumberSet {
        numbers.iter().filter_map(|number| self.uid(number)).collect()
    }

    /// Look at the disk if it may have changed, and say what the client does not know yet.
    pub fn sync(&mut self, expunges: Expunges) -> Result<Changes, Error> {
        self.look_if_changed()?;
        Ok(self.news(expunges))
    }

    /// What the client does not know yet of what this session knows.
    pub(crate) fn news(&mut self, expunges: Expunges) -> Changes {
        self.told.news(&mut self.view, self.keywords.words().len(), expunges)
    }

    /// A disk that fails is not written to again: the folder is read-only from here on.
    pub(crate) fn heed(&mut self, done: Result<(), Error>) -> Result<(), Error> {
        if matches!(&done, Err(Error::Files(error)) if error.errno() == Some(nix::libc::EIO)) {
            self.mode = Mode::ReadOnly;
        }
        done
    }

    /// Have `watch` wake the session when this folder changes. False: poll.
    pub fn watch(&self, watch: &mut Watch) -> bool {
        let keywords = maildir::keywords::directory(&self.folder).ok().flatten();
        watch.set_partial(keywords.is_none());
        // Where nobody used a keyword yet, the directory's making is what wakes us.
        let keywords = keywords.as_ref().unwrap_or(self.folder.dir());
        watch.follow(&[self.folder.new_dir().as_fd(), self.folder.cur().as_fd(), keywords.as_fd()])
    }

    /// The folder's files, for whoever reads messages.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }
}

/// A message number as a position.
pub(crate) fn position(number: u32) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}

const BOTH: [(Flag, maildir::Flags); 5] = [
    (Flag::Draft, maildir::Flags::DRAFT),
    (Flag::Flagged, maildir::Flags::FLAGGED),
    (Flag::Answered, maildir::Flags::REPLIED),
    (Flag::Seen, maildir::Flags::SEEN),
    (Flag::Deleted, maildir::Flags::TRASHED),
];

pub(crate) fn to_imap(flags: maildir::Flags) -> Flags {
    BOTH.iter().filter(|(_, on_disk)| flags.contains(*on_disk)).fold(Flags::NONE, |set, (flag, _)| set.with(*flag))
}

pub(crate) fn to_maildir(flags: Flags) -> maildir::Flags {
    BOTH.iter().filter(|(flag, _)| flags.has(*flag)).fold(maildir::Flags::NONE, |set, (_, on_disk)| set | *on_disk)
}
