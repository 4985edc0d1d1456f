//! Changes of the selected folder as untagged lines, in the order that the protocol allows.

use imap::Flags;
use imap::response::{self, Code, Status};
use mailbox::{Changes, Expunges, Mailbox};

use crate::answer::Stop;
use crate::session::Session;

/// Looks at the selected folder and tells the client what is new.
pub fn tell(session: &mut Session, expunges: Expunges) -> Result<(), Stop> {
    let Some(mailbox) = &mut session.selected else { return Ok(()) };
    let changes = mailbox.sync(expunges)?;
    write(mailbox, &changes, session.settings.keywords, session.wire.out());
    Ok(())
}

/// EXPUNGE first, as it shifts the numbers of all that follows; new words of FLAGS before the FETCH that uses them;
/// EXISTS before the FETCH of a new message (RFC 3501 section 7.3.1).
pub fn write(mailbox: &Mailbox, changes: &Changes, keywords: bool, out: &mut Vec<u8>) {
    for number in &changes.expunged {
        response::numbered(out, *number, b"EXPUNGE");
    }
    if changes.flag_list_changed {
        flag_lists(mailbox, keywords, out);
    }
    if let Some(count) = changes.exists {
        response::numbered(out, count, b"EXISTS");
    }
    if let Some(count) = changes.recent {
        response::numbered(out, count, b"RECENT");
    }
    for number in &changes.flags {
        flags(mailbox, *number, false, out);
    }
}

/// `* n FETCH (FLAGS (...))`, with the UID where the command was a UID command (RFC 3501 section 6.4.8).
pub fn flags(mailbox: &Mailbox, number: u32, uid: bool, out: &mut Vec<u8>) {
    let (Some(shown), Some(its_uid)) = (mailbox.flags(number), mailbox.uid(number)) else { return };
    out.extend_from_slice(b"* ");
    imap::write::number(out, u64::from(number));
    out.extend_from_slice(b" FETCH (");
    if uid {
        out.extend_from_slice(b"UID ");
        imap::write::number(out, u64::from(its_uid));
        out.push(b' ');
    }
    out.extend_from_slice(b"FLAGS ");
    response::flag_list(out, shown.system, shown.recent, &shown.keywords);
    out.extend_from_slice(b")\r\n");
}

/// FLAGS and PERMANENTFLAGS. `keywords`: the client may make new ones.
pub fn flag_lists(mailbox: &Mailbox, keywords: bool, out: &mut Vec<u8>) {
    let words: Vec<&[u8]> = mailbox.keywords().iter().map(Vec::as_slice).collect();
    response::flags(out, Flags::ALL, &words);
    let code = if mailbox.read_only() {
        Code::PermanentFlags { system: Flags::NONE, keywords: &[], create: false }
    } else {
        Code::PermanentFlags { system: Flags::ALL, keywords: &words, create: keywords }
    };
    response::untagged(out, Status::Ok, Some(code), b"Limited");
}
