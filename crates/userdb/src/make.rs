//! `makeuserdb [-f FILE]`: compiles the userdb source into the two databases beside it.

use crate::Failure;
use crate::output::unable;
use crate::sources::{Problem, Source, sources};
use account::userdb::{self, Line, beside, database, fields, is_secret, shadow_database};
use cdb::Writer;
use chain::{Program, exit};
use nix::fcntl::{Flock, FlockArg};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const PROGRAM: Program = Program::new("makeuserdb");

/// Courier's codes.
const DUPLICATE: i32 = 1;
const NOT_FOUND: i32 = 2;
const UNSAFE: i32 = 255;

/// Runs the program with these arguments; gives its exit code.
pub fn run(args: &[OsString]) -> i32 {
    let source = match args {
        [] => crate::default_source(),
        [flag, file] if flag == "-f" => PathBuf::from(file),
        _ => PROGRAM.fatal(exit::PERMANENT, b"usage: makeuserdb [-f file]"),
    };
    match compile(&PROGRAM, &source) {
        Ok(()) => exit::DONE,
        Err(Failure(code, what)) => PROGRAM.fatal(code, &what),
    }
}

/// Compiles this source, one at a time. After a failure the databases are as they were.
pub(crate) fn compile(program: &Program, source: &Path) -> Result<(), Failure> {
    check(source)?;
    let _lock = lock(&beside(source, ".lock"))?;
    let mut compilation = Compilation::begin(program, source)?;
    for file in sources(source).map_err(unlisted)? {
        compilation.add_file(file)?;
    }
    compilation.finish()
}

/// The source holds passwords: nobody else may read it, and it is what it seems to be.
fn check(source: &Path) -> Result<(), Failure> {
    let name = source.as_os_str().as_bytes();
    let metadata = match fs::symlink_metadata(source) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failure(NOT_FOUND, unable("read", source, &e)));
        }
        Err(e) => return Err(Failure(exit::TEMPORARY, unable("read", source, &e))),
    };
    if metadata.is_symlink() {
        return Err(Failure(UNSAFE, [name, b": is a symbolic link"].concat()));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(Failure(UNSAFE, [name, b": may not have group or world permissions"].concat()));
    }
    Ok(())
}

fn lock(path: &Path) -> Result<Flock<File>, Failure> {
    let failure = |e| Failure(exit::TEMPORARY, unable("lock", path, &e));
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map_err(failure)?;
    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| failure(errno.into()))
}

fn unlisted(problem: Problem) -> Failure {
    match problem {
        Problem::Io(path, e) => Failure(exit::TEMPORARY, unable("read", &path, &e)),
        Problem::Leftover(path) => {
            let what = b": left behind by a package manager: merge it with your own file and remove it";
            Failure(exit::PERMANENT, [path.as_os_str().as_bytes(), what].concat())
        }
    }
}

struct Compilation<'a> {
    program: &'a Program,
    accounts: (PathBuf, Writer),
    secrets: (PathBuf, Writer),
    /// Which file an address came from, by its place in `files`.
    seen: HashMap<Vec<u8>, usize>,
    files: Vec<PathBuf>,
}

impl<'a> Compilation<'a> {
    fn begin(program: &'a Program, source: &Path) -> Result<Compilation<'a>, Failure> {
        let begin = |path: PathBuf, temporary: &str, mode| match Writer::create(&path, &beside(source, temporary), mode)
        {
            Ok(writer) => Ok((path, writer)),
            Err(e) => Err(unwritten(&path, &e)),
        };
        Ok(Compilation {
            program,
            accounts: begin(database(source), ".tmp", 0o644)?,
            secrets: begin(shadow_database(source), "shadow.tmp", 0o600)?,
            seen: HashMap::new(),
            files: Vec::new(),
        })
    }

    fn add_file(&mut self, file: Source) -> Result<(), Failure> {
        let text = fs::read(&file.path).map(Zeroizing::new);
        let text = text.map_err(|e| Failure(exit::TEMPORARY, unable("read", &file.path, &e)))?;
        self.files.push(file.path.clone());
        for (number, line) in userdb::lines(&text).enumerate() {
            match line {
                Line::Record { address, record } => self.add(&file, address, record)?,
                Line::Other(line) if line.trim_ascii().is_empty() || line.starts_with(b"#") => {}
                Line::Other(_) => {
                    let place = format!(": line {}: no address and TAB, left out", number + 1);
                    self.program.warn(&[file.path.as_os_str().as_bytes(), place.as_bytes()].concat());
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, file: &Source, address: &[u8], record: &[u8]) -> Result<(), Failure> {
        if let Some(other) = self.seen.insert(address.to_vec(), self.files.len().saturating_sub(1)) {
            let other = self.files.get(other).map(|path| path.as_os_str().as_bytes()).unwrap_or_default();
            let path = file.path.as_os_str().as_bytes();
            return Err(Failure(
                DUPLICATE,
                [path, b": duplicate record for ", address, b", first in ", other].concat(),
            ));
        }
        let (public, secret) = split(address, record);
        let public = [public.as_slice(), b"_=", &file.prefix].concat();
        let (path, writer) = &mut self.accounts;
        writer.add(address, &public).map_err(|e| unwritten(path, &e))?;
        if !secret.is_empty() {
            let (path, writer) = &mut self.secrets;
            writer.add(address, &secret).map_err(|e| unwritten(path, &e))?;
        }
        Ok(())
    }

    /// Passwords first: an account that is known and has no password yet is refused, not let in.
    fn finish(self) -> Result<(), Failure> {
        for (path, writer) in [self.secrets, self.accounts] {
            writer.finish().map_err(|e| unwritten(&path, &e))?;
        }
        Ok(())
    }
}

/// What everybody may read, with a `|` behind each field, and what nobody may. A reverse entry has no fields.
fn split(address: &[u8], record: &[u8]) -> (Vec<u8>, Zeroizing<Vec<u8>>) {
    let (mut public, mut secret) = (Vec::new(), Zeroizing::new(Vec::with_capacity(record.len())));
    if is_reverse(address) {
        public.extend_from_slice(record);
        public.push(b'|');
        return (public, secret);
    }
    for (name, value) in fields(record).filter(|(name, _)| *name != b"_") {
        let to: &mut Vec<u8> = if is_secret(name) { &mut secret } else { &mut public };
        if is_secret(name) && !to.is_empty() {
            to.push(b'|');
        }
        to.extend_from_slice(name);
        if let Some(value) = value {
            to.push(b'=');
            to.extend_from_slice(value);
        }
        if !is_secret(name) {
            to.push(b'|');
        }
    }
    (public, secret)
}

/// `1000=`: the account that has this user id.
fn is_reverse(address: &[u8]) -> bool {
    matches!(address.strip_suffix(b"="), Some(uid) if !uid.is_empty() && uid.iter().all(u8::is_ascii_digit))
}

fn unwritten(path: &Path, e: &cdb::Error) -> Failure {
    match e {
        cdb::Error::Io(e) => Failure(exit::TEMPORARY, unable("write", path, e)),
        _ => Failure(exit::PERMANENT, format!("unable to write {}: {e}", path.display()).into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn public_and_secret() {
        let of = |address: &str, record: &str| {
            let (public, secret) = split(address.as_bytes(), record.as_bytes());
            (String::from_utf8(public).unwrap(), String::from_utf8(secret.to_vec()).unwrap())
        };
        let pair = |public: &str, secret: &str| (public.to_owned(), secret.to_owned());
        assert_eq!(
            of("joe", "uid=1|systempw=a=b|home=/h|imappw=q|_=old"),
            pair("uid=1|home=/h|", "systempw=a=b|imappw=q")
        );
        assert_eq!(of("joe", ""), pair("", ""));
        assert_eq!(of("1000=", "joepw"), pair("joepw|", ""));
        assert_eq!(of("=", "a=1"), pair("a=1|", ""));
    }
}
