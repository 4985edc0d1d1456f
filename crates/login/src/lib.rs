//! The login program in two halves.
#![forbid(unsafe_code)]
