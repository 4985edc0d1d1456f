//! CLOSE (RFC 3501 section 6.4.2) and UNSELECT (RFC 3691).

use crate::answer::{Answer, Outcome};
use crate::command::expunge;
use crate::session::Session;

/// Expunges silently, then as UNSELECT. A mailbox that could not be expunged stays selected.
pub fn close(session: &mut Session) -> Outcome {
    if session.selected.as_ref().is_some_and(|mailbox| !mailbox.read_only()) {
        expunge::remove(session, None)?;
    }
    session.selected = None;
    Ok(Answer::ok("CLOSE completed"))
}

/// Back to the authenticated state.
pub fn unselect(session: &mut Session) -> Outcome {
    session.selected = None;
    Ok(Answer::ok("UNSELECT completed"))
}
