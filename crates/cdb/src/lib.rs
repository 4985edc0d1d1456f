//! Constant databases: reader and writer.
#![forbid(unsafe_code)]
