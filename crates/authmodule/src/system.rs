//! Accounts that are users of the system.

use crate::{Found, Problem};
use account::{Account, password};
use chain::reason;
use nix::unistd::User;
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::OsStrExt as _;
use zeroize::Zeroizing;

/// The passwd entry of this name as nsswitch.conf finds it, with its password field.
pub fn system_account(user: &[u8]) -> Result<Option<Found>, Problem> {
    // No name of a user is anything else, and the C library would take a part of it for one.
    let Some(name) = std::str::from_utf8(user).ok().filter(|name| !name.contains('\0')) else {
        return Ok(None);
    };
    let entry = User::from_name(name)
        .map_err(|e| Problem(format!("unable to read the passwd database: {}", reason(&e.into())).into_bytes()))?;
    Ok(entry.map(|entry| {
        let stored = Some(Zeroizing::new(entry.passwd.to_bytes().to_vec()));
        Found { account: account(user, entry), stored, expired: false }
    }))
}

fn account(user: &[u8], entry: User) -> Account {
    Account {
        address: user.to_vec(),
        system_user: Some(entry.name.into_bytes()),
        uid: entry.uid.as_raw(),
        gid: entry.gid.as_raw(),
        home: entry.dir.as_os_str().as_bytes().to_vec(),
        fullname: entry.gecos.to_bytes().split(|&byte| byte == b',').next().unwrap_or_default().to_vec(),
        shell: entry.shell.as_os_str().as_bytes().to_vec(),
        ..Account::default()
    }
}

/// The first hash in a file of the passwd family: what a check costs where most accounts are local.
pub fn sample_of(path: &str) -> Option<Vec<u8>> {
    let file = BufReader::new(std::fs::File::open(path).ok()?);
    file.split(b'\n').map_while(Result::ok).find_map(|line| {
        let line = Zeroizing::new(line);
        let stored = line.split(|&byte| byte == b':').nth(1)?;
        password::is_hash(stored).then(|| stored.to_vec())
    })
}
