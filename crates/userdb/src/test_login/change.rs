//! The change of a password in the userdb.

use super::{PROGRAM, REFUSED};
use crate::{Failure, default_source, edit, hash, make, modules};
use account::crypt::System;
use account::hmac::HASHES;
use account::password;
use account::userdb::{self, Userdb, field, fields, is_secret};
use chain::{exit, reason};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;
use zeroize::Zeroizing;

/// A login with the old password by the whole chain, in a child; then the new password where the account's stands.
pub(super) fn run(list: Option<&str>, service: &str, user: &OsString, old: &[u8], new: &[u8]) -> i32 {
    if new.is_empty() || new.iter().any(|&byte| byte < b' ') {
        PROGRAM.fatal(REFUSED, b"a new password has no control characters and is not empty");
    }
    if !is_accepted(list, service, user, old) {
        return REFUSED;
    }
    match changed(service.as_bytes(), user.as_bytes(), old, new) {
        Ok(()) => exit::DONE,
        Err(Failure(code, what)) => PROGRAM.fatal(code, &what),
    }
}

fn is_accepted(list: Option<&str>, service: &str, user: &OsString, old: &[u8]) -> bool {
    use std::io::Write as _;
    let modules = modules::list(list).into_iter().map(OsString::from).collect::<Vec<_>>().join(" ".as_ref());
    let mut command = Command::new(authmodule::neighbour("authtest"));
    command.args(["-s", service, "-m"]).arg(modules).arg(user).arg("-").stdin(std::process::Stdio::piped());
    let mut run = || {
        let mut child = command.spawn()?;
        if let Some(mut pipe) = child.stdin.take() {
            pipe.write_all(&Zeroizing::new([old, b"\n"].concat()))?;
        }
        child.wait()
    };
    match run() {
        Ok(status) => status.success(),
        Err(e) => PROGRAM.fatal(exit::TEMPORARY, format!("unable to run authtest: {}", reason(&e)).as_bytes()),
    }
}

fn changed(service: &[u8], user: &[u8], old: &[u8], new: &[u8]) -> Result<(), Failure> {
    let source = default_source();
    let open = Userdb::open(&source).map_err(|e| Failure(exit::TEMPORARY, e.to_string().into_bytes()))?;
    let entry = match open {
        Some(userdb) => userdb.entry(user).map_err(|e| Failure(exit::TEMPORARY, e.to_string().into_bytes()))?,
        None => None,
    };
    let Some(entry) = entry else {
        return Err(Failure(REFUSED, [user, b": only passwords in the userdb can be changed"].concat()));
    };
    let prefix = field(&entry.record, b"_").unwrap_or_default();
    let record = edit::record(&source, prefix, user)?;
    let settings = new_fields(&record, service, old, new)?;
    if settings.is_empty() {
        return Err(Failure(REFUSED, [user, b": no password in the userdb is the one given"].concat()));
    }
    edit::set(&source, prefix, user, &settings)?;
    make::compile(&PROGRAM, &source)
}

/// A field and its new value.
type Setting = (Vec<u8>, Vec<u8>);

/// The service's own password, else the general one, if it is the old one; and every context made of the old one.
fn new_fields(record: &[u8], service: &[u8], old: &[u8], new: &[u8]) -> Result<Vec<Setting>, Failure> {
    let crypt = System { checker: authmodule::neighbour("cryptcheck") };
    let mut settings = Vec::new();
    let own = [service, b"pw"].concat();
    let name: &[u8] = if field(record, &own).is_some() { &own } else { b"systempw" };
    let stored = field(record, name).unwrap_or_default();
    if password::verify(stored, old, &crypt).map_err(|e| Failure(exit::TEMPORARY, e.to_string().into_bytes()))? {
        // Courier makes $1$ of everything; what was stronger stays stronger.
        let is_strong = stored.starts_with(b"$") && !stored.starts_with(b"$1$");
        let (prefix, digits) = if is_strong { ("$6$", 16) } else { ("$1$", 8) };
        let hash = hash::stored_form(prefix, digits, new)
            .ok_or_else(|| Failure(exit::TEMPORARY, b"crypt(3) refuses this password".to_vec()))?;
        settings.push((name.to_vec(), hash));
    }
    for (name, value) in fields(record).filter(|(name, _)| is_secret(name)) {
        for hash in HASHES {
            let is_context = name.strip_suffix(b"pw").is_some_and(|kind| kind.ends_with(hash.name().as_bytes()));
            if is_context && value == Some(&hash.context(old)) {
                settings.push((name.to_vec(), hash.context(new).to_vec()));
            }
        }
    }
    debug_assert!(settings.iter().all(|(_, value)| userdb::is_valid(value)));
    Ok(settings)
}
