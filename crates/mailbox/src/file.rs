//! The file of a message, under whatever name it has by now.

use std::fs::File;
use std::io::Read;

use ::message::ToWire;
use maildir::Folder;

use crate::Error;
use crate::mailbox::{Mailbox, position};
use crate::message::{Message, Room};

impl Mailbox {
    /// Open a message. One that is gone is [`Error::Expunged`], never another message's data.
    pub fn open_message(&mut self, number: u32) -> Result<File, Error> {
        self.with_file(position(number).ok_or(Error::BadNumber)?, |folder, name| {
            folder.open_message(name).map(|(file, name)| (file, Some(name)))
        })
    }

    /// A message to read: the one that was kept, or opened anew. It takes the room.
    pub fn take_message(&mut self, number: u32, room: &mut Room) -> Result<Message<File>, Error> {
        let kept = self.reading.take().filter(|(uid, _)| self.uid(number) == Some(*uid));
        match kept {
            Some((_, message)) => Ok(message),
            None => Ok(Message::within(self.open_message(number)?, std::mem::take(room))),
        }
    }

    /// Keeps a large message, if it was scanned: clients that read one in pieces come back for the next.
    pub fn keep_message(&mut self, number: u32, mut message: Message<File>) {
        let uid = self.uid(number).filter(|_| message.rest());
        self.reading = uid.map(|uid| (uid, message));
    }

    /// INTERNALDATE in seconds since the epoch: the file's modification time.
    pub fn internal_date(&mut self, number: u32) -> Result<i64, Error> {
        self.with_file(position(number).ok_or(Error::BadNumber)?, |folder, name| match folder.cur().stat(name)? {
            Some(stat) => Ok((stat.st_mtime, None)),
            None => Err(maildir::Error::Missing(name.to_vec())),
        })
    }

    /// RFC822.SIZE: the length of what BODY[] sends. Measured once a session; a size in the file's name may be wrong.
    pub fn wire_size(&mut self, number: u32) -> Result<u64, Error> {
        let uid = self.uid(number).ok_or(Error::BadNumber)?;
        if let Some(size) = self.sizes.get(&uid) {
            return Ok(*size);
        }
        let mut file = self.open_message(number)?;
        let size = measure(&mut file).map_err(|e| self.read_error(number, &e))?;
        self.note_size(uid, size);
        Ok(size)
    }

    /// The wire size of a message that was read whole.
    pub fn note_size(&mut self, uid: u32, size: u64) {
        self.sizes.insert(uid, size);
    }

    /// A message that could not be read.
    pub fn read_error(&self, number: u32, error: &std::io::Error) -> Error {
        let errno = nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(nix::libc::EIO));
        Error::Files(maildir::Error::System(self.view_name(number), errno))
    }

    fn view_name(&self, number: u32) -> Vec<u8> {
        position(number).map(|at| self.view.file_name(at)).unwrap_or_default()
    }

    /// Do something with the file of a message. Where it is not found the folder is looked at: then it has another
    /// name, or it is gone.
    pub(crate) fn with_file<T>(
        &mut self,
        at: usize,
        mut act: impl FnMut(&Folder, &[u8]) -> maildir::Result<(T, Option<Vec<u8>>)>,
    ) -> Result<T, Error> {
        for round in 0..2 {
            if at >= self.view.len() || self.view.is_gone(at) {
                return Err(Error::Expunged);
            }
            match act(&self.folder, &self.view.file_name(at)) {
                Ok((value, name)) => {
                    self.found(at, name);
                    return Ok(value);
                }
                Err(maildir::Error::Missing(_)) if round == 0 => self.look()?,
                Err(maildir::Error::Missing(_)) => {}
                Err(e) => return Err(e.into()),
            }
        }
        // Not proven gone, and not to be had.
        Err(Error::Expunged)
    }

    /// The message has this name now, and maybe other flags with it.
    fn found(&mut self, at: usize, name: Option<Vec<u8>>) {
        if let Some(name) = name
            && self.view.rename(at, &name)
            && let Some(uid) = self.view.uid(at)
        {
            self.told.note_flags(uid);
        }
    }
}

fn measure(file: &mut File) -> std::io::Result<u64> {
    let mut wire = ToWire::new();
    let mut piece = vec![0; 64 * 1024];
    let mut size = 0u64;
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(size),
            count => size = size.saturating_add(wire.measure(piece.get(..count).unwrap_or_default()).0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expunges;
    use crate::tests::Place;

    #[test]
    fn found_under_another_name_and_told() {
        let place = Place::new();
        place.deliver("1.a");
        let mut mailbox = place.select();
        std::fs::rename(place.path.join("cur/1.a:2,"), place.path.join("cur/1.a:2,S")).unwrap();
        assert!(mailbox.open_message(1).is_ok());
        assert_eq!(mailbox.wire_size(1), Ok(20));
        assert!(mailbox.internal_date(1).unwrap() > 1_000_000_000);
        assert_eq!(mailbox.sync(Expunges::Hold).unwrap().flags, [1]);
    }

    #[test]
    fn gone_is_gone() {
        let place = Place::new();
        place.deliver("1.a");
        let mut mailbox = place.select();
        std::fs::remove_file(place.path.join("cur/1.a:2,")).unwrap();
        assert_eq!(mailbox.open_message(1).map(drop), Err(Error::Expunged));
        assert_eq!(mailbox.open_message(2).map(drop), Err(Error::Expunged));
        assert!(mailbox.is_gone(1) && mailbox.flags(1).is_some());
        assert_eq!(mailbox.sync(Expunges::Report).unwrap().expunged, [1]);
    }

    #[test]
    fn only_regular_files_are_read() {
        let place = Place::new();
        place.deliver("1.a");
        let mut mailbox = place.select();
        std::fs::remove_file(place.path.join("cur/1.a:2,")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", place.path.join("cur/1.a:2,")).unwrap();
        assert!(mailbox.open_message(1).is_err());
    }
}
