//! SEARCH and UID SEARCH (RFC 3501 section 6.4.4).

use imap::response::Code;
use imap::{NumberSet, Search, write};

use crate::answer::{Answer, Outcome};
use crate::session::Session;

/// The charsets that a client is told of. Others that we know are taken as well.
const CHARSETS: &[&[u8]] = &[b"US-ASCII", b"UTF-8"];

/// SEARCH. What was found is told when all is known: a search that fails has found nothing.
pub fn run(session: &mut Session, search: &Search) -> Outcome {
    let Some(mailbox) = &mut session.selected else { return Ok(Answer::bad("No mailbox is selected")) };
    let Ok(mut searcher) = mailbox.searcher(&search.key, search.charset.as_deref()) else {
        return Ok(Answer::no("Unknown charset").code(Code::BadCharset(CHARSETS)));
    };
    let mut found = NumberSet::new();
    for number in 1..=mailbox.exists() {
        if mailbox.is_found(number, &mut searcher)? {
            found.insert(number);
        }
    }
    session.wire.out().extend_from_slice(b"* SEARCH");
    for number in found.iter() {
        let Some(number) = (if search.uid { mailbox.uid(number) } else { Some(number) }) else { continue };
        session.wire.out().push(b' ');
        write::number(session.wire.out(), u64::from(number));
        session.wire.relieve()?;
    }
    session.wire.out().extend_from_slice(b"\r\n");
    Ok(Answer::ok("SEARCH completed"))
}
