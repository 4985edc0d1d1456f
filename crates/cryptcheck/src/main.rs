//! Checks one password against one crypt(3) hash.
#![forbid(unsafe_code)]

fn main() {}
