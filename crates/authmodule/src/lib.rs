//! What every authentication module does around its one look-up.
#![forbid(unsafe_code)]
