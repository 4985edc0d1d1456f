//! Who may log in: account records, password schemes, userdb.
#![forbid(unsafe_code)]
