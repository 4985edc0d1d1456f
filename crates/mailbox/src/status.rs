//! STATUS: a folder's numbers, without disturbing it.

use maildir::{FolderName, Root};

use crate::{Error, recent};

/// The numbers of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// MESSAGES.
    pub messages: u32,
    /// RECENT: those that no session has taken yet.
    pub recent: u32,
    /// UIDNEXT.
    pub uid_next: u32,
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// UNSEEN: how many.
    pub unseen: u32,
    /// DELETED.
    pub deleted: u32,
}

/// The numbers of a folder by name, selected or not.
pub fn status(root: &Root, name: &FolderName) -> Result<Status, Error> {
    let folder = root.folder(name)?;
    let counts = folder.counts_with(|uid_validity| recent::owed(&folder, uid_validity))?;
    if let Some(first) = counts.given_from {
        recent::owe(&folder, counts.uid_validity, first);
    }
    Ok(Status {
        messages: counts.messages,
        recent: counts.recent,
        uid_next: counts.uid_next,
        uid_validity: counts.uid_validity,
        unseen: counts.unseen,
        deleted: counts.deleted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Place;
    use imap::FlagList;

    #[test]
    fn takes_nothing_from_anybody() {
        let place = Place::new();
        place.deliver("1.a:2,S");
        drop(place.select());
        place.append(&FlagList::default());
        place.deliver("9.z");
        let inbox = FolderName::INBOX;
        for _ in 0..2 {
            let now = status(&place.root, &inbox).unwrap();
            assert_eq!((now.messages, now.recent, now.unseen, now.uid_next), (3, 2, 2, 4));
        }
        assert_eq!(place.examine().recent(), 2);
        assert_eq!(place.select().recent(), 2);
        assert_eq!(place.select().recent(), 0);
        assert_eq!(status(&place.root, &inbox).unwrap().recent, 0);
    }
}
