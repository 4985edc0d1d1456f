//! The arguments of `userdb`.

use super::REFUSED;
use super::place::Place;
use crate::Failure;
use account::userdb::is_valid;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

const USAGE: &[u8] = b"usage: userdb [-f file | path/]address set field=value ... | set field ... | \
unset field ... | del; or userdb -show [-f file | path] [address]";
const INVALID: &[u8] = b"Invalid field or value.";

pub(super) enum Command<'a> {
    Show { place: Place, address: Option<&'a [u8]> },
    Change { place: Place, address: &'a [u8], change: Change<'a> },
}

pub(super) enum Change<'a> {
    /// A field without a value is asked for.
    Set(Vec<(&'a [u8], Option<&'a [u8]>)>),
    Unset(Vec<&'a [u8]>),
    Delete,
}

pub(super) fn parse<'a>(args: &'a [OsString], source: &Path) -> Result<Command<'a>, Failure> {
    let words: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
    match words.as_slice() {
        [b"-show", rest @ ..] => show(rest, source),
        [b"-f", file, address, rest @ ..] => {
            let change = change(address, rest)?;
            Ok(Command::Change { place: Place::file(file)?, address, change })
        }
        [address, rest @ ..] if !address.starts_with(b"-") => {
            let (prefix, address) = split(address);
            let change = change(address, rest)?;
            Ok(Command::Change { place: Place::in_source(source, prefix)?, address, change })
        }
        _ => Err(usage()),
    }
}

/// Without `-f`, a single word is an address where the source is a file; in a directory it is a file, or a file and an
/// address behind it.
fn show<'a>(words: &[&'a [u8]], source: &Path) -> Result<Command<'a>, Failure> {
    let (place, address) = match words {
        [b"-f", file] => (Place::file(file)?, None),
        [b"-f", file, address] => (Place::file(file)?, Some(*address)),
        [] => (Place::in_source(source, b"")?, None),
        [word] if !source.is_dir() => {
            let (prefix, address) = split(word);
            (Place::in_source(source, prefix)?, Some(address))
        }
        [word] => match Place::in_source(source, word) {
            Ok(place) if place.exists() => (place, None),
            _ => {
                let (prefix, address) = split(word);
                (Place::in_source(source, prefix)?, Some(address))
            }
        },
        [path, address] => (Place::in_source(source, path)?, Some(*address)),
        _ => return Err(usage()),
    };
    Ok(Command::Show { place, address })
}

/// `path/address`: what stands before the last slash, and the address.
fn split(word: &[u8]) -> (&[u8], &[u8]) {
    match word.iter().rposition(|&byte| byte == b'/') {
        Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..).unwrap_or_default()),
        None => (b"", word),
    }
}

fn change<'a>(address: &[u8], words: &[&'a [u8]]) -> Result<Change<'a>, Failure> {
    if address.is_empty() {
        return Err(usage());
    }
    let is_address = !address.starts_with(b"#") && !address.contains(&b'\t') && is_valid(address);
    if !is_address || !words.iter().all(|word| is_valid(word)) {
        return Err(invalid());
    }
    match words {
        [b"set", settings @ ..] => settings.iter().map(|word| setting(word)).collect::<Result<_, _>>().map(Change::Set),
        [b"unset", names @ ..] => Ok(Change::Unset(names.to_vec())),
        [b"del"] => Ok(Change::Delete),
        _ => Err(usage()),
    }
}

fn setting(word: &[u8]) -> Result<(&[u8], Option<&[u8]>), Failure> {
    let (name, value) = match word.iter().position(|&byte| byte == b'=') {
        Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..)),
        None => (word, None),
    };
    // A TAB or a blank at its beginning would be lost with the next reading.
    if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) { Err(invalid()) } else { Ok((name, value)) }
}

pub(super) fn invalid() -> Failure {
    Failure(REFUSED, INVALID.to_vec())
}

fn usage() -> Failure {
    Failure(REFUSED, USAGE.to_vec())
}
