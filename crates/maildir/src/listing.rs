//! A folder's messages with their UIDs: the one place where UIDs are given.

use crate::dir::Stamp;
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::lock::FolderLock;
use crate::message_name::{Flags, MessageName, base_of};
use crate::names::Names;
use crate::scan::{Presence, Scan, Unwatched, Witness, scan};
use crate::takeover::take_over;
use crate::uidtable::{self, Saved, UidTable, Verdict};
use crate::{uidvalidity, unique};

/// The messages of a folder in the order of their UIDs, in little more memory than their names.
#[derive(Debug)]
pub struct Listing {
    /// The folder's UIDVALIDITY.
    pub uid_validity: u32,
    /// Above every UID shown.
    pub uid_next: u32,
    /// UIDs from here on were given by this very look: the session that took it has these messages as recent.
    pub recent_from: u32,
    /// Messages on disk that are not shown because their UIDs could not be saved.
    pub hidden: usize,
    /// Why they are hidden.
    pub trouble: Option<Error>,
    /// Why the UID table was set aside and all messages have new UIDs, where that happened. It belongs into the log.
    pub damage: Option<&'static str>,
    /// UIDs by the clock, saved nowhere: a folder without a table that cannot be written.
    pub provisional: bool,
    /// Names that stand for messages not seen this time and not proven gone: base names, without flags.
    doubtful: usize,
    uids: Vec<u32>,
    /// For each message the place of its name.
    places: Vec<u32>,
    names: Names,
    /// Times at which this listing is proven, if it is.
    pub proof: Option<Proof>,
}

/// While these have not changed, neither has the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The times of `cur/`.
    pub cur: Stamp,
    /// The times of `new/`.
    pub new: Stamp,
    /// The UID table's.
    pub table: Stamp,
}

/// One message of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its UID.
    pub uid: u32,
    /// Its file name in `cur/`; only the base name where `seen` is false.
    pub name: &'a [u8],
    /// False where the file was not seen this time and is not proven gone: flags are as they were.
    pub seen: bool,
}

/// The numbers of a folder that nobody opened (`STATUS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All messages.
    pub messages: u32,
    /// Those that nobody was shown yet.
    pub recent: u32,
    /// Those without the seen flag.
    pub unseen: u32,
    /// Those with the deleted flag.
    pub deleted: u32,
    /// The UID that comes after all of them.
    pub uid_next: u32,
    /// The folder's UIDVALIDITY.
    pub uid_validity: u32,
    /// UIDs from here on were given by this very look: the folder had no table.
    pub given_from: Option<u32>,
}

impl Listing {
    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.uids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.uids.is_empty()
    }

    /// All UIDs, ascending.
    pub fn uids(&self) -> &[u32] {
        &self.uids
    }

    /// The message at a place (sequence number less one).
    pub fn get(&self, at: usize) -> Option<Entry<'_>> {
        let (uid, place) = self.uids.get(at).zip(self.places.get(at))?;
        let place = *place as usize;
        Some(Entry { uid: *uid, name: self.names.get(place), seen: place < self.names.len() - self.doubtful })
    }

    /// All messages in order.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// Puts a table and a scan together. Files that have no line in the table are counted as hidden.
    fn of(table: &UidTable, found: Scan) -> Result<Listing> {
        let mut listing = Listing {
            uid_validity: table.uid_validity,
            uid_next: table.uid_next,
            recent_from: table.uid_next,
            hidden: 0,
            trouble: None,
            damage: None,
            provisional: false,
            doubtful: 0,
            uids: Vec::with_capacity(table.len()),
            places: Vec::with_capacity(table.len()),
            names: Names::new(),
            proof: None,
        };
        if found.is_proof() {
            listing.proof = Some(Proof { cur: found.pass.cur_stamp, new: found.pass.new_stamp, table: table.stamp() });
        }
        let mut doubtful = Vec::new();
        for (at, presence) in found.known.iter().enumerate() {
            let uid = table.uids().get(at).copied().unwrap_or(0);
            match presence {
                Presence::Gone => continue,
                Presence::At(place) => listing.places.push(*place),
                Presence::Doubtful => {
                    doubtful.push(at);
                    listing.places.push(u32::MAX);
                }
            }
            listing.uids.push(uid);
        }
        listing.take_names(table, found, &doubtful)?;
        Ok(listing)
    }

    fn take_names(&mut self, table: &UidTable, found: Scan, doubtful: &[usize]) -> Result<()> {
        self.names = found.into_names()?;
        let mut next = self.names.len() as u32;
        for &at in doubtful {
            self.names.push(table.bases().get(at))?;
        }
        for place in self.places.iter_mut().filter(|place| **place == u32::MAX) {
            *place = next;
            next += 1;
        }
        self.doubtful = doubtful.len();
        Ok(())
    }
}

/// How often all is read again where another program keeps replacing the table.
const ATTEMPTS: usize = 5;

impl Folder {
    /// Opens the folder's messages: moves what was delivered from `new/` to `cur/` and gives UIDs to what has none.
    ///
    /// Where that cannot be done the old messages are shown, the others are hidden, and `trouble` says why.
    pub fn list(&self) -> Result<Listing> {
        self.list_watched(&mut Unwatched)
    }

    /// The same, with somebody watching `cur/`.
    pub fn list_watched(&self, witness: &mut dyn Witness) -> Result<Listing> {
        if let Some(listing) = self.list_unchanged(witness)? {
            return Ok(listing);
        }
        match self.list_locked(witness) {
            Ok(listing) => Ok(listing),
            Err(trouble) => self.list_old(witness, trouble),
        }
    }

    /// Where nothing is new nothing need be locked.
    fn list_unchanged(&self, witness: &mut dyn Witness) -> Result<Option<Listing>> {
        let Verdict::Sound(table) = uidtable::read(self)? else { return Ok(None) };
        if table.is_ragged() || self.has_new()? {
            return Ok(None);
        }
        let found = scan(self, table.bases(), witness)?;
        if !found.pass.new.is_empty() || !found.strangers.is_empty() || self.has_twins(&found)? {
            return Ok(None);
        }
        Listing::of(&table, found).map(Some)
    }

    fn list_locked(&self, witness: &mut dyn Witness) -> Result<Listing> {
        let _lock = FolderLock::take(self)?;
        let mut damage = None;
        for _ in 0..ATTEMPTS {
            let (mut table, found_damaged) = self.table_or_damage()?;
            damage = damage.or(found_damaged);
            self.move_new()?;
            let mut found = scan(self, table.bases(), witness)?;
            if self.part_twins(&found)? | self.rename_unspeakable(&found)? {
                continue;
            }
            let first = table.uid_next;
            for &at in &found.strangers {
                table.add(base_of(found.pass.cur.get(at)))?;
            }
            if is_stale(&found) {
                let known = std::mem::take(&mut found.known);
                table.retain(|at| known.get(at) != Some(&Presence::Gone));
                found.known = known.into_iter().filter(|presence| *presence != Presence::Gone).collect();
            }
            if table.save(self)? == Saved::Yes {
                let mut listing = Listing::of(&table, found.adopt())?;
                listing.recent_from = first;
                listing.damage = damage;
                return Ok(listing);
            }
        }
        Err(Error::InUse(self.dir.path_of(uidtable::FILE)))
    }

    /// What can be shown although nothing can be written.
    fn list_old(&self, witness: &mut dyn Witness, trouble: Error) -> Result<Listing> {
        let (mut table, provisional) = match uidtable::read(self)? {
            Verdict::Sound(table) => (table, false),
            _ if trouble.is_read_only() => (UidTable::new(uidvalidity::provisional()), true),
            _ => return Err(trouble),
        };
        let found = scan(self, table.bases(), witness)?;
        if provisional {
            for &at in &found.strangers {
                table.add(base_of(found.pass.cur.get(at)))?;
            }
            let mut listing = Listing::of(&table, found.adopt())?;
            listing.provisional = true;
            return Ok(listing);
        }
        let hidden = found.strangers.len() + found.pass.new.len();
        let mut listing = Listing::of(&table, found)?;
        listing.hidden = hidden;
        listing.trouble = Some(trouble);
        Ok(listing)
    }

    /// The table to add to, made where there is none, under the lock.
    pub(crate) fn table_to_write(&self) -> Result<UidTable> {
        self.table_or_damage().map(|(table, _)| table)
    }

    /// The same, with the reason where a damaged one was set aside.
    fn table_or_damage(&self) -> Result<(UidTable, Option<&'static str>)> {
        let damage = match uidtable::read(self)? {
            Verdict::Sound(table) => return Ok((table, None)),
            Verdict::Missing => None,
            Verdict::Damaged(why) => {
                let aside = format!("daisychain-damaged.{}", unique::now().0);
                self.dir.rename(uidtable::FILE, &self.dir, aside.as_bytes())?;
                Some(why)
            }
        };
        match take_over(self)?.filter(|_| damage.is_none()) {
            Some(table) => Ok((table, None)),
            None => Ok((UidTable::new(uidvalidity::next(self.root(), 0)?), damage)),
        }
    }

    /// Takes their UIDs (ascending) from messages: each gets a new one at the next look. For files that came back under their old
    /// names after the client was told that they are gone.
    pub fn renew(&self, uids: &[u32]) -> Result<()> {
        let _lock = FolderLock::take(self)?;
        for _ in 0..ATTEMPTS {
            let mut table = self.table_to_write()?;
            let places: Vec<bool> = table.uids().iter().map(|uid| uids.binary_search(uid).is_err()).collect();
            table.retain(|at| places.get(at).copied().unwrap_or(true));
            if table.save(self)? == Saved::Yes {
                return Ok(());
            }
        }
        Err(Error::InUse(self.dir.path_of(uidtable::FILE)))
    }

    /// The folder's numbers, without touching anything that another session would notice. Only a folder that has no
    /// UID table yet is opened as [`Folder::list`] opens it.
    pub fn counts(&self) -> Result<Counts> {
        self.counts_with(|_| None)
    }

    /// The same; `recent_from` says for the folder's UIDVALIDITY from which UID on no session has taken the messages.
    pub fn counts_with(&self, recent_from: impl FnOnce(u32) -> Option<u32>) -> Result<Counts> {
        let table = match uidtable::read(self)? {
            Verdict::Sound(table) => table,
            _ => {
                let listing = self.list()?;
                let recent = listing.uids().iter().filter(|&&uid| uid >= listing.recent_from).count();
                let mut counts =
                    Counts { uid_next: listing.uid_next, uid_validity: listing.uid_validity, ..Counts::default() };
                listing.iter().for_each(|entry| counts.add(entry.name));
                counts.recent = recent as u32;
                counts.given_from = Some(listing.recent_from);
                return Ok(counts);
            }
        };
        let found = scan(self, table.bases(), &mut Unwatched)?;
        let mut counts = Counts { uid_validity: table.uid_validity, ..Counts::default() };
        found.strangers.iter().for_each(|&at| counts.add(found.pass.cur.get(at)));
        found.pass.new.iter().for_each(|name| counts.add(name));
        counts.recent = counts.messages;
        counts.uid_next = table.uid_next.saturating_add(counts.recent);
        let recent_from = recent_from(table.uid_validity).unwrap_or(u32::MAX);
        for (at, presence) in found.known.iter().enumerate() {
            match presence {
                Presence::At(place) => counts.add(found.name(*place)),
                Presence::Doubtful => counts.add(table.bases().get(at)),
                Presence::Gone => continue,
            }
            let recent = table.uids().get(at).is_some_and(|&uid| uid >= recent_from);
            counts.recent = counts.recent.saturating_add(u32::from(recent));
        }
        Ok(counts)
    }
}

impl Counts {
    fn add(&mut self, name: &[u8]) {
        let flags = MessageName::parse(name).flags();
        self.messages = self.messages.saturating_add(1);
        self.unseen = self.unseen.saturating_add(u32::from(!flags.contains(Flags::SEEN)));
        self.deleted = self.deleted.saturating_add(u32::from(flags.contains(Flags::TRASHED)));
    }
}

/// Whether so many lines are stale that the table is better written anew.
fn is_stale(found: &Scan) -> bool {
    let gone = found.known.iter().filter(|presence| **presence == Presence::Gone).count();
    gone * 4 > found.known.len()
}
