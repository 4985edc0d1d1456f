//! A folder as IMAP sees it: messages by number and UID, what changed since the client last heard, and the
//! commands that change it.
//!
//! ```
//! use mailbox::{Append, Expunges, Mailbox, Mode};
//! use imap::{Bound, FlagList, SequenceSet};
//! # let place = std::env::temp_dir().join(format!("mailbox-doc-{}", std::process::id()));
//! # maildir::Root::make(&place).unwrap();
//! let root = maildir::Root::open(&place, maildir::Settings::default())?;
//! let inbox = maildir::FolderName::INBOX;
//! let mut mailbox = Mailbox::open(&root, &inbox, Mode::ReadWrite)?;
//!
//! let mut append = Append::begin(root.folder(&inbox)?, None)?;
//! append.write(b"Subject: hello\r\n\r\nworld\r\n")?;
//! append.finish(&FlagList::default())?;
//! let placed = append.commit()?;
//!
//! let changes = mailbox.sync(Expunges::Report)?;
//! assert_eq!(changes.exists, Some(1));
//! let numbers = mailbox.resolve(&SequenceSet::range(Bound::Number(1), Bound::Last), false)?;
//! assert_eq!(numbers.iter().map(|number| mailbox.uid(number).unwrap()).collect::<Vec<_>>(), placed.uids);
//! # std::fs::remove_dir_all(&place).unwrap();
//! # Ok::<(), mailbox::Error>(())
//! ```
//!
//! The Maildir is the truth, this is a view of it: what others do shows at the next [`Mailbox::sync`].
#![forbid(unsafe_code)]

mod append;
mod changes;
mod copy;
mod envelope;
mod error;
mod expunge;
mod file;
mod keywords;
mod line_ends;
mod look;
mod mailbox;
mod message;
mod recent;
mod resolve;
mod search;
mod section;
mod status;
mod store;
mod structure;
#[cfg(test)]
mod tests;
mod view;
mod watch;

pub use crate::message::{Message, Room, Source};
pub use append::Append;
pub use changes::{Changes, Expunges};
pub use copy::Copied;
pub use error::Error;
pub use expunge::{Fate, Removed};
pub use mailbox::{Mailbox, Mode, Shown};
pub use maildir::Placed;
pub use search::{Searcher, UnknownCharset};
pub use section::Piece;
pub use status::{Status, status};
pub use store::Stored;
pub use watch::Watch;
