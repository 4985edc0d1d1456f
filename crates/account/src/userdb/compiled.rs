//! The databases: `userdb.dat` for everybody, `userdbshadow.dat` for who may read passwords.

use super::{database, field, shadow_database};
use crate::Account;
use crate::password::is_hash;
use cdb::Cdb;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The open userdb.
#[derive(Debug)]
pub struct Userdb {
    accounts: (PathBuf, Cdb),
    source: PathBuf,
}

/// A database that cannot be used: a temporary failure, never an unknown user.
#[derive(Debug)]
pub struct Error {
    /// The database.
    pub path: PathBuf,
    /// What is wrong with it.
    pub cause: cdb::Error,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unable to read {}: {}", self.path.display(), self.cause)
    }
}

impl std::error::Error for Error {}

/// A record of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub address: Vec<u8>,
    /// The fields.
    pub record: Vec<u8>,
}

impl Entry {
    /// The account, or none where user id, group id or home directory lack or make no sense.
    pub fn account(&self) -> Option<Account> {
        let text = |name: &str| field(&self.record, name.as_bytes()).unwrap_or_default().to_vec();
        let home = text("home");
        if home.is_empty() {
            return None;
        }
        Some(Account {
            address: self.address.clone(),
            system_user: None,
            uid: self.number("uid")?,
            gid: self.number("gid")?,
            home,
            fullname: text("gecos"),
            maildir: text("mail"),
            quota: text("quota"),
            options: text("options"),
            shell: text("shell"),
        })
    }

    fn number(&self, name: &str) -> Option<u32> {
        let text = field(&self.record, name.as_bytes())?;
        if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        // The last number is the kernel's "no id".
        std::str::from_utf8(text).ok()?.parse().ok().filter(|&id| id != u32::MAX)
    }
}

impl Userdb {
    /// Opens the database beside this source. None where neither exists: the site has no userdb.
    /// A source without a database was never compiled; that is an error.
    pub fn open(source: &Path) -> Result<Option<Userdb>, Error> {
        let path = database(source);
        match Cdb::open(&path) {
            Ok(cdb) => Ok(Some(Userdb { accounts: (path, cdb), source: source.to_owned() })),
            Err(cdb::Error::Io(e)) if e.kind() == io::ErrorKind::NotFound && !source.exists() => Ok(None),
            Err(cause) => Err(Error { path, cause }),
        }
    }

    /// The record of this address.
    pub fn entry(&self, address: &[u8]) -> Result<Option<Entry>, Error> {
        // `1000=` is a key too, but nobody's name.
        if address.ends_with(b"=") {
            return Ok(None);
        }
        let (path, cdb) = &self.accounts;
        let record = cdb.get(address).map_err(|cause| Error { path: path.clone(), cause })?;
        Ok(record.map(|record| Entry { address: address.to_vec(), record }))
    }

    /// The name of the account that has this user id, by its reverse entry.
    pub fn name_of(&self, uid: u32) -> Result<Option<Vec<u8>>, Error> {
        let (path, cdb) = &self.accounts;
        let record = cdb.get(format!("{uid}=").as_bytes()).map_err(|cause| Error { path: path.clone(), cause })?;
        Ok(record.map(|record| record.split(|&byte| byte == b'|').next().unwrap_or_default().to_vec()))
    }

    /// All accounts in the order of the source, without reverse entries.
    pub fn entries(&self) -> Result<impl Iterator<Item = Result<Entry, Error>>, Error> {
        let (path, cdb) = &self.accounts;
        let error = |cause| Error { path: path.clone(), cause };
        let records = cdb.records().map_err(error)?;
        Ok(records
            .map(move |record| record.map(|(address, record)| Entry { address, record }).map_err(error))
            .filter(|entry| !matches!(entry, Ok(entry) if entry.address.ends_with(b"="))))
    }

    /// The stored password of an address for a service: its `<service>pw`, else `systempw`.
    pub fn password(&self, address: &[u8], service: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let (path, shadow) = self.shadow()?;
        let Some(record) = shadow.get(address).map_err(|cause| Error { path, cause })? else {
            return Ok(None);
        };
        Ok(stored(&Zeroizing::new(record), service))
    }

    /// A stored password of somebody: what a check in this store costs.
    pub fn sample(&self, service: &[u8]) -> Option<Vec<u8>> {
        /// Somewhere near the beginning stands an ordinary account.
        const NEAR: usize = 64;
        let (_, shadow) = self.shadow().ok()?;
        let mut records = shadow.records().ok()?.take(NEAR).filter_map(Result::ok);
        records.find_map(|(_, record)| {
            let stored = stored(&Zeroizing::new(record), service)?;
            is_hash(&stored).then(|| stored.to_vec())
        })
    }

    fn shadow(&self) -> Result<(PathBuf, Cdb), Error> {
        let path = shadow_database(&self.source);
        match Cdb::open(&path) {
            Ok(cdb) => Ok((path, cdb)),
            Err(cause) => Err(Error { path, cause }),
        }
    }
}

fn stored(record: &[u8], service: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let own = [service, b"pw"].concat();
    field(record, &own).or_else(|| field(record, b"systempw")).map(|stored| Zeroizing::new(stored.to_vec()))
}

#[cfg(test)]
#[path = "compiled_tests.rs"]
mod tests;
