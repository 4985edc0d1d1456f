//! IMAP grammar: bytes in, bytes out, no I/O.
#![forbid(unsafe_code)]
