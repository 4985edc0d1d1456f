//! A folder as IMAP sees it.
#![forbid(unsafe_code)]
