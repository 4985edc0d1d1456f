//! NOOP and CHECK (RFC 3501 sections 6.1.2 and 6.4.1).

use mailbox::Expunges;

use crate::answer::{Answer, Outcome};
use crate::session::Session;
use crate::updates;

/// Everything that is new in the selected folder.
pub fn run(session: &mut Session, done: &'static str) -> Outcome {
    updates::tell(session, Expunges::Report)?;
    Ok(Answer::ok(done))
}
