//! Who is still owed `\Recent`.
//!
//! A session that gives a message its UID takes it as recent. What comes in without such a session (APPEND, COPY,
//! EXAMINE) is owed to the next one that selects the folder: `daisychain-recent` holds the first such UID. It is a
//! convenience: never synced, and every failure here is no failure of the command.

use std::io::Write;

use maildir::Folder;

const FILE: &[u8] = b"daisychain-recent";
/// Two numbers of at most ten digits, a blank and a line end.
const LIMIT: u64 = 22;

/// The first UID that is owed, if any is.
pub(crate) fn owed(folder: &Folder, uid_validity: u32) -> Option<u32> {
    let text = folder.dir().read(FILE, LIMIT).ok()??;
    let (validity, uid) = std::str::from_utf8(&text).ok()?.trim_end().split_once(' ')?;
    (validity.parse() == Ok(uid_validity)).then(|| uid.parse().ok())?
}

/// Take what is owed: of several sessions one gets it.
pub(crate) fn claim(folder: &Folder, uid_validity: u32) -> Option<u32> {
    let uid = owed(folder, uid_validity)?;
    folder.dir().unlink(FILE).ok()?.then_some(uid)
}

/// Messages from this UID on came in with nobody to take them.
pub(crate) fn owe(folder: &Folder, uid_validity: u32, uid: u32) {
    if owed(folder, uid_validity).is_none_or(|owed| owed > uid) {
        // Best effort: without it the messages are merely not recent for anybody.
        let _ = write(folder, uid_validity, uid);
    }
}

fn write(folder: &Folder, uid_validity: u32, uid: u32) -> maildir::Result<()> {
    let temporary = format!("daisychain-recent.{}", std::process::id()).into_bytes();
    folder.dir().unlink(&temporary)?;
    let mut file = folder.dir().create(&temporary)?;
    let written = file.write_all(format!("{uid_validity} {uid}\n").as_bytes());
    match written {
        Ok(()) => folder.dir().rename(&temporary, folder.dir(), FILE),
        Err(_) => folder.dir().unlink(&temporary).map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Place;

    #[test]
    fn the_lowest_is_owed_to_one() {
        let place = Place::new();
        let folder = place.inbox();
        assert_eq!(claim(&folder, 7), None);
        owe(&folder, 7, 30);
        owe(&folder, 7, 20);
        owe(&folder, 7, 25);
        assert_eq!((owed(&folder, 7), owed(&folder, 8)), (Some(20), None));
        assert_eq!((claim(&folder, 7), claim(&folder, 7)), (Some(20), None));
    }
}
