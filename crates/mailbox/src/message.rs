//! One message that is being read: its bytes, its structure as far as it is known, no more of it in memory than a
//! window.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use message::{Part, Scanner, Structure};

/// The first read: most headers, and many messages, are shorter.
const FIRST_READ: usize = 16 << 10;
/// Later reads.
const READ: usize = 64 << 10;
/// A message up to this length is read once and kept while it is in use.
const HELD: usize = 128 << 10;

/// Where a message's bytes come from. They never change (a Maildir's files do not).
pub trait Source {
    /// Reads bytes at an offset; 0 only at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl Source for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }
}

impl Source for &[u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        Ok(count)
    }
}

/// Room to read in. It goes from message to message: fresh memory for each costs more than reading it.
#[derive(Debug, Default)]
pub struct Room {
    /// For the first bytes of a message.
    held: Vec<u8>,
    /// For all others.
    window: Vec<u8>,
}

/// A message that is being read.
pub struct Message<S> {
    source: S,
    room: Room,
    /// So many of its first bytes are in the room.
    held: usize,
    scan: Scan,
}

enum Scan {
    /// So many bytes were scanned.
    Running(Box<Scanner>, u64),
    Done(Structure),
}

impl<S: Source> Message<S> {
    /// A message of which nothing was read yet.
    pub fn new(source: S) -> Message<S> {
        Message::within(source, Room::default())
    }

    /// The same, with room that another message had.
    pub fn within(source: S, room: Room) -> Message<S> {
        Message { source, room, held: 0, scan: Scan::Running(Box::default(), 0) }
    }

    /// Gives the room back.
    pub fn into_room(self) -> Room {
        self.room
    }

    /// Its structure. The whole message is read once for it.
    pub fn structure(&mut self) -> io::Result<&Structure> {
        self.structure_mut().map(|structure| &*structure)
    }

    pub(crate) fn structure_mut(&mut self) -> io::Result<&mut Structure> {
        while let Scan::Running(..) = self.scan {
            self.advance()?;
        }
        match &mut self.scan {
            Scan::Done(structure) => Ok(structure),
            Scan::Running(..) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The message itself, of which only where its header is may be known. No more is read than the header.
    pub fn header(&mut self) -> io::Result<Part> {
        loop {
            let found = match &self.scan {
                Scan::Running(scanner, _) => scanner.header(),
                Scan::Done(structure) => structure.root(),
            };
            if let Some(part) = found {
                return Ok(*part);
            }
            self.advance()?;
        }
    }

    /// Its length as sent to clients: RFC822.SIZE.
    pub fn size(&mut self) -> io::Result<u64> {
        Ok(self.structure()?.size().wire)
    }

    /// Its length as sent to clients, if it was scanned to its end.
    pub fn known_size(&self) -> Option<u64> {
        match &self.scan {
            Scan::Done(structure) => Some(structure.size().wire),
            Scan::Running(..) => None,
        }
    }

    /// Bytes from this offset in the file on, at most `most`; fewer at the end of what one read gives.
    pub fn bytes(&mut self, offset: u64, most: u64) -> io::Result<&[u8]> {
        let most = usize::try_from(most).unwrap_or(READ).min(READ);
        if let Some(offset) = usize::try_from(offset).ok().filter(|offset| *offset < self.held) {
            let end = offset.saturating_add(most).min(self.held);
            return Ok(self.room.held.get(offset..end).unwrap_or_default());
        }
        let window = grown(&mut self.room.window, READ);
        let count = read(&self.source, window.get_mut(..most).unwrap_or_default(), offset)?;
        Ok(window.get(..count).unwrap_or_default())
    }

    /// Keeps no more than the next piece of a large message needs. True if it is worth keeping.
    pub(crate) fn rest(&mut self) -> bool {
        self.held = 0;
        self.room.held = Vec::new();
        self.known_size().is_some_and(|size| size > HELD as u64)
    }

    /// Scans the next piece.
    fn advance(&mut self) -> io::Result<()> {
        let Scan::Running(scanner, at) = &mut self.scan else { return Ok(()) };
        let wanted = if *at == 0 { FIRST_READ } else { READ };
        let end = self.held + wanted;
        let piece = if *at == self.held as u64 && end <= HELD {
            let held = grown(&mut self.room.held, if end <= FIRST_READ { FIRST_READ } else { HELD });
            let free = held.get_mut(self.held..end).unwrap_or_default();
            let count = read(&self.source, free, *at)?;
            self.held += count;
            free.get(..count)
        } else {
            let window = grown(&mut self.room.window, READ);
            let count = read(&self.source, window, *at)?;
            window.get(..count)
        };
        let piece = piece.unwrap_or_default();
        scanner.push(piece);
        *at += piece.len() as u64;
        if piece.is_empty() {
            self.scan = Scan::Done(std::mem::take(scanner).finish());
        }
        Ok(())
    }
}

/// Room for `length` bytes at least.
fn grown(room: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if room.len() < length {
        room.resize(length, 0);
    }
    room
}

impl Message<File> {
    /// INTERNALDATE in seconds since the epoch: the file's modification time.
    pub fn date(&self) -> io::Result<i64> {
        self.source.metadata().map(|metadata| metadata.mtime())
    }
}

fn read(source: &impl Source, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match source.read_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_without_reading_on() {
        let text = [b"Subject: x\n\n".as_slice(), &[b'y'; 1_000_000]].concat();
        let mut message = Message::new(text.as_slice());
        assert_eq!(message.header().unwrap().body.file, 12);
        assert_eq!(message.held, FIRST_READ);
        assert_eq!(message.size().unwrap(), 1_000_014);
        assert!(message.held <= HELD);
        assert_eq!(message.bytes(0, 7).unwrap(), b"Subject");
        assert_eq!(message.bytes(1_000_010, 100).unwrap(), b"yy");
    }

    #[test]
    fn a_message_without_anything() {
        let mut message = Message::new(b"".as_slice());
        assert_eq!(message.header().unwrap().body.file, 0);
        assert_eq!(message.size().unwrap(), 0);
    }
}
