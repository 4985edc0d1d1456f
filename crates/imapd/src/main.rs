//! Serves one account's Maildir over IMAP.
#![forbid(unsafe_code)]

fn main() {}
