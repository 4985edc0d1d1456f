//! RFC 5322 and MIME as a mail store needs it: bytes in, offsets out, no I/O.
//!
//! A message is pushed through the [`Scanner`] in pieces of any size; what comes back is its [`Structure`]: where each
//! part's header and body lie, in the file and in the form sent to clients, and the raw values of the content fields.
//! The message itself is never held.
//!
//! ```
//! use message::Scanner;
//! let mut scanner = Scanner::new();
//! scanner.push(b"Subject: two\nContent-Type: multipart/mixed; boundary=b\n\n");
//! scanner.push(b"--b\n\none\n--b\n\ntwo\n--b--\n");
//! let structure = scanner.finish();
//! assert_eq!(structure.parts().len(), 3);
//! let two = structure.find(&[2]).unwrap();
//! assert_eq!(two.body_octets(), 3);
//! ```
//!
//! Everything a stranger wrote is bounded here: nesting, the number of parts, the length of one field, the addresses
//! of one list. No function recurses on input, none takes more than linear time, none panics.
#![forbid(unsafe_code)]

pub mod address;
pub mod charset;
pub mod content;
pub mod date;
pub mod encoded_word;
pub mod find;
pub mod header;
mod lines;
mod scanner;
mod structure;
pub mod transfer;
mod wire;

pub use content::ContentField;
pub use scanner::Scanner;
pub use structure::{Kind, Part, Structure};
pub use wire::{Position, ToWire};

/// Parts within parts, the message itself being the first: what lies deeper is shown as opaque octets.
pub const MAX_DEPTH: usize = 20;
/// Parts of one message; what follows belongs to the part where counting ended.
pub const MAX_PARTS: usize = 10_000;
/// Bytes of one header field that are looked at.
pub const MAX_FIELD: usize = 1 << 20;
/// Addresses of one header field.
pub const MAX_ADDRESSES: usize = 10_000;
/// Parameters of one content field.
pub const MAX_PARAMETERS: usize = 100;
