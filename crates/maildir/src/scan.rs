//! Which files a folder holds. One pass cannot be believed while somebody renames; this says what can.

use crate::dir::{Dir, FileKind, Stamp};
use crate::error::Result;
use crate::folder::Folder;
use crate::message_name::delivery_order;
use crate::names::{BaseIndex, Names};

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
    /// Places in the last pass of files that are not known, in the order in which they get UIDs.
    pub strangers: Vec<usize>,
    /// Pairs of places in the last pass that have one base name, the earlier first.
    pub twins: Vec<(usize, usize)>,
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

    /// The strangers are known from now on, in their order.
    pub(crate) fn adopt(mut self) -> Scan {
        self.known.extend(self.strangers.drain(..).map(|at| Presence::At(at as u32)));
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
        self.pass.undisturbed
            && self.pass.new.is_empty()
            && self.missed.is_empty()
            && !self.known.contains(&Presence::Doubtful)
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
        looks.push(Look::take(folder, known, witness)?);
        let settled = looks.last().is_some_and(|look| look.pass.steady)
            && (0..known.len()).all(|at| fate(&looks, known, at) != Fate::Open);
        if settled || looks.len() == PASSES {
            return conclude(looks, known);
        }
    }
}

/// One pass, held against what is known.
struct Look {
    pass: Pass,
    /// For each known base name its place in `pass.cur`, or `ABSENT`.
    places: Vec<u32>,
    twins: Vec<(usize, usize)>,
    new: BaseIndex,
    arrivals: Option<(Names, BaseIndex)>,
}

const ABSENT: u32 = u32::MAX;

impl Look {
    fn take(folder: &Folder, known: &Names, witness: &mut dyn Witness) -> Result<Look> {
        let watched = witness.begin();
        let pass = Pass::read(folder)?;
        let arrivals = if watched { witness.arrivals() } else { None };
        let arrivals = arrivals.map(|names| {
            let index = BaseIndex::of(&names, |_, _| {});
            (names, index)
        });
        let mut twins = Vec::new();
        let cur = BaseIndex::of(&pass.cur, |earlier, later| twins.push((earlier, later)));
        let places = known.iter().map(|base| cur.find(&pass.cur, base).map_or(ABSENT, |at| at as u32)).collect();
        let new = BaseIndex::of(&pass.new, |_, _| {});
        Ok(Look { pass, places, twins, new, arrivals })
    }

    fn place(&self, at: usize) -> Option<u32> {
        self.places.get(at).copied().filter(|&place| place != ABSENT)
    }

    /// Whether this pass, not having seen the name, proves anything about it.
    fn can_tell(&self, base: &[u8]) -> bool {
        let watched = || self.arrivals.as_ref().is_some_and(|(names, index)| index.find(names, base).is_none());
        self.pass.undisturbed || watched()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// In `cur/`, by the pass of this number and at this place.
    Seen(usize, u32),
    /// On its way, in `new/`.
    Coming,
    Gone,
    Open,
}

fn fate(looks: &[Look], known: &Names, at: usize) -> Fate {
    if let Some((pass, place)) = looks.iter().enumerate().rev().find_map(|(pass, look)| Some((pass, look.place(at)?))) {
        return Fate::Seen(pass, place);
    }
    let base = known.get(at);
    if looks.iter().any(|look| look.new.find(&look.pass.new, base).is_some()) {
        return Fate::Coming;
    }
    if looks.len() >= 2 && looks.iter().any(|look| look.can_tell(base)) { Fate::Gone } else { Fate::Open }
}

fn conclude(looks: Vec<Look>, known: &Names) -> Result<Scan> {
    let last = looks.len().saturating_sub(1);
    let count = looks.last().map_or(0, |look| look.pass.cur.len());
    let mut claimed = vec![false; count];
    let mut missed = Names::new();
    let mut presence = Vec::with_capacity(known.len());
    for at in 0..known.len() {
        presence.push(match fate(&looks, known, at) {
            Fate::Seen(pass, place) if pass == last => match claimed.get_mut(place as usize) {
                Some(claim) if !*claim => {
                    *claim = true;
                    Presence::At(place)
                }
                // A second line of the same name: the first, with the lower UID, has the file.
                _ => Presence::Gone,
            },
            Fate::Seen(pass, place) => {
                missed.push(looks.get(pass).map_or(b"", |look| look.pass.cur.get(place as usize)))?;
                Presence::At((count + missed.len() - 1) as u32)
            }
            Fate::Gone => Presence::Gone,
            Fate::Coming | Fate::Open => Presence::Doubtful,
        });
    }
    let (pass, twins) = looks.into_iter().next_back().map(|look| (look.pass, look.twins)).unwrap_or_default();
    // Of two names of one base the later is the one that was looked up.
    twins.iter().for_each(|&(earlier, _)| claimed.iter_mut().skip(earlier).take(1).for_each(|claim| *claim = true));
    let mut strangers: Vec<usize> = (0..count).filter(|&at| claimed.get(at) == Some(&false)).collect();
    strangers.sort_by(|&a, &b| delivery_order(pass.cur.get(a), pass.cur.get(b)));
    Ok(Scan { pass, known: presence, strangers, twins, missed })
}

/// The names of what may be message files; hidden names are other programs' business.
fn files(dir: &Dir) -> Result<Names> {
    let mut names = Names::new();
    dir.list(|name, kind| if kind == FileKind::File && !name.starts_with(b".") { names.push(name) } else { Ok(()) })?;
    Ok(names)
}
