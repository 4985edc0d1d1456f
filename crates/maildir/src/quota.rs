//! The quota of an account: `maildirsize`, Maildir++.
//!
//! ```text
//! 10000000S,1000C
//!        12345           17
//!        -2048           -1
//! ```
//!
//! The first line is the limit, the sum of the others the use. Changes are appended; what cannot be believed is counted anew.

use crate::dir::{Dir, FileKind};
use crate::durable;
use crate::error::{Error, Result};
use crate::folder_name::FolderName;
use crate::message_name::{Flags, MessageName};
use crate::root::Root;
use nix::fcntl::OFlag;
use std::io::Write;

const FILE: &[u8] = b"maildirsize";
/// A file this long is counted anew: Courier's buffer is full.
const LONG: u64 = 5120;
/// A fresh count is not counted again for this many seconds.
const FRESH: i64 = 15 * 60;
/// How often to count while messages keep arriving.
const ATTEMPTS: usize = 5;
/// The one folder that does not count.
const TRASH: &[u8] = b".Trash";

/// What an account may hold; nothing is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Bytes (`S`).
    pub bytes: Option<u64>,
    /// Messages (`C`).
    pub messages: Option<u64>,
}

/// What an account holds, or a change of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Bytes.
    pub bytes: i64,
    /// Messages.
    pub messages: i64,
}

/// The quota as the file tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The limits.
    pub limits: Limits,
    /// The use.
    pub usage: Usage,
}

/// The file's content, and whether it must be believed.
struct State {
    quota: Quota,
    /// Counted a moment ago, and nothing was appended since.
    fresh: bool,
}

impl Limits {
    /// Reads `10000000S,1000C`; what is neither is ignored.
    pub fn parse(text: &[u8]) -> Limits {
        let mut limits = Limits::default();
        for field in text.split(|&b| b == b',') {
            let Some((kind, digits)) = field.trim_ascii().split_last() else { continue };
            let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            match kind {
                b'S' => limits.bytes = number.filter(|&n| n > 0),
                b'C' => limits.messages = number.filter(|&n| n > 0),
                _ => {}
            }
        }
        limits
    }

    /// Whether nothing is limited.
    pub fn is_none(&self) -> bool {
        self.bytes.is_none() && self.messages.is_none()
    }

    fn format(&self) -> Vec<u8> {
        let field = |number: Option<u64>, kind| number.map(|number| format!("{number}{kind}"));
        let fields = [field(self.bytes, 'S'), field(self.messages, 'C')];
        fields.into_iter().flatten().collect::<Vec<_>>().join(",").into_bytes()
    }
}

impl Usage {
    /// The sum of two.
    pub fn plus(self, other: Usage) -> Usage {
        Usage { bytes: self.bytes.saturating_add(other.bytes), messages: self.messages.saturating_add(other.messages) }
    }

    /// The same, taken away.
    pub fn negated(self) -> Usage {
        Usage { bytes: self.bytes.saturating_neg(), messages: self.messages.saturating_neg() }
    }

    /// One message of this size.
    pub fn of(bytes: u64) -> Usage {
        Usage { bytes: i64::try_from(bytes).unwrap_or(i64::MAX), messages: 1 }
    }

    fn is_nothing(self) -> bool {
        self == Usage::default()
    }

    fn line(self) -> String {
        format!("{:>12} {:>12}\n", self.bytes, self.messages)
    }
}

impl Quota {
    /// Reads the text of the file; nothing where it must be counted anew.
    pub fn parse(text: &[u8]) -> Option<Quota> {
        let mut lines = text.split(|&b| b == b'\n');
        let limits = Limits::parse(lines.next()?);
        let mut usage = Usage::default();
        for line in lines.filter(|line| !line.is_empty()) {
            let mut numbers = std::str::from_utf8(line).ok()?.split_ascii_whitespace().map(|n| n.parse::<i64>().ok());
            let (bytes, messages) = (numbers.next()??, numbers.next()??);
            usage = usage.plus(Usage { bytes, messages });
        }
        (usage.bytes >= 0 && usage.messages >= 0 && text.len() < LONG as usize).then_some(Quota { limits, usage })
    }

    fn has_room(&self, more: Usage) -> bool {
        let after = self.usage.plus(more);
        let fits = |limit: Option<u64>, used: i64| {
            limit.is_none_or(|limit| u64::try_from(used).is_ok_and(|used| used <= limit))
        };
        fits(self.limits.bytes, after.bytes) && fits(self.limits.messages, after.messages)
    }
}

/// The account's quota and use; nothing where it has no quota.
pub fn read(root: &Root) -> Result<Option<Quota>> {
    Ok(state(root)?.map(|state| state.quota))
}

/// Whether so much more may be stored: `Error::OverQuota` where not, after a fresh count.
pub fn check(root: &Root, more: Usage) -> Result<()> {
    let Some(state) = state(root)? else { return Ok(()) };
    if state.quota.has_room(more) {
        return Ok(());
    }
    if !state.fresh && recalculate(root, state.quota.limits)?.has_room(more) {
        return Ok(());
    }
    Err(Error::OverQuota)
}

/// Notes a change that has happened: one line, one write.
pub fn add(root: &Root, change: Usage) -> Result<()> {
    if change.is_nothing() {
        return Ok(());
    }
    let mut file = match root.dir().open_regular(FILE, OFlag::O_WRONLY | OFlag::O_APPEND) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    let stat = nix::sys::stat::fstat(&file).map_err(|e| root.dir().failed(FILE, e))?;
    if stat.st_nlink > 1 {
        // A snapshot made of hard links must not change.
        let text = [root.dir().read(FILE, 2 * LONG)?.unwrap_or_default(), change.line().into_bytes()].concat();
        return durable::replace(&root.dir().open_dir(b"tmp")?, root.dir(), FILE, &text);
    }
    file.write_all(change.line().as_bytes()).map_err(|e| root.dir().failed_io(FILE, &e))
}

/// Sets the account's limits (`maildirmake -q`); no limits remove the file.
pub fn set(root: &Root, limits: Limits) -> Result<()> {
    if limits.is_none() {
        return root.dir().unlink(FILE).map(drop);
    }
    recalculate(root, limits).map(drop)
}

fn state(root: &Root) -> Result<Option<State>> {
    let given = Limits::parse(&root.settings().quota);
    let text = match root.dir().read(FILE, 2 * LONG) {
        Err(Error::Damaged(..)) => Some(Vec::new()),
        other => other?,
    };
    let Some(text) = text else {
        return if given.is_none() { Ok(None) } else { counted(root, given).map(Some) };
    };
    let written = Limits::parse(text.split(|&b| b == b'\n').next().unwrap_or(b""));
    let limits = if given.is_none() { written } else { given };
    if limits.is_none() {
        return Ok(None);
    }
    match Quota::parse(&text).filter(|_| limits == written) {
        None => counted(root, limits).map(Some),
        Some(quota) => {
            let lines = text.split(|&b| b == b'\n').filter(|line| !line.is_empty()).count();
            let modified = root.dir().stat(FILE)?.map_or(0, |stat| stat.st_mtime);
            let fresh = lines == 2 && sys::clock::seconds().saturating_sub(modified) < FRESH;
            Ok(Some(State { quota, fresh }))
        }
    }
}

fn counted(root: &Root, limits: Limits) -> Result<State> {
    Ok(State { quota: recalculate(root, limits)?, fresh: true })
}

/// Counts all messages and writes the file anew. A delivery meanwhile makes it count again.
pub fn recalculate(root: &Root, limits: Limits) -> Result<Quota> {
    let mut usage = Usage::default();
    for _ in 0..ATTEMPTS {
        let (counted, newest) = count(root)?;
        usage = counted;
        let text = [limits.format().as_slice(), b"\n", usage.line().as_bytes()].concat();
        durable::replace(&root.dir().open_dir(b"tmp")?, root.dir(), FILE, &text)?;
        if newest_change(root)? == newest {
            break;
        }
    }
    Ok(Quota { limits, usage })
}

fn count(root: &Root) -> Result<(Usage, i128)> {
    let newest = newest_change(root)?;
    let mut usage = Usage::default();
    each_directory(root, |dir| {
        dir.list(|name, kind| {
            if kind == FileKind::File && !name.starts_with(b".") {
                usage = usage.plus(counted_size(dir, name)?);
            }
            Ok(())
        })
    })?;
    Ok((usage, newest))
}

fn newest_change(root: &Root) -> Result<i128> {
    let mut newest = 0;
    each_directory(root, |dir| {
        newest = newest.max(dir.stamp()?.modified);
        Ok(())
    })?;
    Ok(newest)
}

/// Calls `visit` for `new` and `cur` of every folder that counts.
fn each_directory(root: &Root, mut visit: impl FnMut(&Dir) -> Result<()>) -> Result<()> {
    for name in std::iter::once(FolderName::INBOX).chain(root.folders()?) {
        if !counts(&name) {
            continue;
        }
        // A folder that vanishes meanwhile holds nothing.
        let Ok(folder) = root.folder(&name) else { continue };
        visit(&folder.new)?;
        visit(&folder.cur)?;
    }
    Ok(())
}

/// Whether a folder's messages count at all.
pub(crate) fn counts(name: &FolderName) -> bool {
    name.directory() != TRASH
}

/// What a file counts: nothing where it is marked deleted or gone.
pub(crate) fn counted_size(dir: &Dir, name: &[u8]) -> Result<Usage> {
    let parsed = MessageName::parse(name);
    if parsed.flags().contains(Flags::TRASHED) { Ok(Usage::default()) } else { size_of(dir, name) }
}

/// One message of this size, whatever its flags.
pub(crate) fn size_of(dir: &Dir, name: &[u8]) -> Result<Usage> {
    match MessageName::parse(name).size() {
        Some(size) => Ok(Usage::of(size)),
        None => {
            Ok(dir.stat(name)?.map_or_else(Usage::default, |stat| Usage::of(u64::try_from(stat.st_size).unwrap_or(0))))
        }
    }
}

#[cfg(test)]
mod tests;
