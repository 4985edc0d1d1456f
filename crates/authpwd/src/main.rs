//! Decides a login by the passwd database.
#![forbid(unsafe_code)]

fn main() {}
