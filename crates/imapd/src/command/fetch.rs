//! FETCH and UID FETCH (RFC 3501 section 6.4.5).

use std::fs::File;

use imap::{
    BodySection, DateTime, Fetch, FetchItem, Flag, FlagList, Flags, NumberSet, Section, SectionText, StoreMode,
    response, write,
};
use mailbox::{Error, Mailbox, Message, Piece};

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
    let all: Vec<(u32, u32)> = numbers.ranges().to_vec();
    let mut all = all.into_iter().flat_map(|(first, last)| first..=last);
    loop {
        let some: Vec<u32> = all.by_ref().take(MARKED).collect();
        if some.is_empty() {
            return Ok(answer);
        }
        let marked = if marks { mark_seen(session, &some) } else { NumberSet::new() };
        for number in some {
            match one(session, number, &items, marked.contains(number)) {
                // What is there of the others is sent all the same.
                Err(Stop::Refused(refusal)) => answer = refusal,
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

/// An item that is ready to be sent.
enum Ready {
    Text(Vec<u8>),
    /// The name, and what is sent as a literal.
    Piece(Vec<u8>, Piece),
}

/// One message. Nothing of it is sent before all of it could be read so far that its lengths are known.
fn one(session: &mut Session, number: u32, items: &[FetchItem], marked: bool) -> Result<(), Stop> {
    let Some(mailbox) = &mut session.selected else { return Ok(()) };
    let mut reading = None;
    let ready = prepare(mailbox, number, items, marked, &mut reading);
    let result = ready.and_then(|ready| send(&mut session.wire, &mut session.sent, number, ready, &mut reading));
    if let Some(message) = reading.filter(|_| result.is_ok() && items.iter().any(is_partial)) {
        mailbox.keep_message(number, message);
    }
    result
}

fn is_partial(item: &FetchItem) -> bool {
    matches!(item, FetchItem::Section(section) if section.partial.is_some())
}

fn prepare(
    mailbox: &mut Mailbox,
    number: u32,
    items: &[FetchItem],
    marked: bool,
    reading: &mut Option<Message<File>>,
) -> Result<Vec<Ready>, Stop> {
    if items.iter().any(needs_file) {
        *reading = Some(mailbox.take_message(number)?);
    }
    let mut ready = Vec::with_capacity(items.len() + 1);
    for item in items {
        ready.push(match (item, reading.as_mut()) {
            (FetchItem::Rfc822Size, None) => Ready::Text(size(mailbox.wire_size(number)?)),
            (item, Some(message)) if needs_file(item) || *item == FetchItem::Rfc822Size => {
                let made = read(message, item);
                made.map_err(|error| mailbox.read_error(number, &error))?
            }
            (item, _) => Ready::Text(known(mailbox, number, item)?),
        });
    }
    if marked && !items.contains(&FetchItem::Flags) {
        ready.push(Ready::Text(known(mailbox, number, &FetchItem::Flags)?));
    }
    if let Some(size) = reading.as_mut().and_then(|message| message.known_size())
        && let Some(uid) = mailbox.uid(number)
    {
        mailbox.note_size(uid, size);
    }
    Ok(ready)
}

/// Whether the message must be opened.
fn needs_file(item: &FetchItem) -> bool {
    use FetchItem::{Flags, InternalDate, Rfc822Size, Uid};
    !matches!(item, Flags | InternalDate | Rfc822Size | Uid)
}

/// What is known without reading the message.
fn known(mailbox: &mut Mailbox, number: u32, item: &FetchItem) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    match item {
        FetchItem::Uid => {
            out.extend_from_slice(b"UID ");
            write::number(&mut out, u64::from(mailbox.uid(number).ok_or(Error::BadNumber)?));
        }
        FetchItem::InternalDate => {
            out.extend_from_slice(b"INTERNALDATE ");
            DateTime { unix: mailbox.internal_date(number)?, zone: 0 }.write(&mut out);
        }
        _ => {
            let shown = mailbox.flags(number).ok_or(Error::BadNumber)?;
            out.extend_from_slice(b"FLAGS ");
            response::flag_list(&mut out, shown.system, shown.recent, &shown.keywords);
        }
    }
    Ok(out)
}

fn size(octets: u64) -> Vec<u8> {
    let mut out = b"RFC822.SIZE ".to_vec();
    write::number(&mut out, octets);
    out
}

/// What is read from the message.
fn read(message: &mut Message<File>, item: &FetchItem) -> std::io::Result<Ready> {
    let mut out = Vec::new();
    match item {
        FetchItem::Envelope => {
            out.extend_from_slice(b"ENVELOPE ");
            message.envelope(&mut out)?;
        }
        FetchItem::Body => {
            out.extend_from_slice(b"BODY ");
            message.body_structure(false, &mut out)?;
        }
        FetchItem::BodyStructure => {
            out.extend_from_slice(b"BODYSTRUCTURE ");
            message.body_structure(true, &mut out)?;
        }
        FetchItem::Section(section) => {
            section.write(&mut out);
            return piece(message, out, section);
        }
        FetchItem::Rfc822 => return piece(message, b"RFC822".to_vec(), &whole(SectionText::All)),
        FetchItem::Rfc822Header => return piece(message, b"RFC822.HEADER".to_vec(), &whole(SectionText::Header)),
        FetchItem::Rfc822Text => return piece(message, b"RFC822.TEXT".to_vec(), &whole(SectionText::Text)),
        FetchItem::Rfc822Size | FetchItem::Flags | FetchItem::InternalDate | FetchItem::Uid => {
            out = size(message.size()?);
        }
    }
    Ok(Ready::Text(out))
}

fn whole(text: SectionText) -> BodySection {
    BodySection { section: Section { part: Vec::new(), text }, partial: None, peek: false }
}

fn piece(message: &mut Message<File>, mut name: Vec<u8>, section: &BodySection) -> std::io::Result<Ready> {
    Ok(match message.piece(&section.section, section.partial)? {
        Some(piece) if piece.size() > 0 => Ready::Piece(name, piece),
        nothing => {
            name.extend_from_slice(if nothing.is_some() { b" \"\"" } else { b" NIL" });
            Ready::Text(name)
        }
    })
}

fn send(
    wire: &mut Wire,
    sent: &mut Sent,
    number: u32,
    ready: Vec<Ready>,
    reading: &mut Option<Message<File>>,
) -> Result<(), Stop> {
    let out = wire.out();
    out.extend_from_slice(b"* ");
    write::number(out, u64::from(number));
    out.extend_from_slice(b" FETCH ");
    for (place, item) in ready.into_iter().enumerate() {
        wire.out().push(if place == 0 { b'(' } else { b' ' });
        match item {
            Ready::Text(text) => wire.out().extend_from_slice(&text),
            Ready::Piece(name, piece) => {
                *if piece.is_header() { &mut sent.headers } else { &mut sent.body } += piece.size();
                wire.out().extend_from_slice(&name);
                wire.out().push(b' ');
                if let Some(message) = reading.as_mut() {
                    send_piece(wire, message, piece)?;
                }
            }
        }
    }
    wire.out().extend_from_slice(b")\r\n");
    Ok(())
}

/// A literal. Once its length is announced there is no way back: if the bytes cannot be had, the connection ends.
fn send_piece(wire: &mut Wire, message: &mut Message<File>, mut piece: Piece) -> Result<(), Stop> {
    write::literal_head(wire.out(), piece.size());
    loop {
        match message.read(&mut piece, wire.out()) {
            Ok(true) => wire.relieve()?,
            Ok(false) => return Ok(()),
            Err(error) => {
                let what = format!("unable to read a message to its end: {}", chain::reason(&error));
                PROGRAM.warn(what.as_bytes());
                return Err(Stop::Ended(End::Disconnected));
            }
        }
    }
}
