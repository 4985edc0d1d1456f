//! The tagged answer of a command, and how a failure becomes one.

use imap::response::{self, Code, Status};

use crate::end::End;

/// What a command function returns: an answer, or through `?` a refusal or the end.
pub type Outcome = Result<Answer, Stop>;

/// The tagged reply, without its tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    status: Status,
    /// Without its brackets.
    code: Vec<u8>,
    text: &'static str,
}

impl Answer {
    /// `OK text`.
    pub const fn ok(text: &'static str) -> Answer {
        Answer { status: Status::Ok, code: Vec::new(), text }
    }

    /// `NO text`.
    pub const fn no(text: &'static str) -> Answer {
        Answer { status: Status::No, code: Vec::new(), text }
    }

    /// `BAD text`.
    pub const fn bad(text: &'static str) -> Answer {
        Answer { status: Status::Bad, code: Vec::new(), text }
    }

    /// The same with a response code.
    pub fn code(mut self, code: Code<'_>) -> Answer {
        self.code.clear();
        code.write(&mut self.code);
        self
    }

    /// The command did what was asked.
    pub fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }

    /// The client's mistake: counts towards the limit of bad commands.
    pub fn is_bad(&self) -> bool {
        self.status == Status::Bad
    }

    /// Appends `tag OK [code] text`.
    pub fn write(&self, tag: &[u8], out: &mut Vec<u8>) {
        let code = (!self.code.is_empty()).then_some(Code::Written(&self.code));
        response::tagged(out, tag, self.status, code, self.text.as_bytes());
    }
}

/// Why a command did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The command is answered with this; the session goes on.
    Refused(Answer),
    /// The session is over.
    Ended(End),
}

impl From<End> for Stop {
    fn from(end: End) -> Stop {
        Stop::Ended(end)
    }
}

impl From<Answer> for Stop {
    fn from(answer: Answer) -> Stop {
        Stop::Refused(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_line() {
        let mut out = Vec::new();
        Answer::ok("APPEND completed").code(Code::UidNext(12)).write(b"a1", &mut out);
        Answer::no("No such mailbox").code(Code::NonExistent).write(b"*", &mut out);
        Answer::bad("What?").write(b"a2", &mut out);
        let expected = "a1 OK [UIDNEXT 12] APPEND completed\r\n* NO [NONEXISTENT] No such mailbox\r\na2 BAD What?\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
