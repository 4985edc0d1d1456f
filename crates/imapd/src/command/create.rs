//! CREATE (RFC 3501 section 6.3.3).

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// CREATE.
pub fn run(_session: &mut Session, _mailbox: &[u8]) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
