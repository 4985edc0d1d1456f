//! IDLE (RFC 2177): changes of the selected folder as they happen.

use std::time::{Duration, Instant};

use mailbox::Expunges;

use crate::answer::{Answer, Outcome, Stop};
use crate::end::End;
use crate::session::Session;
use crate::updates;
use crate::wire::Woken;

/// Changes that come in a burst are told together: at most so often.
const BURST: Duration = Duration::from_millis(50);

/// Until the client says DONE.
pub fn run(session: &mut Session) -> Outcome {
    // The watch first: what happens between the look and the wait must wake us.
    let watched = session.watch();
    updates::tell(session, Expunges::Report)?;
    let greeting: &[u8] = if watched { b"+ entering ENHANCED idle mode\r\n" } else { b"+ entering idle mode\r\n" };
    session.wire.out().extend_from_slice(greeting);
    let answer = watch(session, watched);
    session.unwatch();
    answer
}

fn watch(session: &mut Session, watched: bool) -> Outcome {
    let mut clock = Clock::new(session, watched);
    loop {
        match session.wait(clock.left(Instant::now()))? {
            Woken::Input => return last_line(session),
            Woken::Watch => clock.look_soon(Instant::now()),
            Woken::Late => {}
        }
        let now = Instant::now();
        if clock.look_is_due(now) {
            clock.look(session)?;
        }
        if clock.is_over(now) {
            return Err(Stop::Ended(End::Timeout));
        }
        if clock.sign_of_life_is_due(now) {
            session.wire.out().extend_from_slice(b"* OK Still here\r\n");
            clock.alive = now;
        }
    }
}

/// DONE in any case; anything else is a mistake, and ends IDLE too. What stands behind the
/// line is the next command.
fn last_line(session: &mut Session) -> Outcome {
    let length = loop {
        match imap::line_end(session.wire.pending()) {
            Some(length) => break length,
            None if session.wire.pending().len() > session.rules.command => {
                return Err(Stop::Ended(End::Refused(b"Line too long")));
            }
            None => session.wire.fill()?,
        }
    };
    session.wire.trace_command(length);
    let line = session.wire.pending().get(..length).unwrap_or_default();
    let done = line.trim_ascii_end().eq_ignore_ascii_case(b"DONE");
    session.wire.consume(length);
    Ok(if done { Answer::ok("IDLE completed") } else { Answer::bad("Expected DONE") })
}

/// What is due when.
struct Clock {
    /// The client's last line.
    since: Instant,
    limit: Duration,
    /// When we last sent something.
    alive: Instant,
    keepalive: Option<Duration>,
    /// When we last had something to tell.
    told: Instant,
    /// When to look again: something happened, or nothing wakes us.
    look: Option<Instant>,
    poll: Option<Duration>,
}

impl Clock {
    fn new(session: &Session, watched: bool) -> Clock {
        let now = Instant::now();
        let settings = &session.settings;
        // Sessions that began together need not look together.
        let spread = settings.idle_poll.saturating_sub(Duration::from_millis(u64::from(std::process::id() % 512)));
        let poll = (!watched && session.selected.is_some()).then(|| spread.max(Duration::from_millis(500)));
        Clock {
            since: now,
            limit: settings.limits.idle,
            alive: now,
            keepalive: settings.idle_keepalive,
            told: now.checked_sub(BURST).unwrap_or(now),
            look: poll.map(|poll| now + poll),
            poll,
        }
    }

    /// Until the next thing is due.
    fn left(&self, now: Instant) -> Duration {
        let alive = self.keepalive.map(|interval| self.alive + interval);
        let due = [alive, self.look].into_iter().flatten().fold(self.since + self.limit, Instant::min);
        due.saturating_duration_since(now)
    }

    fn is_over(&self, now: Instant) -> bool {
        now >= self.since + self.limit
    }

    fn sign_of_life_is_due(&self, now: Instant) -> bool {
        self.keepalive.is_some_and(|interval| now >= self.alive + interval)
    }

    /// At once after a quiet time, so that nobody waits; a burst is told together. (What we write
    /// ourselves while we look wakes us too; then nothing is to be told, and nothing is put off.)
    fn look_soon(&mut self, now: Instant) {
        let soon = now.max(self.told + BURST);
        self.look = Some(self.look.map_or(soon, |look| look.min(soon)));
    }

    fn look_is_due(&self, now: Instant) -> bool {
        self.look.is_some_and(|look| now >= look)
    }

    /// A folder that cannot be read now may be readable at the next look.
    fn look(&mut self, session: &mut Session) -> Result<(), Stop> {
        session.complete_watch();
        if let Err(Stop::Ended(end)) = updates::tell(session, Expunges::Report) {
            return Err(Stop::Ended(end));
        }
        let now = Instant::now();
        self.look = self.poll.map(|poll| now + poll);
        if !session.wire.out().is_empty() {
            (self.alive, self.told) = (now, now);
        }
        Ok(())
    }
}
