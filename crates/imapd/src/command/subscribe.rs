//! SUBSCRIBE and UNSUBSCRIBE (RFC 3501 sections 6.3.6 and 6.3.7).

use maildir::{FolderName, subscriptions};

use crate::answer::{Answer, Outcome};
use crate::mailbox_name;
use crate::session::Session;

/// The mailbox need not exist.
pub fn subscribe(session: &mut Session, mailbox: &[u8]) -> Outcome {
    let folder = mailbox_name::proposed(session, mailbox)?;
    subscriptions::add(&session.root, &line(&folder))?;
    Ok(Answer::ok("Subscribed"))
}

/// Nothing is wrong about a mailbox that was not subscribed.
pub fn unsubscribe(session: &mut Session, mailbox: &[u8]) -> Outcome {
    let folder = mailbox_name::existing(session, mailbox)?;
    subscriptions::remove(&session.root, &line(&folder))?;
    Ok(Answer::ok("Unsubscribed"))
}

/// The folder's line in the file: the whole name, as it is encoded on disk.
fn line(folder: &FolderName) -> Vec<u8> {
    [b"INBOX".as_slice(), folder.directory()].concat()
}

/// The folder of a line; `None` for what is in no namespace of ours.
pub fn folder_of(line: &[u8]) -> Option<FolderName> {
    match line.split_at_checked(5)? {
        (inbox, _) if !inbox.eq_ignore_ascii_case(b"INBOX") => None,
        (_, b"") => Some(FolderName::INBOX),
        (_, directory) => FolderName::from_directory(directory),
    }
}
