//! ENABLE (RFC 5161).

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// Unknown names are ignored; the list says what was turned on, if anything.
pub fn run(session: &mut Session, _names: &[Vec<u8>]) -> Outcome {
    session.wire.out().extend_from_slice(b"* ENABLED\r\n");
    Ok(Answer::ok("ENABLE completed"))
}
