//! One session: what is open, and the loop that serves it.

use std::time::Duration;

use imap::Rules;
use mailbox::{Mailbox, Watch};

use crate::answer::{Answer, Outcome, Stop};
use crate::command;
use crate::end::End;
use crate::input::{self, Input};
use crate::log::{Client, Sent};
use crate::settings::Settings;
use crate::wire::{Wire, Woken};

/// So many bad commands in a row are answered.
const BAD_IN_A_ROW: u32 = 20;

/// All that a command may touch.
pub struct Session {
    /// The connection.
    pub wire: Wire,
    /// What the environment says.
    pub settings: Settings,
    /// Who is served.
    pub client: Client,
    /// The account's Maildir.
    pub root: maildir::Root,
    /// The selected folder; `None` in the authenticated state.
    pub selected: Option<Mailbox>,
    /// What wakes IDLE.
    watch: Watch,
    /// Mail sent, for the last log line. FETCH counts here.
    pub sent: Sent,
    /// What the grammar allows.
    pub rules: Rules,
    bad: u32,
    /// The session ends behind the next tagged line.
    ending: Option<End>,
}

impl Session {
    /// A session with nothing selected.
    pub fn new(wire: Wire, settings: Settings, client: Client, root: maildir::Root) -> Session {
        let sent = Sent::default();
        Session {
            wire,
            settings,
            client,
            root,
            selected: None,
            watch: Watch::new(),
            sent,
            rules: Rules::AFTER_LOGIN,
            bad: 0,
            ending: None,
        }
    }

    /// Serves commands to the session's end.
    pub fn serve(&mut self) -> End {
        loop {
            if let Err(end) = self.serve_one() {
                return end;
            }
        }
    }

    fn serve_one(&mut self) -> Result<(), End> {
        self.wire.between_replies();
        let (tag, outcome) = match input::next(&mut self.wire, &self.rules)? {
            Input::Command(length) => self.parse_and_run(length),
            Input::Append(head) => (head.tag.clone(), command::append(self, &head)),
            Input::Refused(tag, answer) => (tag, Ok(answer)),
        };
        match outcome {
            Ok(answer) | Err(Stop::Refused(answer)) => self.answer(&tag, &answer),
            Err(Stop::Ended(End::Logout)) => {
                Answer::ok("LOGOUT completed").write(&tag, self.wire.out());
                Err(End::Logout)
            }
            Err(Stop::Ended(end)) => Err(end),
        }
    }

    /// Answers the current command, and then no other.
    pub fn end_after_answer(&mut self, end: End) {
        self.ending = Some(end);
    }

    fn parse_and_run(&mut self, length: usize) -> (Vec<u8>, Outcome) {
        self.wire.trace_command(length);
        let parsed = imap::parse(self.wire.pending().get(..length).unwrap_or_default(), &self.rules);
        self.wire.consume(length);
        match parsed {
            Ok(tagged) => {
                let outcome = command::run(self, &tagged.command);
                (tagged.tag, outcome)
            }
            Err(error) => (error.tag.unwrap_or_else(|| b"*".to_vec()), Ok(Answer::bad(error.text))),
        }
    }

    /// The tagged line. Nothing is written yet: commands that came in one packet are answered in one.
    fn answer(&mut self, tag: &[u8], answer: &Answer) -> Result<(), End> {
        answer.write(tag, self.wire.out());
        self.wire.relieve()?;
        if let Some(end) = self.ending.take() {
            return Err(end);
        }
        self.bad = if answer.is_bad() { self.bad.saturating_add(1) } else { 0 };
        if self.bad >= BAD_IN_A_ROW { Err(End::Refused(b"Too many bad commands")) } else { Ok(()) }
    }

    /// Wakes `wait` when the selected folder changes. False: only the clock does. A look must follow:
    /// what happened before is not reported any more.
    pub fn watch(&mut self) -> bool {
        let watched = self.selected.as_ref().is_some_and(|mailbox| mailbox.watch(&mut self.watch));
        self.watch.drain();
        watched
    }

    /// What was missing when the watch began may be there by now.
    pub fn complete_watch(&mut self) {
        if self.watch.is_partial() {
            self.watch();
        }
    }

    /// No longer.
    pub fn unwatch(&mut self) {
        self.watch.leave();
    }

    /// Waits for the client, the watched folder, or the time.
    pub fn wait(&mut self, limit: Duration) -> Result<Woken, End> {
        let woken = self.wire.wait(self.watch.descriptor(), limit)?;
        if woken == Woken::Watch {
            self.watch.drain();
        }
        Ok(woken)
    }
}
