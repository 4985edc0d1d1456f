//! STORE and UID STORE (RFC 3501 section 6.4.6).

use imap::Store;

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// STORE.
pub fn run(_session: &mut Session, _store: &Store) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
