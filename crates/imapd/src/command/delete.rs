//! DELETE (RFC 3501 section 6.3.4).

use imap::response::Code;
use maildir::FolderName;

use crate::answer::{Answer, Outcome, Stop};
use crate::mailbox_name;
use crate::session::Session;

/// The folder goes, what is below it stays; its name stays as a level as long as something is. So does a subscription.
pub fn run(session: &mut Session, mailbox: &[u8]) -> Outcome {
    let folder = mailbox_name::existing(session, mailbox)?;
    if folder.is_inbox() {
        return Ok(Answer::no("INBOX cannot be deleted").code(Code::Cannot));
    }
    if session.selected.as_ref().is_some_and(|open| *open.name() == folder) {
        return Ok(Answer::no("Mailbox is selected").code(Code::InUse));
    }
    match session.root.delete(&folder) {
        Ok(()) => Ok(Answer::ok("Mailbox deleted")),
        Err(maildir::Error::Missing(_)) => Ok(why_missing(session, &folder)?),
        Err(error) => Err(error.into()),
    }
}

/// A name without a folder: only a level of other names, or nothing at all.
fn why_missing(session: &Session, folder: &FolderName) -> Result<Answer, Stop> {
    let is_level = session.root.folders()?.iter().any(|other| other.is_below(folder));
    Ok(match is_level {
        true => Answer::no("Mailboxes are below this name").code(Code::HasChildren),
        false => mailbox_name::missing(),
    })
}
