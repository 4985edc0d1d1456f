//! RENAME (RFC 3501 section 6.3.5).

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// RENAME.
pub fn run(_session: &mut Session, _from: &[u8], _to: &[u8]) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
