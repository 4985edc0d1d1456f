//! LIST and LSUB (RFC 3501 sections 6.3.8 and 6.3.9).

use imap::List;

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// LIST.
pub fn list(_session: &mut Session, _list: &List) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}

/// LSUB.
pub fn lsub(_session: &mut Session, _list: &List) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
