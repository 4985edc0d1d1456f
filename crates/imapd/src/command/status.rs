//! STATUS (RFC 3501 section 6.3.10).

use imap::StatusItem;
use imap::response;

use crate::answer::{Answer, Outcome};
use crate::mailbox_name;
use crate::session::Session;

/// In Courier's order, each item once.
pub fn run(session: &mut Session, mailbox: &[u8], items: &[StatusItem]) -> Outcome {
    let folder = mailbox_name::existing(session, mailbox)?;
    let numbers = mailbox::status(&session.root, &folder)?;
    let name = mailbox_name::shown(session, &folder).ok_or_else(mailbox_name::missing)?;
    let asked = StatusItem::ALL.into_iter().filter(|item| items.contains(item));
    let figures: Vec<(StatusItem, u64)> = asked.map(|item| (item, u64::from(figure(&numbers, item)))).collect();
    response::status(session.wire.out(), &name, &figures);
    Ok(Answer::ok("STATUS completed"))
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
