//! Decides a login by the userdb.
#![forbid(unsafe_code)]

use account::userdb::{self, Userdb};
use authmodule::{Found, Problem, Store};
use chain::{Program, environment};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

fn main() {
    let source =
        environment::own_set("USERDB").map_or(Path::new(userdb::DEFAULT), |path| Path::new(OsStr::from_bytes(path)));
    authmodule::run(Program::new("authuserdb"), &Databases { source })
}

/// The two databases beside the source.
struct Databases<'a> {
    source: &'a Path,
}

impl Store for Databases<'_> {
    fn look_up(&self, service: &[u8], user: &[u8]) -> Result<Option<Found>, Problem> {
        let Some(userdb) = Userdb::open(self.source).map_err(problem)? else {
            return Ok(None);
        };
        let Some(account) = userdb.entry(user).map_err(problem)?.and_then(|entry| entry.account()) else {
            return Ok(None);
        };
        let stored = userdb.password(user, service).map_err(problem)?;
        Ok(Some(Found { account, stored, expired: false }))
    }

    fn sample(&self, service: &[u8]) -> Option<Vec<u8>> {
        Userdb::open(self.source).ok()??.sample(service)
    }
}

fn problem(e: userdb::Error) -> Problem {
    let reason = match &e.cause {
        cdb::Error::Io(cause) => chain::reason(cause),
        damage => damage.to_string(),
    };
    Problem([b"unable to read ", e.path.as_os_str().as_bytes(), b": ", reason.as_bytes()].concat())
}
