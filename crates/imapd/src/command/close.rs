//! CLOSE (RFC 3501 section 6.4.2) and UNSELECT (RFC 3691).

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// Expunges silently, then as UNSELECT.
pub fn close(_session: &mut Session) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}

/// Back to the authenticated state.
pub fn unselect(_session: &mut Session) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
