//! The hand-over from one program of the chain to the next.
//!
//! A connection passes through several programs, each replacing the one before by an exec. What
//! crosses is argv, an environment built from an allow-list, the connection on descriptors 0 and 1
//! and, on the way to an authentication module, a login request on descriptor 3. This crate is
//! that contract, and nothing else: daisychain-chain(7) tells it in words.
//!
//! ```
//! use chain::{Environment, Stage};
//!
//! let mut next = Environment::inherited(Stage::Module);
//! next.set("AUTHREASON", b"temp");
//! assert_eq!(next.get("AUTHREASON"), Some(&b"temp"[..]));
//! assert_eq!(next.get("LD_PRELOAD"), None);
//! ```
#![forbid(unsafe_code)]

pub mod environment;
mod exec;
pub mod exit;
mod message;
mod module;
mod names;
mod peer;
mod privileges;
mod request;

pub use environment::{Environment, Stage};
pub use exec::{Next, exec};
pub use message::{Program, field, reason};
pub use module::{Accepted, Chain};
pub use peer::Peer;
pub use privileges::{Groups, Identity, NotDropped};
pub use request::{Dialect, MAXIMUM, Malformed, Request, RequestError, login_fields};
