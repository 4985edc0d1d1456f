//! COPY: all messages or none, with flags, keywords and dates, by second links where that can be.

use std::collections::BTreeSet;

use imap::NumberSet;
use maildir::{Batch, FolderName};

use crate::Error;
use crate::keywords::check_room;
use crate::mailbox::{Mailbox, position};
use crate::recent;

/// UIDs for COPYUID: sources and targets in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The target's UIDVALIDITY.
    pub uid_validity: u32,
    /// UIDs here.
    pub source: NumberSet,
    /// UIDs there.
    pub target: NumberSet,
}

impl Mailbox {
    /// Copy messages to a folder, maybe this very one. Nothing, where no message is meant.
    pub fn copy(&mut self, numbers: &NumberSet, to: &FolderName) -> Result<Option<Copied>, Error> {
        let folder = self.folder.root().folder(to)?;
        if numbers.is_empty() {
            return Ok(None);
        }
        // Keywords that others gave since go along.
        self.look_if_changed()?;
        if to != self.folder.name() {
            let sets: BTreeSet<u32> = numbers.iter().filter_map(position).map(|at| self.view.set(at)).collect();
            check_room(&folder, sets.into_iter().flat_map(|set| self.keywords.spelled(set)))?;
        }
        let mut batch = Batch::new(folder);
        for number in numbers.iter() {
            self.add(&mut batch, position(number).ok_or(Error::BadNumber)?)?;
        }
        let placed = batch.commit()?;
        if let Some(first) = placed.uids.first() {
            recent::owe(batch.folder(), placed.uid_validity, *first);
        }
        let source = self.uids(numbers);
        self.copied.extend(source.iter());
        Ok(Some(Copied { uid_validity: placed.uid_validity, source, target: placed.uids.into_iter().collect() }))
    }

    fn add(&mut self, batch: &mut Batch, at: usize) -> Result<(), Error> {
        let words: Vec<Vec<u8>> = self.keywords.spelled(self.view.set(at)).iter().map(|word| word.to_vec()).collect();
        self.with_file(at, |folder, name| batch.add_copy(folder, name, &words).map(|()| ((), None)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expunges;
    use crate::tests::{Place, all};

    #[test]
    fn into_the_same_folder() {
        let place = Place::new();
        place.deliver("1.a:2,S");
        place.deliver("2.b:2,F");
        let mut mailbox = place.select();
        let numbers = mailbox.resolve(&all(), false).unwrap();
        let copied = mailbox.copy(&numbers, &FolderName::INBOX).unwrap().unwrap();
        assert_eq!(copied.source.iter().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(copied.target.iter().collect::<Vec<_>>(), [3, 4]);
        let changes = mailbox.sync(Expunges::Hold).unwrap();
        assert_eq!((changes.exists, changes.recent), (Some(4), Some(4)));
        assert_eq!(mailbox.flags(3).unwrap().system, mailbox.flags(1).unwrap().system);
    }

    #[test]
    fn all_or_nothing() {
        let place = Place::new();
        place.deliver("1.a");
        place.deliver("2.b");
        let mut mailbox = place.select();
        std::fs::remove_file(place.path.join("cur/2.b:2,")).unwrap();
        let numbers = mailbox.resolve(&all(), false).unwrap();
        assert_eq!(mailbox.copy(&numbers, &FolderName::INBOX), Err(Error::Expunged));
        assert_eq!((place.cur().len(), place.entries("tmp").len()), (1, 0));
        assert_eq!(mailbox.copy(&NumberSet::new(), &FolderName::INBOX), Ok(None));
    }
}
