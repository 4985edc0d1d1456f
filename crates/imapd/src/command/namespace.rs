//! NAMESPACE (RFC 2342).

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// NAMESPACE.
pub fn run(_session: &mut Session) -> Outcome {
    Ok(Answer::no("Not implemented yet"))
}
