//! What a command needs, and which file does it. One file a command.

mod append;
mod capability;
mod close;
mod copy;
mod create;
mod delete;
mod enable;
mod expunge;
mod fetch;
mod id;
mod idle;
mod list;
mod logout;
mod namespace;
mod noop;
mod rename;
mod rule;
mod search;
mod select;
mod status;
mod store;
mod subscribe;

use imap::response::Code;
use imap::{AppendHead, Command};

use crate::answer::{Answer, Outcome, Stop};
use crate::end::End;
use crate::session::Session;
use crate::updates;

pub use capability::after_login as capability;
use rule::{Rule, State};

/// Runs a command and tells what is new in the selected folder, in this order.
pub fn run(session: &mut Session, command: &Command) -> Outcome {
    let rule = rule::rule(command);
    admit(session, &rule)?;
    let answer = dispatch(session, command)?;
    news(session, &rule, answer)
}

/// An APPEND whose message is still on the wire.
pub fn append(session: &mut Session, head: &AppendHead) -> Outcome {
    let rule = rule::APPEND;
    let answer = append::run(session, head)?;
    news(session, &rule, answer)
}

fn admit(session: &Session, rule: &Rule) -> Result<(), Answer> {
    match rule.state {
        State::BeforeLogin => Err(Answer::bad("Already logged in")),
        State::Selected if session.selected.is_none() => Err(Answer::bad("No mailbox is selected")),
        _ if !rule.is_granted() => Err(Answer::no("Not permitted").code(Code::NoPerm)),
        State::Any | State::Selected => Ok(()),
    }
}

fn dispatch(session: &mut Session, command: &Command) -> Outcome {
    match command {
        Command::Capability => capability::run(session),
        Command::Noop => noop::run(session, "NOOP completed"),
        Command::Check => noop::run(session, "CHECK completed"),
        Command::Logout => logout::run(session),
        Command::Id(fields) => id::run(session, fields.as_deref()),
        Command::Enable(names) => enable::run(session, names),
        Command::Idle => idle::run(session),
        Command::Select { mailbox } => select::run(session, mailbox, false),
        Command::Examine { mailbox } => select::run(session, mailbox, true),
        Command::Close => close::close(session),
        Command::Unselect => close::unselect(session),
        Command::Create { mailbox } => create::run(session, mailbox),
        Command::Delete { mailbox } => delete::run(session, mailbox),
        Command::Rename { from, to } => rename::run(session, from, to),
        Command::Subscribe { mailbox } => subscribe::subscribe(session, mailbox),
        Command::Unsubscribe { mailbox } => subscribe::unsubscribe(session, mailbox),
        Command::List(list) => list::list(session, list),
        Command::Lsub(list) => list::lsub(session, list),
        Command::Namespace => namespace::run(session),
        Command::Status { mailbox, items } => status::run(session, mailbox, items),
        Command::Fetch(fetch) => fetch::run(session, fetch),
        Command::Search(search) => search::run(session, search),
        Command::Store(store) => store::run(session, store),
        Command::Copy { uid, set, mailbox } => copy::run(session, *uid, set, mailbox),
        Command::Expunge => expunge::run(session, None),
        Command::UidExpunge(set) => expunge::run(session, Some(set)),
        Command::Login(_) | Command::Authenticate(_) | Command::Starttls => Ok(Answer::bad("Already logged in")),
    }
}

/// What others did meanwhile comes before the tagged line. A folder that cannot be looked at
/// now is no failure of a command that is done; one that is gone ends the session, once the
/// command is answered.
fn news(session: &mut Session, rule: &Rule, answer: Answer) -> Outcome {
    let Some(expunges) = rule.news.filter(|_| answer.is_ok()) else { return Ok(answer) };
    match updates::tell(session, expunges) {
        Err(Stop::Ended(End::Refused(words))) => {
            session.end_after_answer(End::Refused(words));
            Ok(answer)
        }
        Err(Stop::Ended(end)) => Err(Stop::Ended(end)),
        Ok(()) | Err(Stop::Refused(_)) => Ok(answer),
    }
}
