//! The files that a userdb source is made of: the source itself, or all files in it where it is a directory.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file of the source.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its path inside the directory with a `/` behind it: what `userdb` wants in front of an address. Empty for a file
    /// that is the whole source.
    pub(crate) prefix: Vec<u8>,
}

/// Why the files cannot be told.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The system's reason.
    Io(PathBuf, io::Error),
    /// A package manager left two versions of a file, and a person must decide which holds.
    Leftover(PathBuf),
}

/// The files of this source, in the order of their names.
pub(crate) fn sources(top: &Path) -> Result<Vec<Source>, Problem> {
    if !metadata(top)?.is_dir() {
        return Ok(vec![Source { path: top.to_owned(), prefix: Vec::new() }]);
    }
    let mut found = Vec::new();
    // A list in place of recursion. Links are followed; one that leads back ends there, one that leads nowhere is an
    // error: accounts must not be lost in silence.
    let mut directories = vec![(top.to_owned(), Vec::new())];
    let mut visited = HashSet::new();
    while let Some((directory, prefix)) = directories.pop() {
        let metadata = metadata(&directory)?;
        if !visited.insert((metadata.dev(), metadata.ino())) {
            continue;
        }
        for name in names(&directory)? {
            let path = directory.join(&name);
            let prefix = [prefix.as_slice(), name.as_bytes(), b"/"].concat();
            let kind = self::metadata(&path)?.file_type();
            if kind.is_dir() {
                directories.push((path, prefix));
            } else if kind.is_file() && is_source(&path, name.as_bytes())? {
                found.push(Source { path, prefix });
            }
        }
    }
    found.sort_by(|a, b| a.prefix.cmp(&b.prefix));
    Ok(found)
}

fn metadata(path: &Path) -> Result<fs::Metadata, Problem> {
    fs::metadata(path).map_err(|e| Problem::Io(path.to_owned(), e))
}

fn names(directory: &Path) -> Result<Vec<OsString>, Problem> {
    let problem = |e| Problem::Io(directory.to_owned(), e);
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(problem)? {
        let name = entry.map_err(problem)?.file_name();
        if !name.as_bytes().starts_with(b".") && !name.as_bytes().contains(&b'~') {
            names.push(name);
        }
    }
    Ok(names)
}

fn is_source(path: &Path, name: &[u8]) -> Result<bool, Problem> {
    let dpkg = name.windows(6).any(|part| part == b".dpkg-");
    if dpkg || name.ends_with(b".rpmsave") || name.ends_with(b".rpmnew") {
        return Err(Problem::Leftover(path.to_owned()));
    }
    if !name.ends_with(b".dist") {
        return Ok(true);
    }
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    match (changed(&path.with_extension("")), changed(path)) {
        (Some(own), Some(shipped)) if own >= shipped => Ok(false),
        _ => Err(Problem::Leftover(path.to_owned())),
    }
}
