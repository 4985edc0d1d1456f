//! Configuration file to envdir.
#![forbid(unsafe_code)]

fn main() {}
