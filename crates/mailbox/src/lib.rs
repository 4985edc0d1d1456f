//! A folder as IMAP sees it.
#![forbid(unsafe_code)]

mod envelope;
mod message;
mod section;
mod structure;

pub use crate::message::{Message, Source};
pub use section::Piece;
