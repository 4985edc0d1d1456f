//! The table of commands: in which state each may stand, which rights it needs on the
//! mailbox (RFC 4314 section 4), and what may be told behind it.

use imap::Command;
use mailbox::Expunges;

/// One row.
pub struct Rule {
    /// When the command is allowed.
    pub state: State,
    /// Rights on the mailbox that is named, or else the selected one. The owner of an account
    /// has all of them in it.
    pub rights: &'static str,
    /// What follows the command's own replies: nothing, or other sessions' changes, with or
    /// without EXPUNGE. Never EXPUNGE behind a command that names messages by number
    /// (RFC 3501 section 7.4.1).
    pub news: Option<Expunges>,
}

/// A session's states as far as imapd has to do with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// From the login on.
    Any,
    /// With a mailbox.
    Selected,
    /// Only the login program answers these.
    BeforeLogin,
}

use Expunges::{Hold, Report};
use State::{Any, BeforeLogin, Selected};

const fn row(state: State, rights: &'static str, news: Option<Expunges>) -> Rule {
    Rule { state, rights, news }
}

/// APPEND, which is run before its message is read.
pub const APPEND: Rule = row(Any, "i", Some(Report));

/// The row of a command.
pub fn rule(command: &Command) -> Rule {
    match command {
        Command::Capability | Command::Logout | Command::Id(_) | Command::Enable(_) => row(Any, "", None),
        // These look for themselves, and may refuse if they cannot.
        Command::Noop | Command::Idle => row(Any, "", None),
        Command::Check => row(Selected, "", None),
        Command::Starttls | Command::Login(_) | Command::Authenticate(_) => row(BeforeLogin, "", None),
        Command::Select { .. } | Command::Examine { .. } => row(Any, "r", None),
        Command::Close => row(Selected, "", None),
        Command::Unselect => row(Selected, "", None),
        Command::Create { .. } => row(Any, "k", Some(Report)),
        Command::Delete { .. } | Command::Rename { .. } => row(Any, "x", Some(Report)),
        Command::Subscribe { .. } | Command::Unsubscribe { .. } => row(Any, "l", Some(Report)),
        Command::List(_) | Command::Lsub(_) => row(Any, "l", Some(Report)),
        Command::Namespace => row(Any, "", Some(Report)),
        Command::Status { .. } => row(Any, "r", Some(Report)),
        Command::Fetch(fetch) => row(Selected, "r", by_number(fetch.uid)),
        Command::Search(search) => row(Selected, "r", by_number(search.uid)),
        Command::Store(store) => row(Selected, "swt", by_number(store.uid)),
        Command::Copy { uid, .. } => row(Selected, "i", by_number(*uid)),
        Command::Expunge | Command::UidExpunge(_) => row(Selected, "e", Some(Report)),
    }
}

/// UIDs do not shift, numbers do.
fn by_number(uid: bool) -> Option<Expunges> {
    Some(if uid { Report } else { Hold })
}

/// What the owner of an account may do in it: everything.
const OWNER: &str = "lrswipkxtea";

impl Rule {
    /// Whether the session's user has the rights that the command needs.
    pub fn is_granted(&self) -> bool {
        self.rights.chars().all(|right| OWNER.contains(right))
    }
}
