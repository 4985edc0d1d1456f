//! SUBSCRIBE and UNSUBSCRIBE (RFC 3501 sections 6.3.6 and 6.3.7).

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// SUBSCRIBE.
pub fn subscribe(_session: &mut Session, _mailbox: &[u8]) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}

/// UNSUBSCRIBE.
pub fn unsubscribe(_session: &mut Session, _mailbox: &[u8]) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
