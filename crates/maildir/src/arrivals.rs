//! What arrives in a folder: deliveries move from `new/` to `cur/`, and each file gets a name of its own.
//!
//! All of it happens under the folder's lock.

use crate::dir::{Dir, FileKind};
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::message_name::base_of;
use crate::names::Names;
use crate::scan::Scan;
use crate::unique;

/// A base name beyond this leaves no room for flags in the 255 bytes that a file name may have.
const LONG: usize = 240;

impl Folder {
    /// Whether anything waits in `new/`.
    pub fn has_new(&self) -> Result<bool> {
        let mut any = false;
        self.new.list(|name, kind| {
            any |= kind == FileKind::File && !name.starts_with(b".");
            Ok(())
        })?;
        Ok(any)
    }

    /// Moves all deliveries to `cur/` and makes the move durable.
    pub(crate) fn move_new(&self) -> Result<()> {
        let mut names = Names::new();
        self.new.list(
            |name, kind| {
                if kind == FileKind::File && !name.starts_with(b".") { names.push(name) } else { Ok(()) }
            },
        )?;
        for name in names.iter() {
            self.move_one(name)?;
        }
        if names.is_empty() { Ok(()) } else { self.cur.sync() }
    }

    fn move_one(&self, name: &[u8]) -> Result<()> {
        if is_unspeakable(name) {
            return self.rename_afresh(&self.new, name);
        }
        let to = if name.contains(&b':') { name.to_vec() } else { [name, b":2,"].concat() };
        match self.new.rename_new(name, &self.cur, &to) {
            Err(Error::Exists(_)) => self.settle_twin(name, &to),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// A file in both directories is one message; two files of one name are two.
    fn settle_twin(&self, name: &[u8], to: &[u8]) -> Result<()> {
        let (Some(here), Some(there)) = (self.new.stat(name)?, self.cur.stat(to)?) else { return Ok(()) };
        if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino) {
            return self.new.unlink(name).map(drop);
        }
        self.rename_afresh(&self.new, name)
    }

    /// Whether two files of one base name stand in `cur/` at once. (One file renamed during a pass is listed twice too.)
    pub(crate) fn has_twins(&self, found: &Scan) -> Result<bool> {
        for (earlier, later) in &found.twins {
            if self.cur.stat(found.pass.cur.get(*earlier))?.is_some()
                && self.cur.stat(found.pass.cur.get(*later))?.is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Of two names of one file the one with fewer flags goes; of two files the younger gets another base name.
    /// True where anything was changed.
    pub(crate) fn part_twins(&self, found: &Scan) -> Result<bool> {
        let mut changed = false;
        for (earlier, later) in &found.twins {
            let (a, b) = (found.pass.cur.get(*earlier), found.pass.cur.get(*later));
            let (Some(a_stat), Some(b_stat)) = (self.cur.stat(a)?, self.cur.stat(b)?) else { continue };
            if (a_stat.st_dev, a_stat.st_ino) == (b_stat.st_dev, b_stat.st_ino) {
                self.cur.unlink(if a.len() < b.len() { a } else { b })?;
            } else {
                let a_is_younger = (a_stat.st_mtime, a_stat.st_mtime_nsec) > (b_stat.st_mtime, b_stat.st_mtime_nsec);
                self.rename_afresh(&self.cur, if a_is_younger { a } else { b })?;
            }
            changed = true;
        }
        Ok(changed)
    }

    /// Renames files whose base names no line of the UID table can hold. True where there was one.
    pub(crate) fn rename_unspeakable(&self, found: &Scan) -> Result<bool> {
        let mut changed = false;
        for &at in found.strangers.iter().filter(|at| is_unspeakable(found.pass.cur.get(**at))) {
            self.rename_afresh(&self.cur, found.pass.cur.get(at))?;
            changed = true;
        }
        Ok(changed)
    }

    /// Moves a file to `cur/` under a new base name, its flags kept.
    fn rename_afresh(&self, from: &Dir, name: &[u8]) -> Result<()> {
        let Some(stat) = from.stat(name)? else { return Ok(()) };
        let base = unique::message_base(&self.root().settings().host, stat.st_dev, stat.st_ino, None);
        let flags = name.get(base_of(name).len()..).filter(|flags| !flags.is_empty()).unwrap_or(b":2,");
        from.rename_new(name, &self.cur, &[&base, flags].concat())
    }
}

fn is_unspeakable(name: &[u8]) -> bool {
    let base = base_of(name);
    base.is_empty() || base.len() > LONG || base.contains(&b'\n')
}
