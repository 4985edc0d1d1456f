//! `userdb`: changes and shows records of the userdb source.
//!
//! ```text
//! userdb [-f FILE | PATH/]ADDRESS set FIELD=VALUE ... | set FIELD ... | unset FIELD ... | del
//! userdb -show [-f FILE | PATH] [ADDRESS]
//! ```

mod command;
mod place;

use crate::Failure;
use crate::output::{print, unable};
use crate::secret;
use account::userdb::{Line, fields, is_secret, is_valid, lines};
use chain::{Program, exit, reason};
use command::{Change, Command};
use place::Place;
use std::ffi::OsString;
use zeroize::Zeroizing;

const PROGRAM: Program = Program::new("userdb");
/// Courier's code for a wrong command and for no value.
const REFUSED: i32 = 1;

/// Runs the program with these arguments; gives its exit code.
pub fn run(args: &[OsString]) -> i32 {
    let done = command::parse(args, &crate::default_source()).and_then(|command| match command {
        Command::Show { place, address } => show(&place, address),
        Command::Change { place, address, change } => apply(&place, address, change),
    });
    match done {
        Ok(()) => exit::DONE,
        Err(Failure(code, what)) => PROGRAM.fatal(code, &what),
    }
}

fn show(place: &Place, address: Option<&[u8]>) -> Result<(), Failure> {
    let text = place.read()?;
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    for line in lines(&text) {
        let Line::Record { address: found, record } = line else {
            continue;
        };
        match address {
            None => {
                out.extend_from_slice(found);
                out.push(b'\n');
            }
            Some(address) if address == found => {
                for (name, value) in fields(record) {
                    push_field(&mut out, name, value);
                    out.push(b'\n');
                }
            }
            Some(_) => {}
        }
    }
    print(&out).map_err(|e| Failure(exit::TEMPORARY, format!("unable to write: {}", reason(&e)).into_bytes()))
}

fn apply(place: &Place, address: &[u8], change: Change<'_>) -> Result<(), Failure> {
    let change = ask(address, change)?;
    let lock = place.lock()?;
    let text = place.read()?;
    let new = rewritten(&text, address, &change);
    if *new == *text { Ok(()) } else { place.replace(&lock, &new) }
}

/// A change with all its values: those that were no arguments are typed or sent.
enum Full {
    Set(Vec<(Vec<u8>, Zeroizing<Vec<u8>>)>),
    Unset(Vec<Vec<u8>>),
    Delete,
}

/// Before the lock is taken: a person takes time.
fn ask(address: &[u8], change: Change<'_>) -> Result<Full, Failure> {
    let settings = match change {
        Change::Delete => return Ok(Full::Delete),
        Change::Unset(names) => return Ok(Full::Unset(names.into_iter().map(<[u8]>::to_vec).collect())),
        Change::Set(settings) => settings,
    };
    let mut full = Vec::new();
    for (name, value) in settings {
        let value = match value {
            Some(value) => Zeroizing::new(value.to_vec()),
            None => typed(address, name)?,
        };
        full.push((name.to_vec(), value));
    }
    Ok(Full::Set(full))
}

fn typed(address: &[u8], name: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let prompt = [address, b".", name, b": "].concat();
    match secret::line(&prompt, !is_secret(name)) {
        Ok(Some(value)) if is_valid(&value) => Ok(value),
        Ok(Some(_)) => Err(command::invalid()),
        Ok(None) => Err(Failure(REFUSED, [b"no value for ", name].concat())),
        Err(e) => Err(Failure(exit::TEMPORARY, format!("unable to read a value: {}", reason(&e)).into_bytes())),
    }
}

/// The text with the record changed. Comments, blank lines, other records and the order of fields stay as they were.
fn rewritten(text: &[u8], address: &[u8], change: &Full) -> Zeroizing<Vec<u8>> {
    let mut new = Zeroizing::new(Vec::with_capacity(text.len() + 4096));
    let mut is_known = false;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        match account::userdb::line(line.strip_suffix(b"\n").unwrap_or(line)) {
            Line::Record { address: found, record } if found == address => {
                is_known = true;
                push_record(&mut new, address, record, change);
            }
            _ => {
                new.extend_from_slice(line);
                if !line.ends_with(b"\n") {
                    new.push(b'\n');
                }
            }
        }
    }
    if !is_known && matches!(change, Full::Set(settings) if !settings.is_empty()) {
        push_record(&mut new, address, b"", change);
    }
    new
}

fn push_record(new: &mut Vec<u8>, address: &[u8], record: &[u8], change: &Full) {
    if matches!(change, Full::Delete) {
        return;
    }
    new.extend_from_slice(address);
    new.push(b'\t');
    let start = new.len();
    let mut push = |name: &[u8], value: Option<&[u8]>| {
        if new.len() > start {
            new.push(b'|');
        }
        push_field(new, name, value);
    };
    let mut written: Vec<&[u8]> = Vec::new();
    for (name, value) in fields(record) {
        match change {
            Full::Unset(names) if names.iter().any(|unset| unset == name) => {}
            Full::Set(settings) => match newest(settings, name) {
                // A field that stood there twice stands there once.
                Some(_) if written.contains(&name) => {}
                Some(newer) => {
                    written.push(name);
                    push(name, Some(newer));
                }
                None => push(name, value),
            },
            _ => push(name, value),
        }
    }
    if let Full::Set(settings) = change {
        for (name, _) in settings {
            if !written.contains(&name.as_slice()) {
                written.push(name);
                push(name, newest(settings, name));
            }
        }
    }
    new.push(b'\n');
}

/// The last value given for a name.
fn newest<'a>(settings: &'a [(Vec<u8>, Zeroizing<Vec<u8>>)], name: &[u8]) -> Option<&'a [u8]> {
    settings.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
}

fn push_field(to: &mut Vec<u8>, name: &[u8], value: Option<&[u8]>) {
    to.extend_from_slice(name);
    if let Some(value) = value {
        to.push(b'=');
        to.extend_from_slice(value);
    }
}

/// Sets fields of a record in the source, as `userdb ADDRESS set` does. For the change of a password.
pub(crate) fn set(
    source: &std::path::Path,
    prefix: &[u8],
    address: &[u8],
    settings: &[(Vec<u8>, Vec<u8>)],
) -> Result<(), Failure> {
    let place = Place::in_source(source, prefix)?;
    let lock = place.lock()?;
    let text = place.read()?;
    let settings = settings.iter().map(|(name, value)| (name.clone(), Zeroizing::new(value.clone()))).collect();
    place.replace(&lock, &rewritten(&text, address, &Full::Set(settings)))
}

/// The fields of a record in the source.
pub(crate) fn record(source: &std::path::Path, prefix: &[u8], address: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let text = Place::in_source(source, prefix)?.read()?;
    let found = lines(&text).find_map(|line| match line {
        Line::Record { address: found, record } if found == address => Some(record),
        _ => None,
    });
    Ok(Zeroizing::new(found.unwrap_or_default().to_vec()))
}

fn io_failure(what: &str, path: &std::path::Path, e: &std::io::Error) -> Failure {
    Failure(exit::TEMPORARY, unable(what, path, e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settings(pairs: &[(&str, &str)]) -> Full {
        let full = |(name, value): &(&str, &str)| (name.as_bytes().to_vec(), Zeroizing::new(value.as_bytes().to_vec()));
        Full::Set(pairs.iter().map(full).collect())
    }

    fn changed(text: &str, address: &str, change: &Full) -> String {
        String::from_utf8(rewritten(text.as_bytes(), address.as_bytes(), change).to_vec()).unwrap()
    }

    #[test]
    fn set_replaces_in_place_and_appends() {
        let text = "# c\n\njoe\tuid=1|bare|home=/h|uid=2\nann\tx=1";
        let set = settings(&[("uid", "3"), ("new", "a=b"), ("new", "last")]);
        assert_eq!(changed(text, "joe", &set), "# c\n\njoe\tuid=3|bare|home=/h|new=last\nann\tx=1\n");
        assert_eq!(changed("", "joe", &settings(&[("a", "")])), "joe\ta=\n");
        assert_eq!(changed("ann\tx=1\n", "joe", &settings(&[])), "ann\tx=1\n");
    }

    #[test]
    fn unset_and_delete() {
        let text = "joe\tuid=1|bare|home=/h\nann\tx=1\n";
        let unset = Full::Unset(vec![b"uid".to_vec(), b"bare".to_vec(), b"none".to_vec()]);
        assert_eq!(changed(text, "joe", &unset), "joe\thome=/h\nann\tx=1\n");
        assert_eq!(changed(text, "joe", &Full::Delete), "ann\tx=1\n");
        assert_eq!(changed(text, "zoe", &Full::Delete), text);
    }

    proptest! {
        #[test]
        fn other_lines_stay(before in "[#a-c\t=|\n]{0,40}", value in "[^|\n\0\t ]{0,8}") {
            let text = before.clone() + "\n";
            let new = changed(&text, "joe", &settings(&[("f", &value)]));
            prop_assert!(new.starts_with(&text));
            prop_assert_eq!(&new[text.len()..], format!("joe\tf={value}\n"));
            prop_assert_eq!(changed(&new, "joe", &Full::Delete), text);
        }
    }
}
