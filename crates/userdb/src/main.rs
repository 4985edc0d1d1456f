//! The userdb tools.
#![forbid(unsafe_code)]

fn main() {}
