//! STATUS (RFC 3501 section 6.3.10).

use imap::StatusItem;

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// STATUS.
pub fn run(_session: &mut Session, _mailbox: &[u8], _items: &[StatusItem]) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
