//! SELECT and EXAMINE (RFC 3501 sections 6.3.1 and 6.3.2).

use imap::response::{self, Code, Status};
use mailbox::{Mailbox, Mode};
use maildir::{FolderName, Wire};

use crate::answer::{Answer, Outcome, Stop};
use crate::log::PROGRAM;
use crate::session::Session;
use crate::updates;

/// Leaves the old mailbox first, whatever becomes of the new one.
pub fn run(session: &mut Session, mailbox: &[u8], read_only: bool) -> Outcome {
    session.selected = None;
    let name = name(session, mailbox)?;
    let mode = if read_only { Mode::ReadOnly } else { Mode::ReadWrite };
    let mailbox = Mailbox::open(&session.root, &name, mode)?;
    describe(session, &mailbox);
    let code = if mailbox.read_only() { Code::ReadOnly } else { Code::ReadWrite };
    session.selected = Some(mailbox);
    Ok(Answer::ok(if read_only { "EXAMINE completed" } else { "SELECT completed" }).code(code))
}

/// The folder that a client means; Thunderbird puts a delimiter behind the name. What can name no folder names none
/// that exists.
pub fn name(session: &Session, mailbox: &[u8]) -> Result<FolderName, Stop> {
    let bare = mailbox.strip_suffix(b".").unwrap_or(mailbox);
    let name = FolderName::from_imap(bare, Wire::Utf7, session.root.settings().encoding);
    name.map_err(|_| Answer::no("No such mailbox").code(Code::NonExistent).into())
}

/// The folder that messages are to go to. The client may create it, if there can be such a folder.
pub fn target(session: &Session, mailbox: &[u8]) -> Result<FolderName, Stop> {
    let name = name(session, mailbox)?;
    if session.root.has(&name) {
        return Ok(name);
    }
    Err(Answer::no("No such mailbox").code(Code::TryCreate).into())
}

/// Courier's order, with UIDNEXT and UNSEEN at its end.
fn describe(session: &mut Session, mailbox: &Mailbox) {
    let out = session.wire.out();
    updates::flag_lists(mailbox, session.settings.keywords, out);
    response::numbered(out, mailbox.exists(), b"EXISTS");
    response::numbered(out, mailbox.recent(), b"RECENT");
    response::untagged(out, Status::Ok, Some(Code::UidValidity(mailbox.uid_validity())), b"Ok");
    response::untagged(out, Status::Ok, Some(Code::UidNext(mailbox.uid_next())), b"Predicted next UID");
    if let Some(number) = mailbox.first_unseen() {
        response::untagged(out, Status::Ok, Some(Code::Unseen(number)), b"First unseen");
    }
    if let Some(trouble) = mailbox.trouble() {
        PROGRAM.warn(trouble.to_string().as_bytes());
        response::untagged(out, Status::No, None, b"Some new messages cannot be shown now");
    }
}
