//! SELECT and EXAMINE (RFC 3501 sections 6.3.1 and 6.3.2).

use imap::response::{self, Code, Status};
use mailbox::{Mailbox, Mode};

use crate::answer::{Answer, Outcome};
use crate::log::PROGRAM;
use crate::mailbox_name;
use crate::session::Session;
use crate::updates;

/// Leaves the old mailbox first, whatever becomes of the new one.
pub fn run(session: &mut Session, mailbox: &[u8], read_only: bool) -> Outcome {
    session.selected = None;
    let name = mailbox_name::existing(session, mailbox)?;
    let mode = if read_only { Mode::ReadOnly } else { Mode::ReadWrite };
    let mailbox = Mailbox::open(&session.root, &name, mode)?;
    describe(session, &mailbox);
    let code = if mailbox.read_only() { Code::ReadOnly } else { Code::ReadWrite };
    session.selected = Some(mailbox);
    Ok(Answer::ok(if read_only { "EXAMINE completed" } else { "SELECT completed" }).code(code))
}

/// Courier's order, with UIDNEXT and UNSEEN at its end.
fn describe(session: &mut Session, mailbox: &Mailbox) {
    let out = session.wire.out();
    updates::flag_lists(mailbox, session.settings.keywords, out);
    response::numbered(out, mailbox.exists(), b"EXISTS");
    response::numbered(out, mailbox.recent(), b"RECENT");
    response::untagged(out, Status::Ok, Some(Code::UidValidity(mailbox.uid_validity())), b"Ok");
    response::untagged(out, Status::Ok, Some(Code::UidNext(mailbox.uid_next())), b"Predicted next UID");
    if let Some(number) = mailbox.first_unseen() {
        response::untagged(out, Status::Ok, Some(Code::Unseen(number)), b"First unseen");
    }
    if let Some(damage) = mailbox.damage() {
        let what = format!("{damage}: set aside, and all messages have new UIDs");
        PROGRAM.warn(what.as_bytes());
    }
    if let Some(trouble) = mailbox.trouble() {
        PROGRAM.warn(trouble.to_string().as_bytes());
        response::untagged(out, Status::No, None, b"Some new messages cannot be shown now");
    }
}
