//! APPEND: new messages from the wire, in pieces of any size.

use imap::FlagList;
use maildir::{Batch, Folder, Placed};

use crate::Error;
use crate::keywords::check_room;
use crate::line_ends::LineEnds;
use crate::mailbox::to_maildir;
use crate::recent;

/// Messages on their way into a folder. Dropped before [`Append::commit`] it leaves nothing behind.
pub struct Append {
    batch: Batch,
    line_ends: LineEnds,
    disk: Vec<u8>,
}

impl Append {
    /// Begin the first message; `date` is its INTERNALDATE in seconds since the epoch, now where there is none.
    pub fn begin(folder: Folder, date: Option<i64>) -> Result<Append, Error> {
        let mut append = Append { batch: Batch::new(folder), line_ends: LineEnds::default(), disk: Vec::new() };
        append.next(date)?;
        Ok(append)
    }

    /// Begin another message (MULTIAPPEND).
    pub fn next(&mut self, date: Option<i64>) -> Result<(), Error> {
        self.line_ends = LineEnds::default();
        Ok(self.batch.begin(date)?)
    }

    /// Add bytes as they come over the wire.
    pub fn write(&mut self, wire: &[u8]) -> Result<(), Error> {
        self.disk.clear();
        self.line_ends.push(wire, &mut self.disk);
        Ok(self.batch.write(&self.disk)?)
    }

    /// The message is whole: its data is on disk when this returns.
    pub fn finish(&mut self, flags: &FlagList) -> Result<(), Error> {
        self.disk.clear();
        self.line_ends.finish(&mut self.disk);
        self.batch.write(&self.disk)?;
        check_room(self.batch.folder(), flags.keywords.iter().map(Vec::as_slice))?;
        Ok(self.batch.finish(to_maildir(flags.system), &flags.keywords)?)
    }

    /// Place all messages, durably, or none.
    pub fn commit(mut self) -> Result<Placed, Error> {
        let placed = self.batch.commit()?;
        if let Some(first) = placed.uids.first() {
            recent::owe(self.batch.folder(), placed.uid_validity, *first);
        }
        Ok(placed)
    }
}
