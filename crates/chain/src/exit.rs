//! Exit codes, in one place.

/// Done.
pub const DONE: i32 = 0;
/// Checkpassword dialect only: the login is not accepted.
pub const REFUSED: i32 = 1;
/// Checkpassword dialect only: no request, or none that makes sense.
pub const MISUSED: i32 = 2;
/// Wrong usage, configuration or contract: trying again is of no use.
pub const PERMANENT: i32 = 100;
/// A system call or a resource failed: try later.
pub const TEMPORARY: i32 = 111;
