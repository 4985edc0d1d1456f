//! STORE and UID STORE (RFC 3501 section 6.4.6).

use std::borrow::Cow;

use imap::{FlagList, Store};

use crate::answer::{Answer, Outcome};
use crate::session::Session;
use crate::updates;

/// Changes flags and keywords and tells what they are now.
pub fn run(session: &mut Session, store: &Store) -> Outcome {
    let flags = wanted(session, &store.flags);
    let Some(mailbox) = &mut session.selected else { return Ok(Answer::bad("No mailbox is selected")) };
    let numbers = mailbox.resolve(&store.set, store.uid)?;
    let stored = mailbox.store(&numbers, store.mode, &flags, store.silent)?;
    if stored.flag_list_changed {
        updates::flag_lists(mailbox, session.settings.keywords, session.wire.out());
    }
    for number in stored.numbers.iter() {
        updates::flags(mailbox, number, store.uid, session.wire.out());
        session.wire.relieve()?;
    }
    Ok(Answer::ok("STORE completed"))
}

/// Without `IMAP_KEYWORDS` a client's own flags are not kept: PERMANENTFLAGS has told it so.
pub fn wanted<'a>(session: &Session, flags: &'a FlagList) -> Cow<'a, FlagList> {
    if session.settings.keywords || flags.keywords.is_empty() {
        Cow::Borrowed(flags)
    } else {
        Cow::Owned(FlagList { system: flags.system, keywords: Vec::new() })
    }
}
