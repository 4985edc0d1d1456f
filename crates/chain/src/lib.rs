//! The exec hand-over between the programs of the chain.
#![forbid(unsafe_code)]
