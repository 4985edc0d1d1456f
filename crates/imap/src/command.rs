//! A whole command: which one, and its arguments.

use crate::append;
use crate::class;
use crate::error::{Fault, Kind, ParseError, Parsed, syntax};
use crate::fetch::{self, Fetch};
use crate::id::{self, IdField};
use crate::lexer::Lexer;
use crate::list::{self, List};
use crate::login::{self, Authenticate, Login};
use crate::rules::Rules;
use crate::search::{self, Search};
use crate::sequence::SequenceSet;
use crate::status::{self, StatusItem};
use crate::store::{self, Store};

/// A command with its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged<T> {
    /// What the answer begins with.
    pub tag: Vec<u8>,
    /// What is asked.
    pub command: T,
}

/// What a client asks, but for APPEND: its message is not kept in memory, see [`append`](crate::append). Mailbox names are as the client wrote them: modified UTF-7, INBOX in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the RFCs' own")]
pub enum Command {
    // any state
    Capability,
    Noop,
    Logout,
    /// Names with values, NIL for none (RFC 2971).
    Id(Option<Vec<IdField>>),
    // before login
    Starttls,
    Login(Login),
    Authenticate(Authenticate),
    // after login
    /// Names of extensions, as written (RFC 5161).
    Enable(Vec<Vec<u8>>),
    Select {
        mailbox: Vec<u8>,
    },
    Examine {
        mailbox: Vec<u8>,
    },
    Create {
        mailbox: Vec<u8>,
    },
    Delete {
        mailbox: Vec<u8>,
    },
    Rename {
        from: Vec<u8>,
        to: Vec<u8>,
    },
    Subscribe {
        mailbox: Vec<u8>,
    },
    Unsubscribe {
        mailbox: Vec<u8>,
    },
    List(List),
    Lsub(List),
    Namespace,
    Status {
        mailbox: Vec<u8>,
        items: Vec<StatusItem>,
    },
    Idle,
    // with a mailbox selected
    Check,
    Close,
    Unselect,
    Expunge,
    /// UID EXPUNGE (RFC 4315)
    UidExpunge(SequenceSet),
    Search(Search),
    Fetch(Fetch),
    Store(Store),
    Copy {
        uid: bool,
        set: SequenceSet,
        mailbox: Vec<u8>,
    },
}

/// Parses one command as [`Framer`](crate::Framer) delimits it, literals inline, line end included.
pub fn parse(bytes: &[u8], rules: &Rules) -> Result<Tagged<Command>, ParseError> {
    let (tag, mut lexer) = tag(bytes, rules)?;
    match command(&mut lexer) {
        Ok(command) => Ok(Tagged { tag: tag.to_vec(), command }),
        Err(fault) => Err(fault.with_tag(tag)),
    }
}

/// The tag and the name of a command, before it is parsed: of its first line or a part of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peek<'a> {
    /// None if it cannot be read.
    pub tag: Option<&'a [u8]>,
    /// As written, maybe empty; for the UID forms the word UID.
    pub name: &'a [u8],
}

/// Looks at the beginning of a command.
pub fn peek(bytes: &[u8]) -> Peek<'_> {
    match tag(bytes, &Rules::BEFORE_LOGIN) {
        Ok((tag, mut lexer)) => Peek { tag: Some(tag), name: lexer.word().unwrap_or_default() },
        Err(_) => Peek { tag: None, name: &[] },
    }
}

pub(crate) fn tag<'a>(bytes: &'a [u8], rules: &'a Rules) -> Result<(&'a [u8], Lexer<'a>), ParseError> {
    let mut lexer = Lexer::new(bytes, rules);
    let tag = lexer.take_while(class::tag);
    if tag.is_empty() || !(lexer.at_end() || lexer.peek() == Some(b' ')) {
        return Err(ParseError { tag: None, kind: Kind::Tag, text: "Invalid tag" });
    }
    if !lexer.eat(b' ') || lexer.at_end() {
        return Err(syntax("Missing command").with_tag(tag));
    }
    Ok((tag, lexer))
}

fn unknown() -> Fault {
    Fault { kind: Kind::Unknown, text: "Unknown command" }
}

/// Longest name of a command there is.
pub(crate) const NAME: usize = 16;

/// The command's name in upper case.
pub(crate) fn name<'b>(lexer: &mut Lexer<'_>, buffer: &'b mut [u8; NAME]) -> Parsed<&'b [u8]> {
    let word = lexer.word().map_err(|_| unknown())?;
    let name = buffer.get_mut(..word.len()).ok_or(unknown())?;
    name.copy_from_slice(word);
    name.make_ascii_uppercase();
    if lexer.peek() != Some(b' ') && !lexer.at_end() {
        return Err(unknown());
    }
    Ok(name)
}

fn command(lexer: &mut Lexer<'_>) -> Parsed<Command> {
    let mut buffer = [0; NAME];
    let command = match name(lexer, &mut buffer)? {
        b"CAPABILITY" => Command::Capability,
        b"NOOP" => Command::Noop,
        b"LOGOUT" => Command::Logout,
        b"ID" => Command::Id(id::parse(lexer)?),
        b"STARTTLS" => Command::Starttls,
        b"LOGIN" => Command::Login(login::login(lexer)?),
        b"AUTHENTICATE" => Command::Authenticate(login::authenticate(lexer)?),
        b"ENABLE" => Command::Enable(enable(lexer)?),
        b"SELECT" => Command::Select { mailbox: mailbox(lexer)? },
        b"EXAMINE" => Command::Examine { mailbox: mailbox(lexer)? },
        b"CREATE" => Command::Create { mailbox: mailbox(lexer)? },
        b"DELETE" => Command::Delete { mailbox: mailbox(lexer)? },
        b"RENAME" => Command::Rename { from: mailbox(lexer)?, to: mailbox(lexer)? },
        b"SUBSCRIBE" => Command::Subscribe { mailbox: mailbox(lexer)? },
        b"UNSUBSCRIBE" => Command::Unsubscribe { mailbox: mailbox(lexer)? },
        b"LIST" => Command::List(list::parse(lexer)?),
        b"LSUB" => Command::Lsub(list::parse(lexer)?),
        b"NAMESPACE" => Command::Namespace,
        b"STATUS" => Command::Status { mailbox: mailbox(lexer)?, items: status::parse(lexer)? },
        b"APPEND" => return Err(append::whole(lexer)),
        b"IDLE" => Command::Idle,
        b"CHECK" => Command::Check,
        b"CLOSE" => Command::Close,
        b"UNSELECT" => Command::Unselect,
        b"EXPUNGE" => Command::Expunge,
        b"UID" => uid(lexer)?,
        name => by_number(name, false, lexer)?.ok_or(unknown())?,
    };
    lexer.end()?;
    Ok(command)
}

fn uid(lexer: &mut Lexer<'_>) -> Parsed<Command> {
    lexer.space()?;
    let mut buffer = [0; NAME];
    match name(lexer, &mut buffer)? {
        b"EXPUNGE" => {
            lexer.space()?;
            Ok(Command::UidExpunge(SequenceSet::parse(lexer)?))
        }
        name => by_number(name, true, lexer)?.ok_or(unknown()),
    }
}

/// The commands that have a UID form.
fn by_number(name: &[u8], uid: bool, lexer: &mut Lexer<'_>) -> Parsed<Option<Command>> {
    Ok(Some(match name {
        b"SEARCH" => Command::Search(search::parse(lexer, uid)?),
        b"FETCH" => Command::Fetch(fetch::parse(lexer, uid)?),
        b"STORE" => Command::Store(store::parse(lexer, uid)?),
        b"COPY" => {
            lexer.space()?;
            Command::Copy { uid, set: SequenceSet::parse(lexer)?, mailbox: mailbox(lexer)? }
        }
        _ => return Ok(None),
    }))
}

fn mailbox(lexer: &mut Lexer<'_>) -> Parsed<Vec<u8>> {
    lexer.space()?;
    lexer.astring()
}

fn enable(lexer: &mut Lexer<'_>) -> Parsed<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    lexer.space()?;
    loop {
        names.push(lexer.atom()?.to_vec());
        if !lexer.eat(b' ') || lexer.at_end() {
            return Ok(names);
        }
    }
}

#[cfg(test)]
mod tests;
