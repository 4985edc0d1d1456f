//! APPEND: its head is parsed, its message streams past (RFC 3501 section 6.3.11).
//!
//! At each literal of a command whose name is APPEND the session gives the bytes up to the literal's data to
//! [`parse_head`]. Behind the message it frames the rest of the line anew and gives it to [`parse_tail`].

use crate::date::DateTime;
use crate::error::{Fault, ParseError, Parsed, syntax};
use crate::flag::{FlagList, Recent};
use crate::framing::{Literal, announcement, line_end};
use crate::lexer::Lexer;
use crate::rules::Rules;

/// What the literal is that the bytes end in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// The mailbox's name: take it inline and come again.
    Mailbox,
    /// The message.
    Message(AppendHead),
}

/// APPEND up to its first message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendHead {
    /// What the answer begins with.
    pub tag: Vec<u8>,
    /// Where the message goes.
    pub mailbox: Vec<u8>,
    /// The message's own arguments.
    pub message: Message,
}

/// What is said about one message before its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Flags to set.
    pub flags: FlagList,
    /// Its INTERNALDATE; now, if none.
    pub date: Option<DateTime>,
    /// Its data.
    pub literal: Literal,
}

/// What stands behind a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// The command's end.
    End,
    /// Another message (RFC 3502).
    Message(Message),
}

/// Parses `tag APPEND mailbox [flags] [date] {n}` with its line end.
pub fn parse_head(bytes: &[u8], rules: &Rules) -> Result<Head, ParseError> {
    let (tag, mut lexer) = crate::command::tag(bytes, rules)?;
    match head(&mut lexer, bytes.len()) {
        Ok(None) => Ok(Head::Mailbox),
        Ok(Some((mailbox, message))) => Ok(Head::Message(AppendHead { tag: tag.to_vec(), mailbox, message })),
        Err(fault) => Err(fault.with_tag(tag)),
    }
}

fn head(lexer: &mut Lexer<'_>, length: usize) -> Parsed<Option<(Vec<u8>, Message)>> {
    lexer.word()?;
    lexer.space()?;
    if lexer.peek() == Some(b'{') && line_end(lexer.rest()) == Some(lexer.rest().len()) {
        return Ok(None);
    }
    let mailbox = lexer.astring()?;
    lexer.space()?;
    Ok(Some((mailbox, message(lexer, length)?)))
}

/// Parses what follows a message's data: the line's end, or the next message up to its data.
pub fn parse_tail(bytes: &[u8], tag: &[u8], rules: &Rules) -> Result<Tail, ParseError> {
    let mut lexer = Lexer::new(bytes, rules);
    let parsed = match lexer.eat(b' ') && !lexer.at_end() {
        true => message(&mut lexer, bytes.len()).map(Tail::Message),
        false => lexer.end().map(|()| Tail::End),
    };
    parsed.map_err(|fault| fault.with_tag(tag))
}

fn message(lexer: &mut Lexer<'_>, length: usize) -> Parsed<Message> {
    let mut flags = FlagList::default();
    if lexer.peek() == Some(b'(') {
        flags = FlagList::parse_list(lexer, Recent::Ignore)?;
        lexer.space()?;
    }
    let mut date = None;
    if lexer.peek() == Some(b'"') {
        date = Some(DateTime::parse(&lexer.string()?).ok_or(syntax("Invalid date"))?);
        lexer.space()?;
    }
    Ok(Message { flags, date, literal: literal(lexer, length)? })
}

fn literal(lexer: &Lexer<'_>, length: usize) -> Parsed<Literal> {
    let words = lexer.rest();
    let last = matches!(words, [b'{', ..] | [b'~', b'{', ..]) && line_end(words) == Some(words.len());
    // The announcement wants the blank before it.
    let line = [b" ", words].concat();
    match announcement(&line).filter(|_| last) {
        Some(found) => {
            let size = found.size.ok_or(syntax("Literal too large"))?;
            Ok(Literal { size, sync: found.sync, binary: found.binary, at: length, fits: false })
        }
        None => Err(syntax("Message literal expected")),
    }
}

/// An APPEND that came to its end without a message, or with one that was taken inline.
pub(crate) fn whole(lexer: &mut Lexer<'_>) -> Fault {
    match lexer.space() {
        Ok(()) => syntax("Message literal expected"),
        Err(fault) => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::flag::Flag;

    fn head(text: &[u8]) -> Result<Head, ParseError> {
        parse_head(&[b"a1 ", text].concat(), &Rules::AFTER_LOGIN)
    }

    fn message_of(text: &[u8]) -> (Vec<u8>, Message) {
        match head(text) {
            Ok(Head::Message(head)) => {
                assert_eq!(head.tag, b"a1");
                (head.mailbox, head.message)
            }
            other => panic!("{}: {other:?}", text.escape_ascii()),
        }
    }

    #[test]
    fn heads() {
        let (mailbox, message) = message_of(b"APPEND INBOX {310}\r\n");
        assert_eq!(
            (mailbox.as_slice(), message.date, &message.flags),
            (b"INBOX".as_slice(), None, &FlagList::default())
        );
        assert_eq!(message.literal, Literal { size: 310, sync: true, binary: false, at: 23, fits: false });
        let (mailbox, message) =
            message_of(b"append \"a b\" (\\Seen \\Recent $x) \" 7-Feb-1994 21:52:25 -0800\" ~{4294967296+}\r\n");
        assert_eq!(mailbox, b"a b");
        assert_eq!(message.flags, FlagList { system: Flag::Seen.into(), keywords: vec![b"$x".to_vec()] });
        assert_eq!(message.date.map(|date| date.unix), Some(760_686_745));
        assert!(message.literal.size == 1 << 32 && !message.literal.sync && message.literal.binary);
        assert_eq!(message_of(b"APPEND x () {0}\n").1.literal.size, 0);
    }

    #[test]
    fn the_name_may_be_a_literal_too() {
        assert_eq!(head(b"APPEND {5}\r\n"), Ok(Head::Mailbox));
        assert_eq!(head(b"APPEND {5+}\r\n"), Ok(Head::Mailbox));
        assert_eq!(message_of(b"APPEND {5}\r\na\r\nbc {7}\r\n").0, b"a\r\nbc");
    }

    #[test]
    fn what_is_no_head() {
        for bad in [
            &b"APPEND INBOX\r\n"[..],
            b"APPEND INBOX \"x\"\r\n",
            b"APPEND INBOX (\\Seen {3}\r\n",
            b"APPEND INBOX (\\Frob) {3}\r\n",
            b"APPEND INBOX \"1-Jan-1994\" {3}\r\n",
            b"APPEND INBOX x{3}\r\n",
            b"APPEND INBOX {3}\r\n {4}\r\n",
            b"APPEND {3}\r\nabc{4}\r\n",
            b"APPEND INBOX {18446744073709551616}\r\n",
            b"APPEND INBOX {-1}\r\n",
            b"APPEND INBOX  {3}\r\n",
        ] {
            let error = head(bad).unwrap_err();
            assert_eq!(
                (error.kind, error.tag.as_deref()),
                (Kind::Syntax, Some(b"a1".as_slice())),
                "{}",
                bad.escape_ascii()
            );
        }
    }

    #[test]
    fn tails() {
        let tail = |text: &[u8]| parse_tail(text, b"a1", &Rules::AFTER_LOGIN);
        assert_eq!(tail(b"\r\n"), Ok(Tail::End));
        assert_eq!(tail(b" \n"), Ok(Tail::End));
        assert!(matches!(tail(b" (\\Draft) {12}\r\n"), Ok(Tail::Message(message)) if message.literal.size == 12));
        assert!(tail(b"x\r\n").is_err() && tail(b" x\r\n").is_err());
    }

    #[test]
    fn an_append_without_message() {
        let error = crate::parse(b"a1 APPEND INBOX\r\n", &Rules::AFTER_LOGIN).unwrap_err();
        assert_eq!((error.kind, error.tag), (Kind::Syntax, Some(b"a1".to_vec())));
    }
}
