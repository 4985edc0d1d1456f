//! EXPUNGE (RFC 3501 section 6.4.3) and UID EXPUNGE (RFC 4315).

use imap::SequenceSet;

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// All deleted messages, or those among these UIDs.
pub fn run(_session: &mut Session, _uids: Option<&SequenceSet>) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
