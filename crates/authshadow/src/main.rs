//! Decides a login by the shadow database.
#![forbid(unsafe_code)]

fn main() {}
