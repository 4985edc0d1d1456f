//! From bytes to whole commands: literals asked for, long ones refused, message data left on the wire.

use imap::append::{self, Head};
use imap::response::Code;
use imap::{AppendHead, Discard, Framer, Literal, Rules, Step};

use crate::answer::Answer;
use crate::end::End;
use crate::wire::Wire;

/// What the client wants next.
pub enum Input {
    /// A whole command: so many pending bytes.
    Command(usize),
    /// An APPEND up to its message literal, which still stands on the wire.
    Append(AppendHead),
    /// A command that was thrown away, with its tag as far as it is known.
    Refused(Vec<u8>, Answer),
}

/// Text of a literal that the client sends unasked is read over, within reason.
const PATIENCE: u64 = 256 * 1024 * 1024;

/// Reads until a command is there. Empty lines are skipped without an answer (iOS sends them).
pub fn next(wire: &mut Wire, rules: &Rules) -> Result<Input, End> {
    let mut framer = Framer::new(rules);
    let mut within_literal = false;
    loop {
        match framer.step(wire.pending()) {
            Step::More if within_literal => wire.fill_literal()?,
            Step::More => wire.fill()?,
            Step::Complete { end } if wire.pending().get(..end).is_some_and(|line| line.trim_ascii().is_empty()) => {
                wire.consume(end);
                framer = Framer::new(rules);
            }
            Step::Complete { end } => return Ok(Input::Command(end)),
            Step::Literal(literal) => {
                if let Some(input) = announced(wire, rules, literal)? {
                    return Ok(input);
                }
                framer.take_literal();
                within_literal = true;
            }
            Step::TooLong { line } => {
                let tag = tag(wire);
                wire.consume(line);
                discard(wire, Discard::line())?;
                return Ok(Input::Refused(tag, Answer::bad("Line too long")));
            }
            Step::BadLiteral { sync: true, end } => {
                let tag = tag(wire);
                wire.consume(end);
                return Ok(Input::Refused(tag, Answer::bad("Not a literal's size")));
            }
            Step::BadLiteral { sync: false, .. } => return Err(End::Refused(b"Not a literal's size")),
        }
    }
}

/// A literal follows: the message of an APPEND, a part of the command (`None`), or one to refuse.
fn announced(wire: &mut Wire, rules: &Rules, literal: Literal) -> Result<Option<Input>, End> {
    let line = wire.pending().get(..literal.at).unwrap_or_default();
    let is_append = imap::peek(line).name.eq_ignore_ascii_case(b"APPEND");
    let refusal = match is_append.then(|| append::parse_head(line, rules)) {
        Some(Ok(Head::Message(head))) => {
            wire.trace_command(literal.at);
            wire.consume(literal.at);
            return Ok(Some(Input::Append(head)));
        }
        Some(Err(error)) => Answer::bad(error.text),
        _ if literal.fits => {
            if literal.sync {
                wire.out().extend_from_slice(b"+ OK\r\n");
            }
            return Ok(None);
        }
        _ => Answer::bad("Literal too long").code(Code::TooBig),
    };
    let tag = tag(wire);
    wire.consume(literal.at);
    if !literal.sync {
        discard(wire, Discard::literal(literal.size))?;
    }
    Ok(Some(Input::Refused(tag, refusal)))
}

/// Reads over the rest of a command.
pub fn discard(wire: &mut Wire, mut rest: Discard) -> Result<(), End> {
    loop {
        let discarded = rest.push(wire.pending());
        wire.consume(discarded.used);
        if discarded.done {
            return Ok(());
        }
        if rest.swallowed().saturating_add(rest.pending()) > PATIENCE {
            return Err(End::Refused(b"Literal too long"));
        }
        wire.fill_literal()?;
    }
}

/// The tag of a command that is not parsed; `*` if it has none.
fn tag(wire: &Wire) -> Vec<u8> {
    imap::peek(wire.pending()).tag.map_or_else(|| b"*".to_vec(), |tag| tag.to_vec())
}
