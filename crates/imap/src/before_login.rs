//! What a stranger may say: the few commands before login, without the rest of the grammar.

use crate::command::{Tagged, name, tag};
use crate::error::{Fault, Kind, ParseError, Parsed};
use crate::id::{self, IdField};
use crate::lexer::Lexer;
use crate::login::{self, Authenticate, Login};
use crate::rules::Rules;

/// A command of the state before login.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the RFCs' own")]
pub enum BeforeLogin {
    Capability,
    Noop,
    Logout,
    Starttls,
    /// Names with values, NIL for none (RFC 2971).
    Id(Option<Vec<IdField>>),
    Login(Login),
    Authenticate(Authenticate),
}

/// Parses one command as [`Framer`](crate::Framer) delimits it, with [`Rules::BEFORE_LOGIN`]. A command of the other
/// states is an unknown one here.
///
/// ```
/// let tagged = imap::parse_before_login(b"a1 login john {6}\r\nsecret\r\n").unwrap();
/// let imap::BeforeLogin::Login(login) = tagged.command else { panic!() };
/// assert_eq!((&login.user[..], &login.password[..]), (&b"john"[..], &b"secret"[..]));
/// ```
pub fn parse_before_login(bytes: &[u8]) -> Result<Tagged<BeforeLogin>, ParseError> {
    let (tag, mut lexer) = tag(bytes, &Rules::BEFORE_LOGIN)?;
    match command(&mut lexer) {
        Ok(command) => Ok(Tagged { tag: tag.to_vec(), command }),
        Err(fault) => Err(fault.with_tag(tag)),
    }
}

fn command(lexer: &mut Lexer<'_>) -> Parsed<BeforeLogin> {
    let mut buffer = [0; crate::command::NAME];
    let command = match name(lexer, &mut buffer)? {
        b"CAPABILITY" => BeforeLogin::Capability,
        b"NOOP" => BeforeLogin::Noop,
        b"LOGOUT" => BeforeLogin::Logout,
        b"STARTTLS" => BeforeLogin::Starttls,
        b"ID" => BeforeLogin::Id(id::parse(lexer)?),
        b"LOGIN" => BeforeLogin::Login(login::login(lexer)?),
        b"AUTHENTICATE" => BeforeLogin::Authenticate(login::authenticate(lexer)?),
        _ => return Err(Fault { kind: Kind::Unknown, text: "Unknown command, or not before login" }),
    };
    lexer.end()?;
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Result<BeforeLogin, Kind> {
        parse_before_login(bytes).map(|tagged| tagged.command).map_err(|error| error.kind)
    }

    #[test]
    fn the_few_commands() {
        assert_eq!(of(b"a capability\r\n"), Ok(BeforeLogin::Capability));
        assert_eq!(of(b"a NOOP\n"), Ok(BeforeLogin::Noop));
        assert_eq!(of(b"a Logout \r\n"), Ok(BeforeLogin::Logout));
        assert_eq!(of(b"a STARTTLS\r\n"), Ok(BeforeLogin::Starttls));
        assert_eq!(of(b"a ID NIL\r\n"), Ok(BeforeLogin::Id(None)));
        assert!(matches!(of(b"a AUTHENTICATE plain =\r\n"), Ok(BeforeLogin::Authenticate(_))));
        assert_eq!(of(b"a SELECT x\r\n"), Err(Kind::Unknown));
        assert_eq!(of(b"a LOGIN x\r\n"), Err(Kind::Syntax));
        assert_eq!(of(b"a NOOP x\r\n"), Err(Kind::Syntax));
        assert_eq!(of(b"\r\n"), Err(Kind::Tag));
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_the_whole_grammar(line in "[a-z0-9]{1,3} (LOGIN|NOOP|ID|AUTHENTICATE|LOGOUT)[ a-z\"{}()=\\\\0-9]{0,20}\r\n") {
            let few = parse_before_login(line.as_bytes());
            let all = crate::parse(line.as_bytes(), &Rules::BEFORE_LOGIN);
            proptest::prop_assert_eq!(few.is_ok(), all.is_ok());
        }

        #[test]
        fn nothing_breaks_it(bytes: Vec<u8>) {
            let _ = parse_before_login(&bytes);
        }
    }
}
