//! Decides a login by the passwd and shadow databases.
#![forbid(unsafe_code)]

mod expiry;

use authmodule::{Found, Problem, Store, sample_of, system_account};
use chain::{Program, reason};
use std::ffi::CString;
use std::fs::File;
use std::io::ErrorKind;
use zeroize::Zeroizing;

const SHADOW: &str = "/etc/shadow";

fn main() {
    authmodule::run(Program::new("authshadow"), &Shadow)
}

/// getpwnam(3) for the account, getspnam(3) for its password.
struct Shadow;

impl Store for Shadow {
    fn look_up(&self, _service: &[u8], user: &[u8]) -> Result<Option<Found>, Problem> {
        let Some(Found { account, .. }) = system_account(user)? else {
            return Ok(None);
        };
        let name = account.system_user.as_deref().unwrap_or(user);
        let Ok(name) = CString::new(name) else {
            return Ok(None);
        };
        let Some(entry) = sys::shadow::entry(&name).map_err(|e| unable("the shadow database", &e))? else {
            return may_read_shadow().map(|()| None);
        };
        Ok(Some(Found {
            account,
            expired: expiry::is_expired(&entry, sys::clock::seconds()),
            stored: Some(Zeroizing::new(entry.hash)),
        }))
    }

    fn sample(&self, _service: &[u8]) -> Option<Vec<u8>> {
        sample_of(SHADOW)
    }
}

/// The C library says "no such entry" also where it may not look.
fn may_read_shadow() -> Result<(), Problem> {
    match File::open(SHADOW) {
        Err(e) if e.kind() == ErrorKind::PermissionDenied => Err(unable(SHADOW, &e)),
        _ => Ok(()),
    }
}

fn unable(what: &str, e: &std::io::Error) -> Problem {
    Problem(format!("unable to read {what}: {}", reason(e)).into_bytes())
}
