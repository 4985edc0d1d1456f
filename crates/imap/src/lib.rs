//! IMAP grammar: bytes in, bytes out, no I/O.
//!
//! A session frames the client's bytes, parses one command, and appends its answer to a buffer:
//!
//! ```
//! use imap::{Command, Framer, Rules, Step, parse};
//! use imap::response::{self, Status};
//!
//! let rules = Rules::AFTER_LOGIN;
//! let bytes = b"a1 SELECT inbox\r\na2 NOOP\r\n";
//! let Step::Complete { end } = Framer::new(&rules).step(bytes) else { unreachable!() };
//! let tagged = parse(&bytes[..end], &rules).unwrap();
//! assert_eq!(tagged.command, Command::Select { mailbox: b"inbox".to_vec() });
//!
//! let mut out = Vec::new();
//! response::tagged(&mut out, &tagged.tag, Status::Ok, Some(response::Code::ReadWrite), b"Ok");
//! assert_eq!(out, b"a1 OK [READ-WRITE] Ok\r\n");
//! ```
//!
//! One file a concept. Nothing here recurses on input, allocates by a size that the client only declared, or panics.
//! There is no `memchr` either: the login program uses this crate, and what finds the processor's features costs more
//! than a login's few lines (a CPUID traps under virtual machines).
#![forbid(unsafe_code)]

pub mod append;
mod before_login;
pub mod capability;
mod class;
mod command;
mod date;
mod discard;
mod error;
mod fetch;
mod flag;
mod framing;
mod id;
mod lexer;
mod list;
mod login;
mod numbers;
mod pattern;
pub mod response;
mod rules;
mod search;
mod sequence;
mod status;
mod store;
pub mod write;

pub use append::AppendHead;
pub use before_login::{BeforeLogin, parse_before_login};
pub use command::{Command, Peek, Tagged, parse, peek};
pub use date::{Date, DateTime};
pub use discard::{Discard, Discarded};
pub use error::{Kind, ParseError};
pub use fetch::{BodySection, Fetch, FetchItem, Partial, Section, SectionText};
pub use flag::{Flag, FlagList, Flags};
pub use framing::{Framer, Literal, Step, line_end};
pub use id::IdField;
pub use list::List;
pub use login::{Authenticate, Login};
pub use numbers::NumberSet;
pub use pattern::Pattern;
pub use rules::Rules;
pub use search::{Search, SearchKey};
pub use sequence::{Bound, SequenceSet};
pub use status::StatusItem;
pub use store::{Store, StoreMode};
