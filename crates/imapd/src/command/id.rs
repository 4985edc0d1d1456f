//! ID (RFC 2971).

use imap::IdField;

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// What the client says of itself is logged with `session.client.log_id`.
pub fn run(_session: &mut Session, _fields: Option<&[IdField]>) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
