//! The files of a Maildir, in Courier's formats.
#![forbid(unsafe_code)]
