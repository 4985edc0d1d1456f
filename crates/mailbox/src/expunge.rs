//! EXPUNGE: what is marked deleted goes, durably, and without a new file (a full disk must not stop it).

use imap::NumberSet;
use maildir::{Flags, FolderName};

use crate::Error;
use crate::changes::number;
use crate::mailbox::{Mailbox, Mode, position};
use crate::trash;

/// What becomes of expunged messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Their files go.
    Removed,
    /// They go to this folder, as `IMAP_MOVE_EXPUNGE_TO_TRASH` says; from there, they are removed. So are messages that
    /// the session has copied somewhere.
    Trash(FolderName),
}

/// How often the folder is read again because somebody changed flags meanwhile.
const ATTEMPTS: usize = 10;

impl Mailbox {
    /// Expunge the messages marked deleted, or those of them among `only`. Their numbers stand until the client has
    /// been told by [`Mailbox::sync`].
    pub fn expunge(&mut self, only: Option<&NumberSet>, fate: &Fate) -> Result<(), Error> {
        if self.mode == Mode::ReadOnly {
            return Err(Error::ReadOnly);
        }
        self.look_if_changed()?;
        let removed = self.expunge_all(only, fate);
        self.folder.sync_expunge()?;
        removed
    }

    fn expunge_all(&mut self, only: Option<&NumberSet>, fate: &Fate) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let doomed = self.doomed(only);
            if let Fate::Trash(trash) = fate
                && trash != self.folder.name()
            {
                self.move_to_trash(&doomed, trash)?;
            }
            let mut missed = false;
            for at in doomed {
                // Under exactly this name: another may mean that somebody took the mark off.
                if self.folder.cur().unlink(&self.view.file_name(at))? {
                    self.view.mark_gone(at);
                } else {
                    missed = true;
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

    /// Positions of the messages to go.
    fn doomed(&self, only: Option<&NumberSet>) -> Vec<usize> {
        let among = |at: usize| only.is_none_or(|only| only.contains(number(at + 1)));
        let marked = |at: &usize| self.view.flags(*at).contains(Flags::TRASHED) && !self.view.is_gone(*at);
        (0..self.view.len()).filter(marked).filter(|at| among(*at)).collect()
    }

    fn move_to_trash(&mut self, doomed: &[usize], trash: &FolderName) -> Result<(), Error> {
        let copied = |at: &usize| self.view.uid(*at).is_some_and(|uid| self.copied.contains(&uid));
        let names: Vec<Vec<u8>> = doomed.iter().filter(|at| !copied(at)).map(|at| self.view.file_name(*at)).collect();
        trash::take(&self.folder, &names, trash)?;
        // Should an attempt be repeated, they are not to go there twice.
        self.copied.extend(doomed.iter().filter_map(|at| self.view.uid(*at)));
        Ok(())
    }

    /// Numbers of the messages marked deleted, for the log.
    pub fn deleted(&self) -> NumberSet {
        self.doomed(None).into_iter().map(|at| number(at + 1)).collect()
    }

    /// Is this message's file in `cur/` under the name last seen?
    pub fn is_present(&self, number: u32) -> bool {
        position(number).is_some_and(|at| {
            at < self.view.len() && matches!(self.folder.cur().stat(&self.view.file_name(at)), Ok(Some(_)))
        })
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
        mailbox.expunge(Some(&meant), &Fate::Removed).unwrap();
        assert_eq!(mailbox.sync(Expunges::Report).unwrap().expunged, [3]);
        mailbox.expunge(None, &Fate::Removed).unwrap();
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
        mailbox.expunge(None, &Fate::Removed).unwrap();
        assert_eq!(place.cur(), ["1.a:2,S"]);
        assert_eq!(place.examine().expunge(None, &Fate::Removed), Err(Error::ReadOnly));
    }
}
