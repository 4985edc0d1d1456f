//! Any checkpassword program as a module of the chain.
#![forbid(unsafe_code)]

fn main() {}
