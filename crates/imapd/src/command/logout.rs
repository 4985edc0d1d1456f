//! LOGOUT (RFC 3501 section 6.1.3).

use crate::answer::{Outcome, Stop};
use crate::end::End;
use crate::session::Session;

/// `BYE`, and the end; the tagged OK is the session's last word.
pub fn run(session: &mut Session) -> Outcome {
    session.wire.out().extend_from_slice(b"* BYE Logging out\r\n");
    Err(Stop::Ended(End::Logout))
}
