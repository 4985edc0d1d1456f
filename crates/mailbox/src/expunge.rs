//! EXPUNGE: what is marked deleted goes, durably, and without a new file (a full disk must not stop it).

use imap::NumberSet;
use maildir::Flags;
use maildir::trash::Trash;

use crate::Error;
use crate::changes::number;
use crate::mailbox::{Mailbox, Mode};

/// What becomes of expunged messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Their files go.
    Removed,
    /// They go to the account's trash, as `IMAP_MOVE_EXPUNGE_TO_TRASH` says; from there, they are removed. So are
    /// messages that the session has copied somewhere: they have gone where they were to go.
    Trash,
}

/// How often the folder is read again because somebody changed flags meanwhile.
const ATTEMPTS: usize = 10;

/// A message that was expunged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The file name it had.
    pub name: Vec<u8>,
    /// The file name it has in the trash.
    pub in_trash: Option<Vec<u8>>,
}

impl Mailbox {
    /// Expunge the messages marked deleted, or those of them among `only`. Their numbers stand until the client has
    /// been told by [`Mailbox::sync`].
    pub fn expunge(&mut self, only: Option<&NumberSet>, fate: Fate) -> Result<Vec<Removed>, Error> {
        if self.mode == Mode::ReadOnly {
            return Err(Error::ReadOnly);
        }
        self.look_if_changed()?;
        let mut removed = Vec::new();
        let mut trash = None;
        let done = self.expunge_all(only, fate, &mut trash, &mut removed);
        // Some of them removed or all: what is, is made to last, where it went before where it was.
        let kept = trash.map_or(Ok(()), |trash| trash.sync());
        let synced = if removed.is_empty() { kept } else { kept.and_then(|()| self.folder.sync_expunge()) };
        self.heed(done.and(synced.map_err(Error::from)))?;
        Ok(removed)
    }

    fn expunge_all(
        &mut self,
        only: Option<&NumberSet>,
        fate: Fate,
        trash: &mut Option<Trash>,
        removed: &mut Vec<Removed>,
    ) -> Result<(), Error> {
        let root = self.folder.root().clone();
        let keeps = fate == Fate::Trash && root.trash()? != *self.folder.name();
        for _ in 0..ATTEMPTS {
            let doomed = self.doomed(only);
            if keeps && trash.is_none() && !doomed.is_empty() {
                *trash = Some(Trash::open(&root)?);
            }
            let mut missed = false;
            for at in doomed {
                match self.expunge_one(at, trash.as_ref())? {
                    Some(gone) => removed.push(gone),
                    None => missed = true,
                }
            }
            if !missed {
                return Ok(());
            }
            self.look()?;
        }
        // Somebody renames without end. These messages stay; a client may try again.
        Ok(())
    }

    /// Under exactly the name last seen: another may mean that somebody took the mark off. None: not there.
    fn expunge_one(&mut self, at: usize, trash: Option<&Trash>) -> Result<Option<Removed>, Error> {
        let name = self.view.file_name(at);
        let copied = self.view.uid(at).is_some_and(|uid| self.copied.contains(&uid));
        let in_trash = match trash.filter(|_| !copied) {
            Some(trash) => {
                let there = self.folder.cur().stat(&name)?.is_some() && trash.take(&self.folder, &name)?;
                there.then(|| Some(Trash::name_there(&name)))
            }
            None => self.folder.remove_exactly(&name)?.then_some(None),
        };
        if in_trash.is_some() {
            self.view.mark_gone(at);
        }
        Ok(in_trash.map(|in_trash| Removed { name, in_trash }))
    }

    /// Positions of the messages to go.
    fn doomed(&self, only: Option<&NumberSet>) -> Vec<usize> {
        let among = |at: usize| only.is_none_or(|only| only.contains(number(at + 1)));
        let marked = |at: &usize| self.view.flags(*at).contains(Flags::TRASHED) && !self.view.is_gone(*at);
        (0..self.view.len()).filter(marked).filter(|at| among(*at)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expunges;
    use crate::tests::Place;

    #[test]
    fn only_what_is_marked_and_meant() {
        let place = Place::new();
        for name in ["1.a:2,T", "2.b:2,S", "3.c:2,ST", "4.d:2,T"] {
            place.deliver(name);
        }
        let mut mailbox = place.select();
        let meant = mailbox.resolve(&crate::tests::one(3), true).unwrap();
        mailbox.expunge(Some(&meant), Fate::Removed).unwrap();
        assert_eq!(mailbox.sync(Expunges::Report).unwrap().expunged, [3]);
        mailbox.expunge(None, Fate::Removed).unwrap();
        let changes = mailbox.sync(Expunges::Report).unwrap();
        assert_eq!((changes.expunged, changes.vanished, changes.exists), (vec![1, 2], vec![1, 4], Some(1)));
        assert_eq!(place.cur(), ["2.b:2,S"]);
    }

    #[test]
    fn a_mark_taken_off_by_another_program_saves_the_message() {
        let place = Place::new();
        place.deliver("1.a:2,T");
        let mut mailbox = place.select();
        std::fs::rename(place.path.join("cur/1.a:2,T"), place.path.join("cur/1.a:2,S")).unwrap();
        mailbox.expunge(None, Fate::Removed).unwrap();
        assert_eq!(place.cur(), ["1.a:2,S"]);
        assert_eq!(place.examine().expunge(None, Fate::Removed), Err(Error::ReadOnly));
    }
}
