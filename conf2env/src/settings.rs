//! The settings read so far.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The longest name, in bytes: a name is a file name in the envdir.
const LONGEST_NAME: usize = 255;

/// A name and what belongs to it.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Names and values, in the order of the names; a later assignment of a name replaces the earlier one.
pub struct Settings {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    presets: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Settings {
    /// No settings yet; `presets` are what `$NAME` finds where no setting has that name.
    pub fn new(presets: Vec<Pair>) -> Self {
        Settings { values: BTreeMap::new(), presets: presets.into_iter().collect() }
    }

    /// Sets one.
    pub fn set(&mut self, name: &[u8], value: Vec<u8>) {
        self.values.insert(name.to_vec(), value);
    }

    /// What `$NAME` stands for: a setting, else a preset. The process's own environment is no part of it, as the
    /// configuration files were always read with an empty one.
    pub fn look_up(&self, name: &[u8]) -> Option<&[u8]> {
        self.values.get(name).or_else(|| self.presets.get(name)).map(Vec::as_slice)
    }

    /// All settings (not the presets).
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.values.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// Whether there is a setting of this name.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.values.contains_key(name)
    }

    /// The settings as an environment.
    pub fn for_exec(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.iter().map(|(name, value)| (OsStr::from_bytes(name), OsStr::from_bytes(value)))
    }
}

/// A name as the shell knows it, short enough for a file name.
pub fn is_name(name: &[u8]) -> bool {
    name.len() <= LONGEST_NAME
        && name.first().is_some_and(|&byte| begins_name(byte))
        && name.iter().all(|&byte| continues_name(byte))
}

/// Whether a name may begin with this byte.
pub fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

/// Whether a name may go on with this byte.
pub fn continues_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Why this name must not be set from a file: it would change how every later program of the chain runs.
pub fn refused(name: &[u8]) -> bool {
    name.starts_with(b"LD_") || name == b"IFS"
}
