//! SEARCH (RFC 3501 section 6.4.4): which messages meet a condition, with as little reading as will do.
//!
//! What the view knows is asked first, then the file's times, the header, and at last the whole message; as soon as
//! the rest cannot change the verdict, nothing more is read. One pass over a message answers all that is asked of it.

mod content;
mod plan;

use std::cell::OnceCell;
use std::fs::File;

use imap::{DateTime, SearchKey};

use crate::message::{Message, Room};
use crate::{Error, Mailbox};
use plan::{Condition, Cost, Last, Plan, Verdict};

pub use plan::UnknownCharset;

/// A search made ready for one folder. What was asked with `*` is fixed when it is made.
pub struct Searcher {
    plan: Plan,
    known: Vec<Verdict>,
    stack: Vec<Verdict>,
    room: Room,
}

impl Searcher {
    fn verdict(&mut self) -> Verdict {
        self.plan.verdict(&self.known, &mut self.stack)
    }

    /// Conditions of this cost that have no answer yet.
    fn open(&mut self, cost: Cost) -> impl Iterator<Item = (&Condition, &mut Verdict)> {
        let all = self.plan.conditions.iter().zip(self.known.iter_mut());
        all.filter(move |(condition, verdict)| verdict.is_none() && condition.cost() == cost)
    }
}

impl Mailbox {
    /// Makes a search ready. Its strings are in `charset`, or in US-ASCII.
    pub fn searcher(&self, key: &SearchKey, charset: Option<&[u8]>) -> Result<Searcher, UnknownCharset> {
        let number = self.exists();
        let last = Last { number, uid: self.uid(number).unwrap_or(0) };
        let plan = Plan::new(key, charset, last)?;
        let known = vec![None; plan.conditions.len()];
        Ok(Searcher { plan, known, stack: Vec::new(), room: Room::default() })
    }

    /// Whether a message is found. One that is gone from the disk is not, unless that could be said without it.
    pub fn is_found(&mut self, number: u32, searcher: &mut Searcher) -> Result<bool, Error> {
        match self.judge(number, searcher) {
            Err(Error::Expunged) => Ok(false),
            verdict => verdict,
        }
    }

    fn judge(&mut self, number: u32, searcher: &mut Searcher) -> Result<bool, Error> {
        searcher.known.fill(None);
        self.ask_view(number, searcher);
        if let Some(verdict) = searcher.verdict() {
            return Ok(verdict);
        }
        if searcher.open(Cost::Stat).next().is_some() {
            let arrived = DateTime { unix: self.internal_date(number)?, zone: 0 }.date();
            for (condition, verdict) in searcher.open(Cost::Stat) {
                if let Condition::Arrived(order, named) = condition {
                    *verdict = Some(order.holds(arrived, *named));
                }
            }
            if let Some(verdict) = searcher.verdict() {
                return Ok(verdict);
            }
        }
        self.read(number, searcher)
    }

    /// What needs no file.
    fn ask_view(&self, number: u32, searcher: &mut Searcher) {
        let uid = self.uid(number).unwrap_or(0);
        let size = self.sizes.get(&uid).copied();
        let cell = OnceCell::new();
        let shown = || cell.get_or_init(|| self.flags(number)).as_ref();
        for (condition, verdict) in searcher.plan.conditions.iter().zip(searcher.known.iter_mut()) {
            *verdict = match condition {
                Condition::Numbers(set) => Some(set.contains(number)),
                Condition::Uids(set) => Some(set.contains(uid)),
                Condition::Flag(flag) => Some(shown().is_some_and(|shown| shown.system.has(*flag))),
                Condition::Recent => Some(shown().is_some_and(|shown| shown.recent)),
                Condition::Keyword(word) => {
                    let is = |known: &&[u8]| known.eq_ignore_ascii_case(word);
                    Some(shown().is_some_and(|shown| shown.keywords.iter().any(is)))
                }
                Condition::Larger(_) | Condition::Smaller(_) => size.and_then(|size| compare_size(condition, size)),
                _ => None,
            };
        }
    }

    /// What needs the file, the least of it first.
    fn read(&mut self, number: u32, searcher: &mut Searcher) -> Result<bool, Error> {
        let file = self.open_message(number)?;
        let mut message = Message::within(file, std::mem::take(&mut searcher.room));
        let found = self.read_message(number, &mut message, searcher);
        searcher.room = message.into_room();
        found
    }

    fn read_message(
        &mut self,
        number: u32,
        message: &mut Message<File>,
        searcher: &mut Searcher,
    ) -> Result<bool, Error> {
        let has_text = searcher.plan.conditions.iter().any(|condition| matches!(condition, Condition::Text(_)));
        if has_text || searcher.open(Cost::Header).next().is_some() {
            let Searcher { plan, known, .. } = searcher;
            message.search_header(&plan.conditions, known).map_err(|error| self.read_error(number, &error))?;
            if let Some(verdict) = searcher.verdict() {
                return Ok(verdict);
            }
        }
        let size = message.size().map_err(|error| self.read_error(number, &error))?;
        if let Some(uid) = self.uid(number) {
            self.note_size(uid, size);
        }
        for (condition, verdict) in searcher.open(Cost::Size) {
            *verdict = compare_size(condition, size);
        }
        if let Some(verdict) = searcher.verdict() {
            return Ok(verdict);
        }
        let Searcher { plan, known, .. } = searcher;
        message.search_body(&plan.conditions, known).map_err(|error| self.read_error(number, &error))?;
        Ok(searcher.verdict().unwrap_or(false))
    }
}

fn compare_size(condition: &Condition, size: u64) -> Verdict {
    match condition {
        Condition::Larger(than) => Some(size > *than),
        Condition::Smaller(than) => Some(size < *than),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
