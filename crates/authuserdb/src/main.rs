//! Decides a login by userdb.
#![forbid(unsafe_code)]

fn main() {}
