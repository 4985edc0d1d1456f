//! DELETE (RFC 3501 section 6.3.4).

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// DELETE.
pub fn run(_session: &mut Session, _mailbox: &[u8]) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
