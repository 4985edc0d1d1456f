//! RFC 5322 and MIME structure: bytes in, offsets out, no I/O.
#![forbid(unsafe_code)]
