//! What is known of an account once it may log in.

/// An account. Texts that are not known are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The canonical login name.
    pub address: Vec<u8>,
    /// The system's own name of the user, where its supplementary groups are wanted; none for a virtual account.
    pub system_user: Option<Vec<u8>>,
    /// The user id its session runs as.
    pub uid: u32,
    /// The group id its session runs as.
    pub gid: u32,
    /// The home directory, absolute.
    pub home: Vec<u8>,
    /// The full name.
    pub fullname: Vec<u8>,
    /// The maildir, relative to the home directory.
    pub maildir: Vec<u8>,
    /// The maildir quota, `10000000S,1000C`.
    pub quota: Vec<u8>,
    /// The option list, see [`Options`](crate::Options).
    pub options: Vec<u8>,
    /// The login shell.
    pub shell: Vec<u8>,
}

impl Account {
    /// Whether a session of this account would run with the super-user's rights: such an account is never served.
    pub fn is_super_user(&self) -> bool {
        self.uid == 0 || self.gid == 0
    }
}
