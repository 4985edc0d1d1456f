//! NAMESPACE (RFC 2342).

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// One personal namespace, nobody's folders by user, and Courier's two of shared folders.
pub fn run(session: &mut Session) -> Outcome {
    let namespaces = b"* NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"#shared.\" \".\")(\"shared.\" \".\"))\r\n";
    session.wire.out().extend_from_slice(namespaces);
    Ok(Answer::ok("NAMESPACE completed"))
}
