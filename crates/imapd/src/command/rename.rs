//! RENAME (RFC 3501 section 6.3.5).

use imap::response::Code;

use crate::answer::{Answer, Outcome};
use crate::mailbox_name;
use crate::session::Session;

/// Of INBOX the messages move, also when it is open; of any other name the folder and all below it.
pub fn run(session: &mut Session, from: &[u8], to: &[u8]) -> Outcome {
    let from = mailbox_name::existing(session, from)?;
    let to = mailbox_name::proposed(session, to)?;
    if !from.is_inbox() && mailbox_name::is_open(session, &from) {
        return Ok(Answer::no("Mailbox is selected").code(Code::InUse));
    }
    session.root.rename(&from, &to)?;
    Ok(Answer::ok("Mailbox renamed"))
}
