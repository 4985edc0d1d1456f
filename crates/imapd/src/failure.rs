//! What a failure below us is called in the protocol. The client gets the protocol's own
//! words, the log the system's; never the other way round.

use imap::response::Code;
use nix::errno::Errno;

use crate::answer::{Answer, Stop};
use crate::end::End;
use crate::log::PROGRAM;

impl From<maildir::Error> for Stop {
    fn from(error: maildir::Error) -> Stop {
        use maildir::Error;
        Stop::Refused(match error {
            Error::System(_, errno) => system(errno, &error.to_string()),
            Error::Missing(_) => coded(Code::NonExistent, "No such mailbox"),
            Error::Exists(_) => coded(Code::AlreadyExists, "Mailbox exists already"),
            Error::BadName(_) => coded(Code::Cannot, "No mailbox can have this name"),
            Error::InUse(_) => coded(Code::InUse, "The mailbox is locked, try again"),
            Error::Limit(_) => coded(Code::Limit, "Limit reached"),
            Error::OverQuota => coded(Code::OverQuota, "Over quota"),
            Error::Refused(..) => coded(Code::Cannot, "Not possible with this mailbox"),
            Error::Damaged(..) => {
                PROGRAM.warn(error.to_string().as_bytes());
                coded(Code::ServerBug, "The mailbox is damaged")
            }
        })
    }
}

impl From<mailbox::Error> for Stop {
    fn from(error: mailbox::Error) -> Stop {
        use mailbox::Error;
        Stop::Refused(match error {
            Error::Replaced => return Stop::Ended(End::Refused(b"The selected mailbox was removed")),
            Error::ReadOnly => coded(Code::NoPerm, "The mailbox is open for reading only"),
            Error::BadNumber => Answer::bad("No message with this number"),
            Error::Expunged => coded(Code::ExpungeIssued, "Some of the messages are gone"),
            Error::Keyword => coded(Code::Limit, "This flag cannot be kept"),
            Error::Files(error) => return error.into(),
        })
    }
}

fn coded(code: Code<'_>, text: &'static str) -> Answer {
    Answer::no(text).code(code)
}

fn system(errno: Errno, what: &str) -> Answer {
    PROGRAM.warn(what.as_bytes());
    match errno {
        Errno::EDQUOT => coded(Code::OverQuota, "Over quota"),
        Errno::ENOSPC => coded(Code::Limit, "The disk is full"),
        Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM => coded(Code::Unavailable, "Out of resources, try again"),
        Errno::EACCES | Errno::EPERM | Errno::EROFS => coded(Code::NoPerm, "Not permitted"),
        Errno::ENOENT | Errno::ENOTDIR => coded(Code::NonExistent, "No such mailbox"),
        _ => coded(Code::ServerBug, "The mail store reported an error"),
    }
}
