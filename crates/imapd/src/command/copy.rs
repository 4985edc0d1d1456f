//! COPY and UID COPY (RFC 3501 section 6.4.7).

use imap::SequenceSet;
use imap::response::Code;

use crate::answer::{Answer, Outcome};
use crate::mailbox_name;
use crate::session::Session;

/// All or nothing.
pub fn run(session: &mut Session, uid: bool, set: &SequenceSet, mailbox: &[u8]) -> Outcome {
    let to = mailbox_name::target(session, mailbox)?;
    let Some(mailbox) = &mut session.selected else { return Ok(Answer::bad("No mailbox is selected")) };
    let numbers = mailbox.resolve(set, uid)?;
    let done = Answer::ok("COPY completed");
    Ok(match mailbox.copy(&numbers, &to)? {
        Some(copied) => {
            done.code(Code::CopyUid { validity: copied.uid_validity, source: &copied.source, target: &copied.target })
        }
        None => done,
    })
}
