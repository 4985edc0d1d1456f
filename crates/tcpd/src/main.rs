//! Accepts connections and starts the chain.
#![forbid(unsafe_code)]

fn main() {}
