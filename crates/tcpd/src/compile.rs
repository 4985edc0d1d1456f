//! `makeimapaccess`: reads access text, checks it and puts the database in its place.

use crate::accesstext::{Entry, entry};
use chain::Program;
use chain::exit::{DONE, PERMANENT, TEMPORARY};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

const PROGRAM: Program = Program::new("makeimapaccess");
const USAGE: &str = "usage: makeimapaccess [-cidr] source [destination]";

/// The program `makeimapaccess`; gives its exit code.
pub fn makeimapaccess(args: Vec<OsString>) -> i32 {
    match run(args) {
        Ok(()) => DONE,
        Err(Failure { code, what }) => PROGRAM.fatal(code, what.as_bytes()),
    }
}

/// Why there is no new database; the old one stands.
struct Failure {
    code: i32,
    what: String,
}

impl Failure {
    fn permanent(what: impl Into<String>) -> Failure {
        Failure { code: PERMANENT, what: what.into() }
    }

    fn system(path: &Path, e: &io::Error) -> Failure {
        // What is not there is a mistake in the command, not a shortage.
        let code = if e.kind() == io::ErrorKind::NotFound { PERMANENT } else { TEMPORARY };
        Failure { code, what: format!("{}: {}", path.display(), chain::reason(e)) }
    }
}

fn run(mut args: Vec<OsString>) -> Result<(), Failure> {
    let mut cidr = false;
    while args.first().is_some_and(|arg| arg.as_bytes().starts_with(b"-")) {
        match args.remove(0) {
            arg if arg == "-cidr" => cidr = true,
            arg if arg == "--" => break,
            _ => return Err(Failure::permanent(USAGE)),
        }
    }
    let (source, destination) = match args.as_slice() {
        [source] => (PathBuf::from(source), with_suffix(source, ".dat")),
        [source, destination] => (PathBuf::from(source), PathBuf::from(destination)),
        _ => return Err(Failure::permanent(USAGE)),
    };
    let mut entries = Vec::new();
    for file in files(&source)? {
        read(&file, cidr, &mut entries)?;
    }
    // Where two entries have a key in common, the narrower one is found first.
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.bits));
    write(&entries, &destination)
}

/// The file, or the files of the directory by name.
fn files(source: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |e: io::Error| Failure::system(source, &e);
    if !fs::metadata(source).map_err(failed)?.is_dir() {
        return Ok(vec![source.to_owned()]);
    }
    let mut files = Vec::new();
    for file in fs::read_dir(source).map_err(failed)? {
        let file = file.map_err(failed)?;
        let name = file.file_name();
        let name = name.as_bytes();
        let skipped = name.starts_with(b".") || name.ends_with(b"~") || name == b"CVS";
        if is_backup(name) {
            return Err(Failure::permanent(format!("{}: a backup file, remove it", file.path().display())));
        }
        if !skipped {
            files.push(file.path());
        }
    }
    files.sort();
    Ok(files)
}

/// What package managers leave behind: old rules that must not come back unseen.
fn is_backup(name: &[u8]) -> bool {
    [&b".rpmsave"[..], b".rpmnew", b".rpmorig"].iter().any(|suffix| name.ends_with(suffix))
        || name.windows(6).any(|part| part == b".dpkg-")
}

fn read(file: &Path, cidr: bool, entries: &mut Vec<Entry>) -> Result<(), Failure> {
    let text = fs::read(file).map_err(|e| Failure::system(file, &e))?;
    for (number, line) in text.split(|&b| b == b'\n').enumerate() {
        let bad = |what| Failure::permanent(format!("{}:{}: {what}", file.display(), number + 1));
        entries.extend(entry(line, cidr).map_err(bad)?);
    }
    Ok(())
}

fn write(entries: &[Entry], destination: &Path) -> Result<(), Failure> {
    let failed = |e: cdb::Error| match e {
        cdb::Error::Io(e) => Failure::system(destination, &e),
        other => Failure::permanent(format!("{}: {other}", destination.display())),
    };
    // The number keeps two that run at once apart.
    let temporary = with_suffix(destination.as_os_str(), &format!(".tmp.{}", std::process::id()));
    let mut writer = cdb::Writer::create(destination, &temporary, 0o644).map_err(failed)?;
    let mut written = HashSet::new();
    for entry in entries {
        for key in &entry.keys {
            if written.insert(key.clone()) {
                writer.add(key, &entry.action).map_err(failed)?;
            } else if let [only] = entry.keys.as_slice() {
                let key = String::from_utf8_lossy(only);
                PROGRAM.warn(format!("{key}: more than one entry, the first holds").as_bytes());
            }
        }
    }
    writer.finish().map_err(failed)
}

fn with_suffix(path: &OsStr, suffix: &str) -> PathBuf {
    let mut name = path.to_owned();
    name.push(suffix);
    name.into()
}
