//! A search made ready: its conditions in a row, and how they are joined.

use imap::{Date, Flag, NumberSet, SearchKey};
use message::charset;
use message::find::Needle;

/// The answer to a condition; none while it is not known.
pub(crate) type Verdict = Option<bool>;

/// A search made ready for one folder.
pub(crate) struct Plan {
    /// In the order of a stack machine: conditions, and what joins those before it.
    steps: Vec<Step>,
    /// What is asked of a message.
    pub conditions: Vec<Condition>,
}

enum Step {
    Condition(usize),
    Not,
    /// All of the last so many.
    And(usize),
    /// One of the last so many.
    Or(usize),
}

/// One thing asked of a message.
pub(crate) enum Condition {
    Flag(Flag),
    Keyword(Vec<u8>),
    Recent,
    Numbers(NumberSet),
    Uids(NumberSet),
    /// INTERNALDATE's day.
    Arrived(Order, Date),
    /// The day in the Date field.
    Sent(Order, Date),
    Larger(u64),
    Smaller(u64),
    /// A field with the text in it.
    Field(Vec<u8>, Needle),
    Body(Needle),
    /// Header or body.
    Text(Needle),
}

/// How a day compares to the one that was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Before,
    On,
    Since,
}

impl Order {
    pub fn holds(self, date: Date, named: Date) -> bool {
        match self {
            Order::Before => date < named,
            Order::On => date == named,
            Order::Since => date >= named,
        }
    }
}

/// What a message has to be opened for, and how far it has to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cost {
    /// Nothing.
    View,
    /// Its times.
    Stat,
    /// Its header.
    Header,
    /// All of it.
    Size,
    /// All of it, decoded.
    Body,
}

impl Condition {
    pub fn cost(&self) -> Cost {
        use Condition::{Arrived, Body, Field, Flag, Keyword, Larger, Numbers, Recent, Sent, Smaller, Text, Uids};
        match self {
            Flag(_) | Keyword(_) | Recent | Numbers(_) | Uids(_) => Cost::View,
            Arrived(..) => Cost::Stat,
            Sent(..) | Field(..) => Cost::Header,
            Larger(_) | Smaller(_) => Cost::Size,
            Body(_) | Text(_) => Cost::Body,
        }
    }
}

/// The charset that the client named is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCharset;

/// The highest message number and UID in a folder, for `*`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Last {
    pub number: u32,
    pub uid: u32,
}

impl Plan {
    /// Makes a search ready; its strings are in `charset`.
    pub fn new(key: &SearchKey, charset: Option<&[u8]>, last: Last) -> Result<Plan, UnknownCharset> {
        let ascii = |label: &[u8]| label.eq_ignore_ascii_case(b"US-ASCII");
        let charset = charset.filter(|label| !ascii(label)).unwrap_or_default();
        if !charset.is_empty() && !charset::is_known(charset) {
            return Err(UnknownCharset);
        }
        let mut plan = Plan { steps: Vec::new(), conditions: Vec::new() };
        // What is still to be done: the stack that recursion would be.
        let mut todo = vec![Todo::Key(key)];
        while let Some(next) = todo.pop() {
            match next {
                Todo::Step(step) => plan.steps.push(step),
                Todo::Key(SearchKey::All) => plan.steps.push(Step::And(0)),
                Todo::Key(SearchKey::And(keys)) => join(&mut todo, Step::And(keys.len()), keys),
                Todo::Key(SearchKey::Or(keys)) => join(&mut todo, Step::Or(keys.len()), keys),
                Todo::Key(SearchKey::Not(key)) => todo.extend([Todo::Step(Step::Not), Todo::Key(key)]),
                Todo::Key(leaf) => {
                    if let Some(condition) = condition(leaf, charset, last) {
                        plan.steps.push(Step::Condition(plan.conditions.len()));
                        plan.conditions.push(condition);
                    }
                }
            }
        }
        Ok(plan)
    }

    /// The verdict on a message by what is known of it. `stack` is room to work in.
    pub fn verdict(&self, known: &[Verdict], stack: &mut Vec<Verdict>) -> Verdict {
        stack.clear();
        for step in &self.steps {
            let verdict = match *step {
                Step::Condition(place) => known.get(place).copied().flatten(),
                Step::Not => stack.pop().flatten().map(|verdict| !verdict),
                Step::And(count) => joined(stack, count, false),
                Step::Or(count) => joined(stack, count, true),
            };
            stack.push(verdict);
        }
        stack.pop().flatten()
    }
}

enum Todo<'a> {
    Key(&'a SearchKey),
    Step(Step),
}

fn join<'a>(todo: &mut Vec<Todo<'a>>, step: Step, keys: &'a [SearchKey]) {
    todo.push(Todo::Step(step));
    todo.extend(keys.iter().rev().map(Todo::Key));
}

/// `decides` in one of the last `count` decides; if they all are known and none does, it is the other.
fn joined(stack: &mut Vec<Verdict>, count: usize, decides: bool) -> Verdict {
    let from = stack.len().saturating_sub(count);
    let parts = stack.get(from..).unwrap_or_default();
    let verdict = if parts.contains(&Some(decides)) {
        Some(decides)
    } else {
        parts.iter().all(Option::is_some).then_some(!decides)
    };
    stack.truncate(from);
    verdict
}

fn condition(key: &SearchKey, charset: &[u8], last: Last) -> Option<Condition> {
    let needle = |text: &[u8]| Needle::new(&charset::to_utf8(charset, text));
    let field = |name: &str, text: &[u8]| Condition::Field(name.as_bytes().to_vec(), needle(text));
    Some(match key {
        SearchKey::All | SearchKey::And(_) | SearchKey::Or(_) | SearchKey::Not(_) => return None,
        SearchKey::Flag(flag) => Condition::Flag(*flag),
        SearchKey::Keyword(word) => Condition::Keyword(word.clone()),
        SearchKey::Recent => Condition::Recent,
        SearchKey::Set(set) => Condition::Numbers(set.resolve(last.number)),
        SearchKey::Uid(set) => Condition::Uids(set.resolve(last.uid)),
        SearchKey::Before(date) => Condition::Arrived(Order::Before, *date),
        SearchKey::On(date) => Condition::Arrived(Order::On, *date),
        SearchKey::Since(date) => Condition::Arrived(Order::Since, *date),
        SearchKey::SentBefore(date) => Condition::Sent(Order::Before, *date),
        SearchKey::SentOn(date) => Condition::Sent(Order::On, *date),
        SearchKey::SentSince(date) => Condition::Sent(Order::Since, *date),
        SearchKey::Larger(size) => Condition::Larger(*size),
        SearchKey::Smaller(size) => Condition::Smaller(*size),
        SearchKey::Bcc(text) => field("Bcc", text),
        SearchKey::Cc(text) => field("Cc", text),
        SearchKey::From(text) => field("From", text),
        SearchKey::To(text) => field("To", text),
        SearchKey::Subject(text) => field("Subject", text),
        SearchKey::Header { field, value } => Condition::Field(field.clone(), needle(value)),
        SearchKey::Body(text) => Condition::Body(needle(text)),
        SearchKey::Text(text) => Condition::Text(needle(text)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(key: &SearchKey) -> Plan {
        Plan::new(key, None, Last { number: 9, uid: 90 }).unwrap()
    }

    fn verdict(key: &SearchKey, known: &[Verdict]) -> Verdict {
        plan(key).verdict(known, &mut Vec::new())
    }

    #[test]
    fn what_is_known_decides_as_soon_as_it_can() {
        let (yes, no) = (Some(true), Some(false));
        let leaf = || SearchKey::Recent;
        let and = SearchKey::And(vec![leaf(), leaf()]);
        let or = SearchKey::Or(vec![leaf(), leaf()]);
        let not = SearchKey::Not(Box::new(and.clone()));
        for (key, known, wanted) in [
            (&SearchKey::All, [None, None], yes),
            (&and, [yes, yes], yes),
            (&and, [None, no], no),
            (&and, [None, yes], None),
            (&or, [None, yes], yes),
            (&or, [None, no], None),
            (&or, [no, no], no),
            (&not, [no, None], yes),
            (&not, [None, None], None),
        ] {
            assert_eq!(verdict(key, &known), wanted, "{key:?} {known:?}");
        }
        let nested = SearchKey::And(vec![or, SearchKey::Not(Box::new(leaf()))]);
        assert_eq!(verdict(&nested, &[yes, None, no]), yes);
        assert_eq!(verdict(&nested, &[yes, None, yes]), no);
    }

    #[test]
    fn charsets() {
        let key = SearchKey::Subject(b"\xe4".to_vec());
        let last = Last { number: 0, uid: 0 };
        assert_eq!(Plan::new(&key, Some(b"x-unknown"), last).err(), Some(UnknownCharset));
        for charset in [None, Some(b"us-ascii".as_slice()), Some(b"UTF-8"), Some(b"iso-8859-1")] {
            assert!(Plan::new(&key, charset, last).is_ok());
        }
    }
}
