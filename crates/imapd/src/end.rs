//! How a session ends.

/// Why no further command is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The client said LOGOUT.
    Logout,
    /// The client closed, or can no longer be written to.
    Disconnected,
    /// Silence for longer than the limit.
    Timeout,
    /// TERM, HUP or INT.
    Signal,
    /// We hang up, with these words after `* BYE `.
    Refused(&'static [u8]),
}
