//! STATUS (RFC 3501 section 6.3.10).

use imap::StatusItem;
use imap::response;
use mailbox::{Expunges, Mailbox};

use crate::answer::{Answer, Outcome};
use crate::mailbox_name;
use crate::session::Session;
use crate::updates;

/// In Courier's order, each item once.
pub fn run(session: &mut Session, mailbox: &[u8], items: &[StatusItem]) -> Outcome {
    let folder = mailbox_name::existing(session, mailbox)?;
    let is_selected = session.selected.as_ref().is_some_and(|open| *open.name() == folder);
    if is_selected {
        updates::tell(session, Expunges::Report)?;
    }
    let numbers = match session.selected.as_ref().filter(|_| is_selected) {
        Some(open) => view(open),
        None => mailbox::status(&session.root, &folder)?,
    };
    let name = mailbox_name::shown(session, &folder).ok_or_else(mailbox_name::missing)?;
    let asked = StatusItem::ALL.into_iter().filter(|item| items.contains(item));
    let figures: Vec<(StatusItem, u64)> = asked.map(|item| (item, u64::from(figure(&numbers, item)))).collect();
    response::status(session.wire.out(), &name, &figures);
    Ok(Answer::ok("STATUS completed"))
}

/// What the session has just been told of its own mailbox: no other look at the disk, and no other numbers.
fn view(open: &Mailbox) -> mailbox::Status {
    mailbox::Status {
        messages: open.exists(),
        recent: open.recent(),
        uid_next: open.uid_next(),
        uid_validity: open.uid_validity(),
        unseen: open.unseen(),
        deleted: 0,
    }
}

fn figure(numbers: &mailbox::Status, item: StatusItem) -> u32 {
    match item {
        StatusItem::Messages => numbers.messages,
        StatusItem::Recent => numbers.recent,
        StatusItem::UidNext => numbers.uid_next,
        StatusItem::UidValidity => numbers.uid_validity,
        StatusItem::Unseen => numbers.unseen,
    }
}
