//! The access database: which rule holds for a connection.

use crate::rule::{Dialect, Rule};
use cdb::Cdb;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

/// An open database.
#[derive(Debug)]
pub struct Access {
    cdb: Cdb,
    dialect: Dialect,
}

/// Why a database cannot be used.
#[derive(Debug)]
pub enum Unusable {
    /// It cannot be read, or it is no cdb.
    Cdb(cdb::Error),
    /// It holds entries of both dialects.
    Mixed,
}

/// What is known of a client besides its address.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// `TCPREMOTEHOST`.
    pub host: Option<&'a [u8]>,
    /// `TCPREMOTEINFO`.
    pub info: Option<&'a [u8]>,
}

impl Access {
    /// Opens a database. Without a dialect given, all its entries are looked at: one that is not empty tells it.
    pub fn open(path: &Path, dialect: Option<Dialect>) -> Result<Access, Unusable> {
        let cdb = Cdb::open(path).map_err(Unusable::Cdb)?;
        let dialect = match dialect {
            Some(dialect) => dialect,
            None => dialect_of(&cdb)?,
        };
        Ok(Access { cdb, dialect })
    }

    /// Whose keys it has.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Are there rules for the address that the client connected to? `tcprules` has none.
    pub fn knows_local(&self) -> bool {
        self.dialect == Dialect::Courier
    }

    /// The rule for a client.
    pub fn remote(&self, client: IpAddr, names: Names<'_>) -> Result<Option<Rule>, cdb::Error> {
        match self.dialect {
            Dialect::Courier => self.first(shortened(courier_key(client)).chain([b"*".to_vec()])),
            Dialect::Tcprules => self.first(tcprules_keys(client, names).into_iter()),
        }
    }

    /// The rule for the address that the client connected to.
    pub fn local(&self, server: SocketAddr) -> Result<Option<Rule>, cdb::Error> {
        if !self.knows_local() {
            return Ok(None);
        }
        let port = server.port();
        let mut key = courier_key(server.ip());
        key.extend(format!(".{port}").bytes());
        self.first(shortened(key).chain([format!("*.{port}").into_bytes(), b"*".to_vec()]))
    }

    fn first(&self, keys: impl Iterator<Item = Vec<u8>>) -> Result<Option<Rule>, cdb::Error> {
        for key in keys {
            if let Some(data) = self.cdb.get(&key)? {
                return Ok(Some(self.dialect.rule(&data)));
            }
        }
        Ok(None)
    }
}

fn dialect_of(cdb: &Cdb) -> Result<Dialect, Unusable> {
    let mut found = None;
    for record in cdb.records().map_err(Unusable::Cdb)? {
        let (_, data) = record.map_err(Unusable::Cdb)?;
        let dialect = Dialect::of_entry(&data);
        if found.is_some() && dialect.is_some() && found != dialect {
            return Err(Unusable::Mixed);
        }
        found = found.or(dialect);
    }
    // Nothing but empty entries: in both dialects everyone is let in and nothing is set.
    Ok(found.unwrap_or(Dialect::Courier))
}

/// `1.2.3.4`, or a colon before each of eight groups of four digits.
pub fn courier_key(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string().into_bytes(),
        IpAddr::V6(v6) => v6.segments().iter().flat_map(|group| format!(":{group:04x}").into_bytes()).collect(),
    }
}

/// A key, then the same cut at its last dot or colon, again and again.
fn shortened(key: Vec<u8>) -> impl Iterator<Item = Vec<u8>> {
    std::iter::successors(Some(key), |key| {
        let cut = key.iter().rposition(|&b| b == b'.' || b == b':')?;
        key.get(..cut).filter(|shorter| !shorter.is_empty()).map(<[u8]>::to_vec)
    })
}

/// The keys of `tcprules` in the order of `tcpserver`.
fn tcprules_keys(client: IpAddr, names: Names<'_>) -> Vec<Vec<u8>> {
    let ip = client.to_canonical().to_string().into_bytes();
    let host = names.host.map(|host| [b"=", host].concat());
    let mut keys = Vec::new();
    if let Some(info) = names.info {
        keys.push([info, b"@", &ip].concat());
        keys.extend(host.iter().map(|host| [info, b"@", host].concat()));
    }
    keys.push(ip.clone());
    keys.extend(host.clone());
    keys.extend(
        (1..ip.len()).rev().filter_map(|end| ip.get(..end)).filter(|key| key.ends_with(b".")).map(<[u8]>::to_vec),
    );
    if let Some(name) = names.host {
        let dots = (0..name.len()).filter(|&at| name.get(at) == Some(&b'.'));
        keys.extend(dots.filter_map(|at| name.get(at..)).map(|suffix| [b"=", suffix].concat()));
        keys.push(b"=".to_vec());
    }
    keys.push(Vec::new());
    keys
}

/// The database by its name: opened again when the file behind the name is another one.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    dialect: Option<Dialect>,
    seen: Option<Stamp>,
    access: Option<Access>,
}

/// What tells one version of a file from another.
type Stamp = (u64, u64, u64, Option<SystemTime>);

impl Source {
    /// Nothing opened yet.
    pub fn new(path: PathBuf, dialect: Option<Dialect>) -> Source {
        Source { path, dialect, seen: None, access: None }
    }

    /// The name of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database in force.
    pub fn access(&self) -> Option<&Access> {
        self.access.as_ref()
    }

    /// Opens the file where it is not the one that was opened, or in any case with `again`. On failure the database
    /// that was in force stays, and the same file is not tried a second time.
    pub fn refresh(&mut self, again: bool) -> Result<(), Unusable> {
        let stamp = match fs::metadata(&self.path) {
            Ok(metadata) => stamp(&metadata),
            Err(_) if !again && self.seen.is_none() => return Ok(()),
            Err(e) => {
                self.seen = None;
                return Err(Unusable::Cdb(e.into()));
            }
        };
        if !again && self.seen == Some(stamp) {
            return Ok(());
        }
        self.seen = Some(stamp);
        self.access = Some(Access::open(&self.path, self.dialect)?);
        Ok(())
    }
}

fn stamp(metadata: &fs::Metadata) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino(), metadata.len(), metadata.modified().ok())
}

impl Unusable {
    /// True where there is no such file.
    pub fn is_missing(&self) -> bool {
        matches!(self, Unusable::Cdb(cdb::Error::Io(e)) if e.kind() == io::ErrorKind::NotFound)
    }

    /// True where another attempt may go better.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Unusable::Cdb(cdb::Error::Io(_)))
    }

    /// The reason in words.
    pub fn reason(&self) -> String {
        match self {
            Unusable::Cdb(cdb::Error::Io(e)) => chain::reason(e),
            // Most likely the file of a Courier before us, in a format of its own.
            Unusable::Cdb(_) => "no constant database, compile the rules with makeimapaccess or tcprules".to_owned(),
            Unusable::Mixed => "entries of tcprules beside entries of makeimapaccess".to_owned(),
        }
    }
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
