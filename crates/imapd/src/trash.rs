//! Emptying the trash at login and logout, as `IMAP_EMPTYTRASH` says.

use maildir::{FolderName, Root};

use crate::log::PROGRAM;
use crate::settings::Settings;

/// Removes what has been in the named folders for too long. No session fails for it.
pub fn purge(root: &Root, settings: &Settings) {
    for (name, days) in folders(settings.empty_trash, settings.trash) {
        let Some(folder) = FolderName::from_directory(&[b".", name].concat()) else { continue };
        if let Err(error) = maildir::trash::purge(root, &folder, days) {
            PROGRAM.warn(format!("unable to empty a folder: {error}").as_bytes());
        }
    }
}

/// `FOLDER:DAYS,FOLDER:DAYS`, or the days alone for the trash. Words without days say nothing.
fn folders<'a>(list: &'a [u8], trash: &'a [u8]) -> impl Iterator<Item = (&'a [u8], u32)> {
    list.split(|byte| *byte == b',').filter_map(move |item| {
        let colon = item.iter().rposition(|byte| *byte == b':');
        let (name, days) = match colon {
            Some(colon) => (item.get(..colon)?, item.get(colon + 1..)?),
            None => (trash, item),
        };
        Some((name, std::str::from_utf8(days.trim_ascii()).ok()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_or_a_number() {
        let read = |list: &'static str| {
            let found = folders(list.as_bytes(), b"Trash");
            found.map(|(name, days)| (String::from_utf8(name.to_vec()).unwrap(), days)).collect::<Vec<_>>()
        };
        assert_eq!(read("Trash:7,Sent:30"), [("Trash".to_owned(), 7), ("Sent".to_owned(), 30)]);
        assert_eq!(read("14"), [("Trash".to_owned(), 14)]);
        assert_eq!(read("Trash:"), []);
        assert_eq!(read(""), []);
    }
}
