//! COPY and UID COPY (RFC 3501 section 6.4.7).

use imap::SequenceSet;

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// All or nothing.
pub fn run(_session: &mut Session, _uid: bool, _set: &SequenceSet, _mailbox: &[u8]) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
