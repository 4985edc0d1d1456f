//! From the files to the view: what is new, what changed, what is gone.
//!
//! Nothing is read while the directories' times are those of the last proven look (design: opening a folder that nobody
//! touched costs a few stats). What counts as gone is decided below, by two passes over the directory.

use maildir::{Listing, Stamp};

use crate::Error;
use crate::keywords::EMPTY;
use crate::mailbox::{Mailbox, Mode};
use crate::recent;

/// What the last look proved, and what kept it from showing all.
#[derive(Default)]
pub(crate) struct Seen {
    /// The times of `cur/` and `new/` for which the view is proven.
    messages: Option<(Stamp, Stamp)>,
    /// The time of the keyword directory for which the view is proven; `Some(None)`: there was none.
    keywords: Option<Option<Stamp>>,
    /// Messages are hidden because their UIDs could not be saved, and why.
    pub trouble: Option<maildir::Error>,
    /// The UID table was set aside since this view began, and why.
    damage: Option<maildir::Error>,
}

impl Mailbox {
    /// Look, unless a few stats say that there is nothing to see.
    pub(crate) fn look_if_changed(&mut self) -> Result<(), Error> {
        if self.messages_changed()? {
            return self.look();
        }
        if self.keywords_changed()? {
            self.look_at_keywords()?;
        }
        Ok(())
    }

    /// Read the folder and bring the view up to date. Where that fails the view stays as it was.
    pub(crate) fn look(&mut self) -> Result<(), Error> {
        if self.folder.dir().own_stat()?.st_nlink == 0 {
            return Err(Error::Replaced);
        }
        let listing = self.folder.list()?;
        if self.uid_validity != 0 && listing.uid_validity != self.uid_validity {
            return Err(Error::Replaced);
        }
        self.uid_validity = listing.uid_validity;
        if listing.provisional || listing.trouble.as_ref().is_some_and(maildir::Error::is_read_only) {
            self.mode = Mode::ReadOnly;
        }
        let known = self.view.len();
        let returned = self.take_over(&listing);
        let settled = |stamp: Stamp| self.folder.root().grain().has_passed(stamp);
        self.seen.messages = listing.proof.filter(|proof| settled(proof.new)).map(|proof| (proof.cur, proof.new));
        self.seen.trouble = listing.trouble;
        if let Some(why) = listing.damage {
            let table = self.folder.dir().path_of(maildir::uidtable::FILE);
            self.seen.damage = Some(maildir::Error::Damaged(table, why));
        }
        if !returned.is_empty() && self.mode == Mode::ReadWrite {
            // Their old UIDs were reported gone: they come back as new messages.
            self.folder.renew(&returned)?;
            self.seen.messages = None;
        }
        // New messages may have keywords that were there before them.
        if self.view.len() > known || self.keywords_changed()? { self.look_at_keywords() } else { Ok(()) }
    }

    /// Why messages on the disk are not shown, if there are such.
    pub fn trouble(&self) -> Option<&maildir::Error> {
        self.seen.trouble.as_ref()
    }

    /// Why the UID table was set aside when the folder was opened, so that all messages have new UIDs.
    pub fn damage(&self) -> Option<&maildir::Error> {
        self.seen.damage.as_ref()
    }

    fn messages_changed(&self) -> Result<bool, Error> {
        let Some((cur, new)) = self.seen.messages else { return Ok(true) };
        Ok(self.folder.cur().stamp()? != cur || self.folder.new_dir().stamp()? != new)
    }

    /// Walk view and listing together, both by ascending UID. Gives UIDs that are there again after they were gone.
    fn take_over(&mut self, listing: &Listing) -> Vec<u32> {
        let known = self.view.len();
        let mut returned = Vec::new();
        let mut at = 0;
        for entry in listing.iter() {
            while at < known && self.view.uid(at).is_some_and(|uid| uid < entry.uid) {
                self.view.mark_gone(at);
                at += 1;
            }
            if at < known && self.view.uid(at) == Some(entry.uid) {
                if entry.seen {
                    self.update(at, entry.uid, entry.name);
                }
                at += 1;
            } else if entry.uid < self.uid_next || !self.view.push(entry.uid, entry.name, false) {
                returned.push(entry.uid);
            }
        }
        (at..known).for_each(|at| self.view.mark_gone(at));
        self.uid_next = self.uid_next.max(listing.uid_next);
        self.take_recent(known, listing);
        returned
    }

    fn update(&mut self, at: usize, uid: u32, name: &[u8]) {
        if maildir::base_of(name) != self.view.base(at) {
            // Another program gave the UID to another message. What the client knows under it is gone.
            self.view.mark_gone(at);
        } else {
            self.view.mark_present(at);
            if self.view.rename(at, name) {
                self.told.note_flags(uid);
            }
        }
    }

    /// `\Recent` for the messages from position `from` on: those that this look gave UIDs to, and those that others
    /// brought in without a session to take them.
    fn take_recent(&mut self, from: usize, listing: &Listing) {
        let first = self.view.uid(from);
        let Some(first) = first.or(Some(u32::MAX).filter(|_| from == 0)) else { return };
        let fresh = listing.recent_from < listing.uid_next;
        let owed = match self.mode {
            Mode::ReadWrite if first < listing.recent_from => recent::claim(&self.folder, self.uid_validity),
            Mode::ReadWrite => None,
            Mode::ReadOnly => {
                if fresh {
                    recent::owe(&self.folder, self.uid_validity, listing.recent_from);
                }
                recent::owed(&self.folder, self.uid_validity)
            }
        };
        let threshold = owed.unwrap_or(u32::MAX).min(listing.recent_from);
        for at in from..self.view.len() {
            if self.view.uid(at).is_some_and(|uid| uid >= threshold) {
                self.view.mark_recent(at);
            }
        }
    }

    /// May others have changed keywords since the last look at them?
    pub(crate) fn keywords_changed(&self) -> Result<bool, Error> {
        Ok(self.seen.keywords != Some(maildir::keywords::stamp(&self.folder)?))
    }

    /// Read all keywords and note the messages whose keywords are others than before.
    pub(crate) fn look_at_keywords(&mut self) -> Result<(), Error> {
        let before = maildir::keywords::stamp(&self.folder)?;
        let by_base = self.view.by_base();
        // A message that is hidden from us keeps its keywords.
        let all = self.seen.trouble.is_some();
        let loaded = maildir::keywords::load(&self.folder, |base| all || self.view.find(&by_base, base).is_some())?;
        let after = maildir::keywords::stamp(&self.folder)?;
        let settled = before == after && after.is_none_or(|stamp| self.folder.root().grain().has_passed(stamp));
        self.seen.keywords = settled.then_some(after);
        let mut sets = vec![EMPTY; self.view.len()];
        for (base, words) in loaded.iter() {
            let Some(at) = self.view.find(&by_base, base) else { continue };
            let numbers = loaded.spell(words).iter().filter_map(|word| self.keywords.word(word)).collect();
            if let Some(set) = sets.get_mut(at) {
                *set = self.keywords.set_of(numbers);
            }
        }
        for (at, set) in sets.into_iter().enumerate() {
            if self.view.set_keywords(at, set)
                && let Some(uid) = self.view.uid(at)
            {
                self.told.note_flags(uid);
            }
        }
        Ok(())
    }
}
