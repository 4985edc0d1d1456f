//! Who may log in: the account record, password schemes, SASL messages, the userdb.
//!
//! Nothing here prints, exits or reads the environment; what a module decides and says is its own.
//!
//! ```
//! use account::{base64, sasl};
//!
//! let message = base64::decode(b"AGpvZQBzZWNyZXQ=").expect("strict base64");
//! let credentials = sasl::plain(&message).expect("a PLAIN message");
//! assert_eq!((&credentials.user[..], &credentials.password[..]), (&b"joe"[..], &b"secret"[..]));
//! ```
#![forbid(unsafe_code)]

pub mod base64;
pub mod crypt;
mod hex;
pub mod hmac;
pub mod name;
pub mod options;
pub mod password;
mod record;
pub mod sasl;
pub mod userdb;

pub use options::Options;
pub use record::Account;
