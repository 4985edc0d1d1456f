//! The files of a Maildir, in Courier's formats.
//!
//! The Maildir is the truth: message files never change, flags live in their names, UIDs and keywords in Courier's own
//! files beside them. This room reads and writes those files so that Courier and this program can take turns on one
//! account, and so that nothing is lost in a crash. It knows nothing of IMAP's words; settings are passed in.
//!
//! ```
//! use maildir::{FolderName, Root, Settings};
//! # let place = std::env::temp_dir().join(format!("maildir-doc-{}", std::process::id()));
//! Root::make(&place)?;
//! let root = Root::open(&place, Settings::default())?;
//! let inbox = root.folder(&FolderName::INBOX)?;
//! let mut batch = maildir::Batch::new(inbox);
//! batch.begin(None)?;
//! batch.write(b"Subject: hello\n\nworld\n")?;
//! batch.finish(maildir::Flags::SEEN, &[])?;
//! let placed = batch.commit()?;
//! let listing = root.folder(&FolderName::INBOX)?.list()?;
//! assert_eq!(listing.uids(), placed.uids);
//! # std::fs::remove_dir_all(&place).unwrap();
//! # Ok::<(), maildir::Error>(())
//! ```
#![forbid(unsafe_code)]

pub mod acl;
mod arrivals;
mod batch;
mod clean;
mod dir;
mod durable;
mod error;
mod folder;
mod folder_name;
mod grain;
mod keyword_files;
pub mod keywords;
mod listing;
mod lock;
mod message_name;
mod names;
pub mod quota;
mod root;
mod scan;
pub mod subscriptions;
mod takeover;
pub mod trash;
mod tree;
pub mod uidtable;
mod uidvalidity;
mod unique;
mod utf7;

pub use batch::{Batch, Placed};
pub use dir::{Dir, FileKind, Stamp};
pub use durable::replace;
pub use error::{Error, Result};
pub use folder::{Folder, Renamed};
pub use folder_name::{Encoding, FolderName, Wire};
pub use grain::Grain;
pub use listing::{Counts, Entry, Listing, Proof};
pub use lock::FolderLock;
pub use message_name::{Flags, MessageName, base_of, delivery_order};
pub use names::{BaseIndex, Names};
pub use root::{Durable, Root, Settings};
pub use scan::{Pass, Presence, Scan, Unwatched, Witness, scan};
