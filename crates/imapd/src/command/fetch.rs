//! FETCH and UID FETCH (RFC 3501 section 6.4.5).

use imap::Fetch;

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// FETCH.
pub fn run(_session: &mut Session, _fetch: &Fetch) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
