//! FETCH and UID FETCH (RFC 3501 section 6.4.5).

use std::borrow::Cow;
use std::fs::File;

use imap::{
    BodySection, DateTime, Fetch, FetchItem, Flag, FlagList, Flags, NumberSet, Section, SectionText, StoreMode,
    response, write,
};
use mailbox::{Error, Mailbox, Message, Piece, Room};

use crate::answer::{Answer, Outcome, Stop};
use crate::end::End;
use crate::log::{PROGRAM, Sent};
use crate::session::Session;
use crate::updates;
use crate::wire::Wire;

/// So many messages are marked `\Seen` at a time, before they are sent: it costs one wait for the disk, and a
/// connection that breaks leaves no more than these marked and unread.
const MARKED: usize = 32;

/// FETCH.
pub fn run(session: &mut Session, fetch: &Fetch) -> Outcome {
    let Some(mailbox) = &mut session.selected else { return Ok(Answer::bad("No mailbox is selected")) };
    let numbers = mailbox.resolve(&fetch.set, fetch.uid)?;
    let mut items = Vec::new();
    // Every answer to UID FETCH has the UID in it.
    if fetch.uid && !fetch.items.contains(&FetchItem::Uid) {
        items.push(FetchItem::Uid);
    }
    items.extend_from_slice(&fetch.items);
    let marks = !mailbox.read_only() && items.iter().any(sets_seen);
    let mut answer = Answer::ok("FETCH completed");
    let mut room = Room::default();
    let all: Vec<(u32, u32)> = numbers.ranges().to_vec();
    let mut all = all.into_iter().flat_map(|(first, last)| first..=last);
    loop {
        let some: Vec<u32> = all.by_ref().take(MARKED).collect();
        if some.is_empty() {
            return Ok(answer);
        }
        let marked = if marks { mark_seen(session, &some) } else { NumberSet::new() };
        for number in some {
            match one(session, number, &items, marked.contains(number), &mut room) {
                // What is there of the others is sent all the same.
                Err(Stop::Refused(refusal)) => {
                    answer = refusal;
                    if marked.contains(number) {
                        one(session, number, &[FetchItem::Uid, FetchItem::Flags], false, &mut room)?;
                    }
                }
                Err(ended) => return Err(ended),
                Ok(()) => {}
            }
            session.wire.relieve()?;
        }
    }
}

/// Whether the item makes a message `\Seen`.
fn sets_seen(item: &FetchItem) -> bool {
    match item {
        FetchItem::Section(section) => !section.peek,
        FetchItem::Rfc822 | FetchItem::Rfc822Text => true,
        _ => false,
    }
}

/// Marks what is not marked yet. Where that fails the messages are shown all the same.
fn mark_seen(session: &mut Session, some: &[u32]) -> NumberSet {
    let Some(mailbox) = &mut session.selected else { return NumberSet::new() };
    let unseen = |number: &u32| mailbox.flags(*number).is_some_and(|shown| !shown.system.has(Flag::Seen));
    let unseen: NumberSet = some.iter().copied().filter(unseen).collect();
    if unseen.ranges().is_empty() {
        return unseen;
    }
    let seen = FlagList { system: Flags::NONE.with(Flag::Seen), ..FlagList::default() };
    let stored = mailbox.store(&unseen, StoreMode::Add, &seen, false).unwrap_or_default();
    if stored.flag_list_changed {
        updates::flag_lists(mailbox, session.settings.keywords, session.wire.out());
    }
    stored.numbers
}

/// One message. Before anything of it is sent, all of it is read so far that its lengths are known.
fn one(session: &mut Session, number: u32, items: &[FetchItem], marked: bool, room: &mut Room) -> Result<(), Stop> {
    let Some(mailbox) = &mut session.selected else { return Ok(()) };
    let mut message = match items.iter().any(needs_file) {
        true => Some(mailbox.take_message(number, room)?),
        false => None,
    };
    let mut answer = Answering { mailbox, number, message: message.as_mut(), wire: &mut session.wire, date: 0 };
    let result = answer.give(items, marked, &mut session.sent);
    match message {
        Some(message) if result.is_ok() && items.iter().any(is_partial) => mailbox.keep_message(number, message),
        Some(message) => *room = message.into_room(),
        None => {}
    }
    result
}

fn is_partial(item: &FetchItem) -> bool {
    matches!(item, FetchItem::Section(section) if section.partial.is_some())
}

/// Whether the message must be opened.
fn needs_file(item: &FetchItem) -> bool {
    use FetchItem::{Flags, InternalDate, Rfc822Size, Uid};
    !matches!(item, Flags | InternalDate | Rfc822Size | Uid)
}

/// One FETCH response in the making.
struct Answering<'a> {
    mailbox: &'a mut Mailbox,
    number: u32,
    message: Option<&'a mut Message<File>>,
    wire: &'a mut Wire,
    /// INTERNALDATE, once it is asked for.
    date: i64,
}

impl Answering<'_> {
    /// All of it or nothing, as long as that can be helped.
    fn give(&mut self, items: &[FetchItem], marked: bool, sent: &mut Sent) -> Result<(), Stop> {
        let pieces = self.prepare(items)?;
        let begun = self.wire.out().len();
        let sent_before = self.wire.counts().1;
        let result = self.write(items, pieces, marked, sent);
        if matches!(result, Err(Stop::Refused(_))) {
            if self.wire.counts().1 != sent_before {
                // Half of an answer is with the client: there is no way back.
                PROGRAM.warn(b"disconnected in the middle of a message that cannot be read to its end");
                return Err(Stop::Ended(End::Disconnected));
            }
            self.wire.out().truncate(begun);
        }
        result
    }

    /// Reads what has to be known, so that a message that cannot be read is noticed while nothing of it is sent:
    /// the pieces to send, in the order of the items.
    fn prepare(&mut self, items: &[FetchItem]) -> Result<Vec<Option<Piece>>, Stop> {
        let mut pieces = Vec::new();
        for item in items {
            match (item, &mut self.message) {
                (FetchItem::InternalDate, None) => self.date = self.mailbox.internal_date(self.number)?,
                (FetchItem::Rfc822Size, None) => drop(self.mailbox.wire_size(self.number)?),
                (_, None) => {}
                (item, Some(message)) => {
                    let read = match (item, section(item)) {
                        (_, Some(section)) => {
                            message.piece(&section.section, section.partial).map(|piece| pieces.push(piece))
                        }
                        (FetchItem::InternalDate, _) => message.date().map(|date| self.date = date),
                        (FetchItem::Envelope, _) => message.header().map(drop),
                        (FetchItem::Body | FetchItem::BodyStructure | FetchItem::Rfc822Size, _) => {
                            message.size().map(drop)
                        }
                        _ => Ok(()),
                    };
                    read.map_err(|error| self.mailbox.read_error(self.number, &error))?;
                }
            }
        }
        let size = self.message.as_ref().and_then(|message| message.known_size());
        if let (Some(size), Some(uid)) = (size, self.mailbox.uid(self.number)) {
            self.mailbox.note_size(uid, size);
        }
        Ok(pieces)
    }

    /// `* n FETCH (...)`
    fn write(
        &mut self,
        items: &[FetchItem],
        pieces: Vec<Option<Piece>>,
        marked: bool,
        sent: &mut Sent,
    ) -> Result<(), Stop> {
        let out = self.wire.out();
        out.extend_from_slice(b"* ");
        write::number(out, u64::from(self.number));
        out.extend_from_slice(b" FETCH ");
        let mut pieces = pieces.into_iter();
        let flags = (marked && !items.contains(&FetchItem::Flags)).then_some(&FetchItem::Flags);
        for (place, item) in items.iter().chain(flags).enumerate() {
            self.wire.out().push(if place == 0 { b'(' } else { b' ' });
            match section(item) {
                Some(section) => {
                    write_name(item, &section, self.wire.out());
                    let piece = pieces.next().flatten();
                    if let Some(piece) = &piece {
                        *if piece.is_header() { &mut sent.headers } else { &mut sent.body } += piece.size();
                    }
                    self.piece(piece)?;
                }
                None => self.item(item)?,
            }
        }
        self.wire.out().extend_from_slice(b")\r\n");
        Ok(())
    }

    /// An item that is no piece of the message.
    fn item(&mut self, item: &FetchItem) -> Result<(), Stop> {
        let (number, out) = (self.number, self.wire.out());
        match item {
            FetchItem::Uid => {
                out.extend_from_slice(b"UID ");
                write::number(out, u64::from(self.mailbox.uid(number).ok_or(Error::BadNumber)?));
            }
            FetchItem::InternalDate => {
                out.extend_from_slice(b"INTERNALDATE ");
                DateTime { unix: self.date, zone: 0 }.write(out);
            }
            FetchItem::Rfc822Size => {
                out.extend_from_slice(b"RFC822.SIZE ");
                write::number(out, self.mailbox.wire_size(number)?);
            }
            FetchItem::Envelope | FetchItem::Body | FetchItem::BodyStructure => {
                let Some(message) = &mut self.message else { return Ok(()) };
                let written = match item {
                    FetchItem::Envelope => {
                        out.extend_from_slice(b"ENVELOPE ");
                        message.envelope(out)
                    }
                    _ => {
                        let extended = *item == FetchItem::BodyStructure;
                        out.extend_from_slice(if extended { b"BODYSTRUCTURE " } else { b"BODY " });
                        message.body_structure(extended, out)
                    }
                };
                written.map_err(|error| self.mailbox.read_error(number, &error))?;
            }
            _ => {
                let shown = self.mailbox.flags(number).ok_or(Error::BadNumber)?;
                out.extend_from_slice(b"FLAGS ");
                response::flag_list(out, shown.system, shown.recent, &shown.keywords);
            }
        }
        Ok(())
    }

    /// A literal, or what stands for nothing.
    fn piece(&mut self, piece: Option<Piece>) -> Result<(), Stop> {
        let mut piece = match piece {
            Some(piece) if piece.size() > 0 => piece,
            nothing => {
                // offlineimap takes only a literal for a body, be it empty.
                self.wire.out().extend_from_slice(if nothing.is_some() { b"{0}\r\n" } else { b"NIL" });
                return Ok(());
            }
        };
        let Some(message) = &mut self.message else { return Ok(()) };
        write::literal_head(self.wire.out(), piece.size());
        loop {
            let more = message.read(&mut piece, self.wire.out());
            if !more.map_err(|error| self.mailbox.read_error(self.number, &error))? {
                return Ok(());
            }
            self.wire.relieve()?;
        }
    }
}

/// The section that an item means, if it is one.
fn section(item: &FetchItem) -> Option<Cow<'_, BodySection>> {
    let text = match item {
        FetchItem::Section(section) => return Some(Cow::Borrowed(section)),
        FetchItem::Rfc822 => SectionText::All,
        FetchItem::Rfc822Header => SectionText::Header,
        FetchItem::Rfc822Text => SectionText::Text,
        _ => return None,
    };
    Some(Cow::Owned(BodySection { section: Section { part: Vec::new(), text }, partial: None, peek: false }))
}

fn write_name(item: &FetchItem, section: &BodySection, out: &mut Vec<u8>) {
    match item {
        FetchItem::Rfc822 => out.extend_from_slice(b"RFC822"),
        FetchItem::Rfc822Header => out.extend_from_slice(b"RFC822.HEADER"),
        FetchItem::Rfc822Text => out.extend_from_slice(b"RFC822.TEXT"),
        _ => section.write(out),
    }
    out.push(b' ');
}
