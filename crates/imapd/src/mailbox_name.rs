//! Mailbox names: what the client writes, what the folder is called, what the client is shown.

use imap::response::Code;
use maildir::{FolderName, Wire};

use crate::answer::{Answer, Stop};
use crate::session::Session;

/// The hierarchy delimiter.
pub const DELIMITER: u8 = b'.';

/// How this client writes names.
fn wire(session: &Session) -> Wire {
    if session.rules.utf8 { Wire::Utf8 } else { Wire::Utf7 }
}

/// The folder meant, if there can be one. Thunderbird puts a delimiter behind the name.
fn parse(session: &Session, mailbox: &[u8]) -> Option<FolderName> {
    let bare = mailbox.strip_suffix(&[DELIMITER]).unwrap_or(mailbox);
    FolderName::from_imap(bare, wire(session), session.root.settings().encoding).ok()
}

/// The name of a mailbox that should be there. What can name no folder names none that exists.
pub fn existing(session: &Session, mailbox: &[u8]) -> Result<FolderName, Answer> {
    parse(session, mailbox).ok_or_else(missing)
}

/// The mailbox that messages are to go to. The client may create it, if there can be such a mailbox.
pub fn target(session: &Session, mailbox: &[u8]) -> Result<FolderName, Stop> {
    let folder = existing(session, mailbox)?;
    match session.root.has(&folder)? {
        true => Ok(folder),
        false => Err(Answer::no("No such mailbox").code(Code::TryCreate).into()),
    }
}

/// The name of a mailbox that is to be made.
pub fn proposed(session: &Session, mailbox: &[u8]) -> Result<FolderName, Answer> {
    let below = mailbox.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"INBOX."));
    let text = if below { "No mailbox can have this name" } else { "Mailbox names begin with INBOX. here" };
    parse(session, mailbox).ok_or_else(|| Answer::no(text).code(Code::Cannot))
}

/// How the client is told of a folder; `None` if its name on disk is no text.
pub fn shown(session: &Session, folder: &FolderName) -> Option<Vec<u8>> {
    folder.to_imap(wire(session), session.root.settings().encoding)
}

/// Why nothing is done to a mailbox that is not there.
pub fn missing() -> Answer {
    Answer::no("No such mailbox").code(Code::NonExistent)
}

/// Whether the session has this folder open, or one below it.
pub fn is_open(session: &Session, folder: &FolderName) -> bool {
    session.selected.as_ref().is_some_and(|open| open.name() == folder || open.name().is_below(folder))
}
