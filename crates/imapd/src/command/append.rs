//! APPEND (RFC 3501 section 6.3.11).

use imap::AppendHead;

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// The message stands on the wire behind its announcement: ask for it if the client waits, and stream it.
pub fn run(_session: &mut Session, _head: &AppendHead) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
