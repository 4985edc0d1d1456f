//! A Maildir of a test's own, read and written without the code under test.
#![allow(clippy::unwrap_used, dead_code)] // each test program uses its part

use maildir::{FolderName, Root, Settings};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Removed when dropped.
pub struct Place(pub PathBuf);

impl Place {
    pub fn new() -> Place {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("daisychain-maildir-{}-{count}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Root::make(&path).unwrap();
        Place(path)
    }

    pub fn root(&self) -> Root {
        self.root_with(|_| {})
    }

    pub fn root_with(&self, change: impl Fn(&mut Settings)) -> Root {
        let mut settings = Settings { lock_wait: Duration::from_millis(200), ..Settings::default() };
        change(&mut settings);
        Root::open(&self.0, settings).unwrap()
    }

    pub fn inbox(&self) -> maildir::Folder {
        self.root().folder(&FolderName::INBOX).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn names(&self, directory: &str) -> Vec<String> {
        list(&self.path(directory))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Names in a directory, sorted.
pub fn list(path: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder name by its directory.
pub fn folder(directory: &str) -> FolderName {
    FolderName::from_directory(directory.as_bytes()).unwrap()
}
