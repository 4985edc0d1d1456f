//! Decides a login by the passwd database.
#![forbid(unsafe_code)]

use authmodule::{Found, Problem, Store, sample_of, system_account};
use chain::Program;

fn main() {
    authmodule::run(Program::new("authpwd"), &Passwd)
}

/// getpwnam(3), and the hash in the entry itself.
struct Passwd;

impl Store for Passwd {
    fn look_up(&self, _service: &[u8], user: &[u8]) -> Result<Option<Found>, Problem> {
        system_account(user)
    }

    fn sample(&self, _service: &[u8]) -> Option<Vec<u8>> {
        sample_of("/etc/passwd")
    }
}
