//! SELECT and EXAMINE (RFC 3501 sections 6.3.1 and 6.3.2).

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// Leaves the old mailbox first, whatever becomes of the new one.
pub fn run(_session: &mut Session, _mailbox: &[u8], _read_only: bool) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
