//! Which files a folder holds. One pass cannot be believed while somebody renames; this says what can.

use crate::dir::{Dir, FileKind, Stamp};
use crate::error::Result;
use crate::folder::Folder;
use crate::names::{BaseIndex, Names};
use crate::uidtable::UidTable;

/// One look through `new/` and then `cur/`.
#[derive(Debug, Default)]
pub struct Pass {
    /// File names in `new/`.
    pub new: Names,
    /// File names in `cur/`.
    pub cur: Names,
    /// The times of `new/` before it was read.
    pub new_stamp: Stamp,
    /// The times of `cur/` before it was read.
    pub cur_stamp: Stamp,
    /// Nobody changed `cur/` while it was read.
    pub steady: bool,
    /// And its time is old enough that nobody can have without its showing.
    pub undisturbed: bool,
}

impl Pass {
    /// Reads both directories. An error means that nothing is known.
    pub fn read(folder: &Folder) -> Result<Pass> {
        let new_stamp = folder.new.stamp()?;
        let new = files(&folder.new)?;
        let cur_stamp = folder.cur.stamp()?;
        let cur = files(&folder.cur)?;
        let steady = folder.cur.stamp()? == cur_stamp;
        let undisturbed = steady && folder.root().grain().has_passed(cur_stamp);
        Ok(Pass { new, cur, new_stamp, cur_stamp, steady, undisturbed })
    }

    /// Pairs of places in `cur` that have one base name, the earlier first.
    pub(crate) fn twins(&self) -> Vec<(usize, usize)> {
        let mut twins = Vec::new();
        BaseIndex::of(&self.cur, |earlier, later| twins.push((earlier, later)));
        twins
    }
}

/// Somebody who watches `cur/` while it is read (inotify), so that a disturbed pass can prove something too.
pub trait Witness {
    /// Called just before a pass: whether every arrival in `cur/` will be noticed from now on.
    fn begin(&mut self) -> bool;
    /// Called just after: the file names that arrived meanwhile; nothing where events were lost.
    fn arrivals(&mut self) -> Option<Names>;
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Witness for Unwatched {
    fn begin(&mut self) -> bool {
        false
    }
    fn arrivals(&mut self) -> Option<Names> {
        None
    }
}

/// What is known of a message that was known before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Its file was seen in `cur/`: the place for [`Scan::name`].
    At(u32),
    /// Proven gone.
    Gone,
    /// Not seen in `cur/`, and not proven gone: it keeps its UID until the next look.
    Doubtful,
}

/// The result of as many passes as were needed.
#[derive(Debug)]
pub struct Scan {
    /// The last pass.
    pub pass: Pass,
    /// What became of each known base name, in their order.
    pub known: Vec<Presence>,
    /// File names that an earlier pass saw and the last one missed.
    missed: Names,
}

impl Scan {
    /// The file name at a place.
    pub fn name(&self, at: u32) -> &[u8] {
        let at = at as usize;
        match at.checked_sub(self.pass.cur.len()) {
            Some(at) => self.missed.get(at),
            None => self.pass.cur.get(at),
        }
    }

    /// The same scan with the names that were given UIDs after it: they stand at the end of `table`.
    pub(crate) fn with_added(mut self, table: &UidTable) -> Scan {
        let index = BaseIndex::of(&self.pass.cur, |_, _| {});
        for base in table.bases().iter().skip(self.known.len()) {
            let at = index.find(&self.pass.cur, base);
            self.known.push(at.map_or(Presence::Doubtful, |at| Presence::At(at as u32)));
        }
        self
    }

    /// All names, at the places that [`Presence::At`] means.
    pub(crate) fn into_names(self) -> Result<Names> {
        let mut names = self.pass.cur;
        for name in self.missed.iter() {
            names.push(name)?;
        }
        Ok(names)
    }

    /// Whether the last pass alone proves what the folder holds, at the times it carries.
    pub fn is_proof(&self) -> bool {
        self.pass.undisturbed && self.missed.is_empty() && !self.known.contains(&Presence::Doubtful)
    }
}

const PASSES: usize = 3;

/// Reads the folder until every known base name is seen or proven gone, in three passes at most.
///
/// A name is gone only after two passes without it, one of them undisturbed, or watched without its arriving: a live
/// file can be missed only if it was renamed during the pass.
pub fn scan(folder: &Folder, known: &Names, witness: &mut dyn Witness) -> Result<Scan> {
    let mut looks: Vec<Look> = Vec::new();
    loop {
        looks.push(Look::take(folder, witness)?);
        let settled = looks.last().is_some_and(|look| look.pass.steady)
            && known.iter().all(|base| looks.iter().any(|look| look.sees(base)) || is_gone(&looks, base));
        if settled || looks.len() == PASSES {
            return Ok(conclude(looks, known));
        }
    }
}

struct Look {
    pass: Pass,
    cur: BaseIndex,
    new: BaseIndex,
    arrivals: Option<(Names, BaseIndex)>,
}

impl Look {
    fn take(folder: &Folder, witness: &mut dyn Witness) -> Result<Look> {
        let watched = witness.begin();
        let pass = Pass::read(folder)?;
        let arrivals = if watched { witness.arrivals() } else { None };
        let arrivals = arrivals.map(|names| {
            let index = BaseIndex::of(&names, |_, _| {});
            (names, index)
        });
        let (cur, new) = (BaseIndex::of(&pass.cur, |_, _| {}), BaseIndex::of(&pass.new, |_, _| {}));
        Ok(Look { pass, cur, new, arrivals })
    }

    fn sees(&self, base: &[u8]) -> bool {
        self.cur.find(&self.pass.cur, base).is_some() || self.new.find(&self.pass.new, base).is_some()
    }

    /// Whether this pass, not having seen the name, proves anything about it.
    fn can_tell(&self, base: &[u8]) -> bool {
        let watched = || self.arrivals.as_ref().is_some_and(|(names, index)| index.find(names, base).is_none());
        self.pass.undisturbed || watched()
    }
}

fn is_gone(looks: &[Look], base: &[u8]) -> bool {
    let mut absent = looks.iter().filter(|look| !look.sees(base)).peekable();
    absent.peek().is_some()
        && looks.len() >= 2
        && absent.clone().count() == looks.len()
        && absent.any(|look| look.can_tell(base))
}

fn conclude(mut looks: Vec<Look>, known: &Names) -> Scan {
    let mut missed = Names::new();
    let mut presence = Vec::with_capacity(known.len());
    for base in known.iter() {
        presence.push(place(&looks, base, &mut missed));
    }
    // There was at least one look.
    let pass = looks.pop().map_or_else(Pass::default, |look| look.pass);
    Scan { pass, known: presence, missed }
}

fn place(looks: &[Look], base: &[u8], missed: &mut Names) -> Presence {
    for (age, look) in looks.iter().rev().enumerate() {
        let Some(at) = look.cur.find(&look.pass.cur, base) else { continue };
        if age == 0 {
            return Presence::At(at as u32);
        }
        let last = looks.last().map_or(0, |last| last.pass.cur.len());
        if missed.push(look.pass.cur.get(at)).is_ok() {
            return Presence::At((last + missed.len() - 1) as u32);
        }
    }
    if is_gone(looks, base) { Presence::Gone } else { Presence::Doubtful }
}

/// The names of what may be message files; hidden names are other programs' business.
fn files(dir: &Dir) -> Result<Names> {
    let mut names = Names::new();
    dir.list(|name, kind| if kind == FileKind::File && !name.starts_with(b".") { names.push(name) } else { Ok(()) })?;
    Ok(names)
}
