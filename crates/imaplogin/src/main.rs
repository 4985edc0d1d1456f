//! Talks IMAP until there is one login attempt.
#![forbid(unsafe_code)]

fn main() {}
