//! CREATE (RFC 3501 section 6.3.3).

use imap::response::Code;

use crate::answer::{Answer, Outcome};
use crate::mailbox_name::{self, DELIMITER};
use crate::session::Session;

/// Levels above the new folder need no directories: LIST shows them as they are.
pub fn run(session: &mut Session, mailbox: &[u8]) -> Outcome {
    let folder = mailbox_name::proposed(session, mailbox)?;
    // "a.b." only announces folders below: no error if it is there (and INBOX always is).
    let announced = mailbox.last() == Some(&DELIMITER);
    if session.root.has(&folder)? {
        return Ok(match announced {
            true => Answer::ok("Mailbox exists"),
            false => Answer::no("Mailbox exists already").code(Code::AlreadyExists),
        });
    }
    session.root.create(&folder)?;
    Ok(Answer::ok("Mailbox created"))
}
