//! Makes Maildirs and folders.
#![forbid(unsafe_code)]

fn main() {}
