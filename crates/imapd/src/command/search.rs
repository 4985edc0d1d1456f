//! SEARCH and UID SEARCH (RFC 3501 section 6.4.4).

use imap::Search;

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// SEARCH.
pub fn run(_session: &mut Session, _search: &Search) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
