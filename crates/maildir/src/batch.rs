//! New messages: written to `tmp/`, then placed all together or not at all, with their UIDs.

use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::keywords;
use crate::lock::FolderLock;
use crate::message_name::{Flags, MessageName, base_of};
use crate::quota::{self, Usage};
use crate::root::Durable;
use crate::uidtable::{self, Saved, Verdict, read};
use crate::unique;
use nix::sys::stat::futimens;
use nix::sys::time::TimeSpec;
use std::fs::File;
use std::io::Write;

/// How often the UID table is read again where another program keeps replacing it.
const ATTEMPTS: usize = 5;

/// Messages on their way into one folder (APPEND, COPY, delivery).
///
/// Dropped before [`Batch::commit`] it leaves nothing behind.
#[derive(Debug)]
pub struct Batch {
    folder: Folder,
    open: Option<Draft>,
    ready: Vec<Ready>,
    /// How many of them are second links to files of others.
    copies: usize,
}

/// A message that is being written.
#[derive(Debug)]
struct Draft {
    file: File,
    temporary: Vec<u8>,
    date: Option<i64>,
    size: u64,
}

/// A message whose data is on disk, in `tmp/`.
#[derive(Debug)]
struct Ready {
    temporary: Vec<u8>,
    base: Vec<u8>,
    flags: Vec<u8>,
    keywords: Vec<Vec<u8>>,
    size: u64,
}

/// What a batch became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The folder's UIDVALIDITY.
    pub uid_validity: u32,
    /// The UIDs, in the order in which the messages were added.
    pub uids: Vec<u32>,
    /// Their file names in `cur/`.
    pub names: Vec<Vec<u8>>,
}

impl Batch {
    /// A batch for a folder.
    pub fn new(folder: Folder) -> Batch {
        Batch { folder, open: None, ready: Vec::new(), copies: 0 }
    }

    /// The folder it goes to.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// How many messages are complete.
    pub fn len(&self) -> usize {
        self.ready.len()
    }

    /// Whether none is complete.
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// Begins a message; `date` is its internal date in seconds since the epoch, now where there is none.
    pub fn begin(&mut self, date: Option<i64>) -> Result<()> {
        self.abandon();
        let temporary = unique::temporary_name(&self.folder.root().settings().host);
        let file = self.folder.tmp.create(&temporary)?;
        self.open = Some(Draft { file, temporary, date, size: 0 });
        Ok(())
    }

    /// Adds bytes to the message begun last, as they are to stand on disk.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(draft) = &mut self.open else { return Err(Error::Refused(Vec::new(), "no message was begun")) };
        draft.size = draft.size.saturating_add(bytes.len() as u64);
        draft.file.write_all(bytes).map_err(|e| self.folder.tmp.failed_io(&draft.temporary, &e))
    }

    /// How many bytes the message has so far.
    pub fn written(&self) -> u64 {
        self.open.as_ref().map_or(0, |draft| draft.size)
    }

    /// Ends the message: its data is on disk when this returns.
    pub fn finish(&mut self, flags: Flags, keywords: &[Vec<u8>]) -> Result<()> {
        let Some(draft) = self.open.take() else { return Err(Error::Refused(Vec::new(), "no message was begun")) };
        let (temporary, size) = (draft.temporary.clone(), draft.size);
        let base = self.seal(draft).inspect_err(|_| drop(self.folder.tmp.unlink(&temporary)))?;
        let name = MessageName::parse(&base).with_flags(flags);
        let flags = name.get(base.len()..).unwrap_or(b"").to_vec();
        self.ready.push(Ready { temporary, base, flags, keywords: keywords.to_vec(), size });
        Ok(())
    }

    fn seal(&self, draft: Draft) -> Result<Vec<u8>> {
        let failed = |errno| self.folder.tmp.failed(&draft.temporary, errno);
        if let Some(date) = draft.date {
            let time = TimeSpec::new(date, 0);
            futimens(&draft.file, &time, &time).map_err(failed)?;
        }
        if self.is_durable() {
            draft.file.sync_all().map_err(|e| self.folder.tmp.failed_io(&draft.temporary, &e))?;
        }
        let stat = nix::sys::stat::fstat(&draft.file).map_err(failed)?;
        // A network file system reports here what it could not write.
        nix::unistd::close(draft.file).map_err(failed)?;
        let host = &self.folder.root().settings().host;
        Ok(unique::message_base(host, stat.st_dev, stat.st_ino, Some(draft.size)))
    }

    /// Adds a message of another folder, or of this one, by a second link to its file where that can be, else by copy.
    pub fn add_copy(&mut self, from: &Folder, name: &[u8], keywords: &[Vec<u8>]) -> Result<()> {
        self.add_copy_without(from, name, keywords, Flags::NONE)
    }

    /// The same, without some of its flags.
    pub fn add_copy_without(&mut self, from: &Folder, name: &[u8], keywords: &[Vec<u8>], without: Flags) -> Result<()> {
        let (file, name) = from.open_message(name)?;
        let failed = |e: std::io::Error| from.cur.failed_io(&name, &e);
        let stat = nix::sys::stat::fstat(&file).map_err(|e| from.cur.failed(&name, e))?;
        // Its deliverer may not have synced it. Many are synced together in the end.
        self.copies = self.copies.saturating_add(1);
        if self.copies <= keywords::FEW && self.is_durable() {
            file.sync_all().map_err(failed)?;
        }
        let temporary = unique::temporary_name(&self.folder.root().settings().host);
        if stat.st_uid == nix::unistd::geteuid().as_raw() && from.cur.link(&name, &self.folder.tmp, &temporary).is_ok()
        {
            let size = u64::try_from(stat.st_size).unwrap_or(0);
            let host = &self.folder.root().settings().host;
            let base = unique::message_base(host, stat.st_dev, stat.st_ino, Some(size));
            let parsed = MessageName::parse(&name);
            let kept = parsed.with_flags(parsed.flags() & !without);
            let flags = kept.get(base_of(&name).len()..).unwrap_or(b":2,").to_vec();
            self.ready.push(Ready { temporary, base, flags, keywords: keywords.to_vec(), size });
            return Ok(());
        }
        self.copy_bytes(from, file, &name, stat.st_mtime, keywords, without)
    }

    fn copy_bytes(
        &mut self,
        from: &Folder,
        mut file: File,
        name: &[u8],
        date: i64,
        keywords: &[Vec<u8>],
        without: Flags,
    ) -> Result<()> {
        use std::io::Read;
        self.begin(Some(date))?;
        let mut piece = vec![0; 64 * 1024];
        loop {
            let count = file.read(&mut piece).map_err(|e| from.cur.failed_io(name, &e))?;
            if count == 0 {
                return self.finish(MessageName::parse(name).flags() & !without, keywords);
            }
            self.write(piece.get(..count).unwrap_or(b""))?;
        }
    }

    /// Places all messages in `cur/` with their flags, keywords and UIDs: all of them, on disk, or none.
    pub fn commit(&mut self) -> Result<Placed> {
        self.abandon();
        let ready = std::mem::take(&mut self.ready);
        let usage = self.usage(&ready);
        let unsynced = std::mem::take(&mut self.copies) > keywords::FEW && self.is_durable();
        let placed = self.admit(usage, unsynced).and_then(|()| self.place_or_take_back(&ready));
        match placed {
            // Counted anew by itself where this fails.
            Ok(_) => drop(quota::add(self.folder.root(), usage)),
            Err(_) => ready.iter().for_each(|message| drop(self.folder.tmp.unlink(&message.temporary))),
        }
        placed
    }

    /// Whether the messages may come, and whether what is there already has its UIDs: it comes first.
    fn admit(&self, usage: Usage, unsynced: bool) -> Result<()> {
        quota::check(self.folder.root(), usage)?;
        if unsynced {
            nix::unistd::syncfs(&self.folder.tmp).map_err(|e| self.folder.tmp.failed(b"", e))?;
        }
        if matches!(read(&self.folder)?, Verdict::Sound(_)) {
            return Ok(());
        }
        self.folder.list()?.trouble.map_or(Ok(()), Err)
    }

    /// Everything under the folder's lock: nobody sees, and gives a UID to, what is taken back.
    fn place_or_take_back(&self, ready: &[Ready]) -> Result<Placed> {
        let _lock = FolderLock::take(&self.folder)?;
        let mut names = Vec::with_capacity(ready.len());
        match self.place(ready, &mut names).and_then(|()| self.number(ready)) {
            Ok((uid_validity, uids)) => Ok(Placed { uid_validity, uids, names }),
            Err(e) => {
                names.iter().for_each(|name| drop(self.folder.cur.unlink(name)));
                Err(e)
            }
        }
    }

    /// Gives the messages their names in `cur/`.
    fn place(&self, ready: &[Ready], names: &mut Vec<Vec<u8>>) -> Result<()> {
        self.place_keywords(ready)?;
        for message in ready {
            let name = [message.base.as_slice(), &message.flags].concat();
            self.folder.tmp.rename_new(&message.temporary, &self.folder.cur, &name)?;
            names.push(name);
        }
        if self.is_durable() { self.folder.cur.sync() } else { Ok(()) }
    }

    /// Gives the messages their UIDs.
    fn number(&self, ready: &[Ready]) -> Result<(u32, Vec<u32>)> {
        for _ in 0..ATTEMPTS {
            let mut table = self.folder.table_to_write()?;
            let mut uids = Vec::with_capacity(ready.len());
            // A program without the lock may have found the files before us.
            for known in table.uids_of(ready.iter().map(|message| message.base.as_slice())) {
                let base = ready.get(uids.len()).map_or(b"".as_slice(), |message| &message.base);
                uids.push(known.map_or_else(|| table.add(base), Ok)?);
            }
            if table.save(&self.folder)? == Saved::Yes {
                return Ok((table.uid_validity, uids));
            }
        }
        Err(Error::InUse(self.folder.dir.path_of(uidtable::FILE)))
    }

    /// Keywords come before their messages: whoever sees the one sees the other.
    fn place_keywords(&self, ready: &[Ready]) -> Result<()> {
        let mut wordy = ready.iter().filter(|message| !message.keywords.is_empty()).peekable();
        if wordy.peek().is_none() {
            return Ok(());
        }
        let mut changes = keywords::Changes::begin(&self.folder)?;
        for message in wordy {
            changes.add(&message.base, &message.keywords)?;
        }
        changes.commit().map(drop)?;
        keywords::sync(&self.folder)
    }

    fn is_durable(&self) -> bool {
        self.folder.root().settings().durable >= Durable::Append
    }

    /// What the messages will count in the quota.
    fn usage(&self, ready: &[Ready]) -> Usage {
        let counted = |message: &&Ready| quota::counts(self.folder.name()) && !message.flags.contains(&b'T');
        ready.iter().filter(counted).fold(Usage::default(), |sum, message| sum.plus(Usage::of(message.size)))
    }

    fn abandon(&mut self) {
        if let Some(draft) = self.open.take() {
            let _ = self.folder.tmp.unlink(&draft.temporary);
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.abandon();
        for message in &self.ready {
            let _ = self.folder.tmp.unlink(&message.temporary);
        }
    }
}
