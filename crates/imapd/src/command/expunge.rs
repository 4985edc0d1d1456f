//! EXPUNGE (RFC 3501 section 6.4.3) and UID EXPUNGE (RFC 4315).

use imap::SequenceSet;
use mailbox::Fate;

use crate::answer::{Answer, Outcome, Stop};
use crate::session::Session;

/// All deleted messages, or those among these UIDs. The replies follow with what else is new.
pub fn run(session: &mut Session, uids: Option<&SequenceSet>) -> Outcome {
    remove(session, uids)?;
    Ok(Answer::ok("EXPUNGE completed"))
}

/// The removal by itself: CLOSE does not tell of it.
pub fn remove(session: &mut Session, uids: Option<&SequenceSet>) -> Result<(), Stop> {
    let fate = if session.settings.keep_in_trash { Fate::Trash } else { Fate::Removed };
    let Some(mailbox) = &mut session.selected else { return Ok(()) };
    let only = uids.map(|set| mailbox.resolve(set, true)).transpose()?;
    let removed = mailbox.expunge(only.as_ref(), fate)?;
    if session.settings.log_deletions {
        for message in &removed {
            session.client.log_expunged(&message.name, message.in_trash.as_deref());
        }
    }
    Ok(())
}
