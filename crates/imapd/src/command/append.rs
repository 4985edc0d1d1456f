//! APPEND (RFC 3501 section 6.3.11), several messages at once too (RFC 3502).

use imap::append::{Message, Tail, parse_tail};
use imap::response::Code;
use imap::{AppendHead, Discard, Framer, Literal, NumberSet, Step};
use mailbox::Append;

use crate::answer::{Answer, Outcome, Stop};
use crate::command::store;
use crate::end::End;
use crate::input;
use crate::mailbox_name;
use crate::session::Session;

/// The message stands on the wire behind its announcement: ask for it if the client waits, and stream it to disk. What
/// a client sends in spite of a refusal is read over.
pub fn run(session: &mut Session, head: &AppendHead) -> Outcome {
    let mut message = head.message.clone();
    let mut append = match begin(session, &head.mailbox, &message) {
        Ok(append) => append,
        Err(refusal) => return refuse(session, message.literal, refusal),
    };
    loop {
        if message.literal.sync {
            session.wire.out().extend_from_slice(b"+ OK\r\n");
        }
        let received = receive(session, &mut append, &message)?;
        let next = tail(session, &head.tag)?;
        match (received, next) {
            (Err(refusal), Ok(None)) | (Ok(()), Err(refusal)) | (Err(refusal), Err(_)) => return Err(refusal),
            (Err(refusal), Ok(Some(next))) => return refuse(session, next.literal, refusal),
            (Ok(()), Ok(None)) => break,
            (Ok(()), Ok(Some(next))) => {
                let begun = admit(session, &next).and_then(|()| Ok(append.next(date(&next))?));
                if let Err(refusal) = begun {
                    return refuse(session, next.literal, refusal);
                }
                message = next;
            }
        }
    }
    let placed = append.commit()?;
    let uids: NumberSet = placed.uids.iter().copied().collect();
    Ok(Answer::ok("APPEND completed").code(Code::AppendUid { validity: placed.uid_validity, uids: &uids }))
}

fn begin(session: &Session, mailbox: &[u8], message: &Message) -> Result<Append, Stop> {
    let name = mailbox_name::target(session, mailbox)?;
    admit(session, message)?;
    Ok(Append::begin(session.root.folder(&name)?, date(message))?)
}

/// What can be said before a byte of the message is read.
fn admit(session: &Session, message: &Message) -> Result<(), Stop> {
    if message.literal.size > session.settings.append_limit {
        return Err(Answer::no("Message too large").code(Code::TooBig).into());
    }
    if message.literal.size == 0 {
        return Err(Answer::no("A message cannot be empty").into());
    }
    // On disk it is a little shorter. The count after it is written is the one that decides.
    let usage = maildir::quota::Usage::of(message.literal.size.saturating_sub(message.literal.size / 16));
    Ok(maildir::quota::check(&session.root, usage)?)
}

fn date(message: &Message) -> Option<i64> {
    message.date.map(|date| date.unix)
}

/// The message's bytes. The outer error ends the session; the inner one is the command's, all bytes read all the same.
fn receive(session: &mut Session, append: &mut Append, message: &Message) -> Result<Result<(), Stop>, End> {
    let mut left = message.literal.size;
    let mut failed = None;
    while left > 0 {
        let piece = session.wire.literal(left)?;
        let count = piece.len();
        if failed.is_none() {
            failed = append.write(piece).err();
        }
        session.wire.consume(count);
        left = left.saturating_sub(count as u64);
    }
    let flags = store::wanted(session, &message.flags);
    Ok(match failed {
        Some(error) => Err(error.into()),
        None => append.finish(&flags).map_err(Stop::from),
    })
}

/// What follows a message: the end of the line, or another message.
fn tail(session: &mut Session, tag: &[u8]) -> Result<Result<Option<Message>, Stop>, End> {
    let mut framer = Framer::new(&session.rules);
    let (end, literal) = loop {
        match framer.step(session.wire.pending()) {
            Step::More => session.wire.fill()?,
            Step::Complete { end } | Step::BadLiteral { sync: true, end } => break (end, None),
            Step::Literal(literal) => break (literal.at, Some(literal)),
            Step::BadLiteral { sync: false, .. } => return Err(End::Refused(b"Not a literal's size")),
            Step::TooLong { line } => {
                session.wire.consume(line);
                input::discard(&mut session.wire, Discard::line())?;
                return Ok(Err(Answer::bad("Line too long").into()));
            }
        }
    };
    let line = session.wire.pending().get(..end).unwrap_or_default();
    let tail = parse_tail(line, tag, &session.rules);
    session.wire.consume(end);
    Ok(match tail {
        Ok(Tail::End) => Ok(None),
        Ok(Tail::Message(message)) => Ok(Some(message)),
        Err(error) => {
            if let Some(literal) = literal.filter(|literal| !literal.sync) {
                input::discard(&mut session.wire, Discard::literal(literal.size))?;
            }
            Err(Answer::bad(error.text).into())
        }
    })
}

/// No: and what the client sends without having been asked is read over, with the rest of its line.
fn refuse(session: &mut Session, literal: Literal, refusal: Stop) -> Outcome {
    if !literal.sync {
        input::discard(&mut session.wire, Discard::literal(literal.size))?;
    }
    Err(refusal)
}
