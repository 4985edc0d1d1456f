//! Being woken when a folder changes.
//!
//! A user has 128 inotify instances and closing one takes milliseconds, so a session opens at most one, late, and keeps it
//! to its end; going to another folder only moves its watches. Where there is none to be had the caller polls.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

/// The one inotify instance of a session, or the knowledge that there is none.
#[derive(Default)]
pub struct Watch {
    instance: Instance,
    descriptors: Vec<WatchDescriptor>,
    /// Something is not there yet that must be watched once it is.
    partial: bool,
}

#[derive(Default)]
enum Instance {
    #[default]
    NotYet,
    Open(Inotify),
    Unavailable,
}

impl Watch {
    /// Nothing is opened yet.
    pub fn new() -> Watch {
        Watch::default()
    }

    /// Whether a directory has been missing that the folder may get: once awake, watch anew before looking.
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    pub(crate) fn set_partial(&mut self, partial: bool) {
        self.partial = partial;
    }

    /// Watch these directories and no others. False: poll instead.
    pub fn follow(&mut self, directories: &[BorrowedFd<'_>]) -> bool {
        if matches!(self.instance, Instance::NotYet) {
            self.instance = match Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK) {
                Ok(inotify) => Instance::Open(inotify),
                Err(_) => Instance::Unavailable,
            };
        }
        let Instance::Open(inotify) = &self.instance else { return false };
        // What is watched already keeps its descriptor: to remove a watch is an event by itself.
        let before = std::mem::take(&mut self.descriptors);
        let mut whole = true;
        for directory in directories {
            match inotify.add_watch(path_of(directory).as_str(), events()) {
                Ok(descriptor) => self.descriptors.push(descriptor),
                Err(_) => whole = false,
            }
        }
        for descriptor in before.into_iter().filter(|descriptor| !self.descriptors.contains(descriptor)) {
            let _gone_already = inotify.rm_watch(descriptor);
        }
        if !whole {
            self.leave();
        }
        whole
    }

    /// Stop watching, keep the instance.
    pub fn leave(&mut self) {
        if let Instance::Open(inotify) = &self.instance {
            for descriptor in self.descriptors.drain(..) {
                // The directory may be gone, and its watch with it.
                let _gone_already = inotify.rm_watch(descriptor);
            }
        }
    }

    /// Readable when something happened; None where the caller must poll by the clock.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match &self.instance {
            Instance::Open(inotify) if !self.descriptors.is_empty() => Some(inotify.as_fd()),
            _ => None,
        }
    }

    /// Read away what is queued. True if anything was, an overflow included.
    pub fn drain(&mut self) -> bool {
        let Instance::Open(inotify) = &self.instance else { return false };
        let mut any = false;
        loop {
            match inotify.read_events() {
                Ok(events) if events.is_empty() => return any,
                Ok(_) => any = true,
                Err(Errno::EINTR) => {}
                Err(_) => return any,
            }
        }
    }
}

fn events() -> AddWatchFlags {
    AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_MOVED_FROM
        | AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_DELETE_SELF
        | AddWatchFlags::IN_ONLYDIR
}

/// The directory itself and not what its name leads to by now.
fn path_of(directory: &BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", directory.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn wakes_for_a_new_file_and_not_for_a_left_directory() {
        let path = std::env::temp_dir().join(format!("daisychain-watch-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let directory = File::open(&path).unwrap();
        let mut watch = Watch::new();
        assert!(watch.descriptor().is_none());
        if watch.follow(&[directory.as_fd()]) {
            assert!(watch.descriptor().is_some() && !watch.drain());
            File::create(path.join("a")).unwrap();
            assert!(watch.drain());
            assert!(!watch.drain());
            assert!(watch.follow(&[directory.as_fd()]) && !watch.drain(), "to watch it again is no event");
            watch.leave();
            watch.drain();
            File::create(path.join("b")).unwrap();
            assert!(!watch.drain());
        }
        std::fs::remove_dir_all(&path).unwrap();
    }
}
