//! Decides a login by the passwd and shadow databases.
#![forbid(unsafe_code)]

mod expiry;

use authmodule::{Found, Problem, Store, sample_of, system_account};
use chain::{Program, reason};
use std::ffi::CString;
use zeroize::Zeroizing;

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
        let entry = sys::shadow::entry(&name)
            .map_err(|e| Problem(format!("unable to read the shadow database: {}", reason(&e)).into_bytes()))?;
        Ok(entry.map(|entry| Found {
            account,
            expired: expiry::is_expired(&entry, sys::clock::seconds()),
            stored: Some(Zeroizing::new(entry.hash)),
        }))
    }

    fn sample(&self, _service: &[u8]) -> Option<Vec<u8>> {
        sample_of("/etc/shadow")
    }
}
