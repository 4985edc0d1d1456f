//! A request, as far as a store of passwords is concerned.

use chain::{Dialect, Malformed, Request, login_fields};

/// A login to decide.
pub struct Attempt<'a> {
    /// Such as `imap`: it may have a password of its own.
    pub service: &'a [u8],
    /// The name as typed.
    pub user: &'a [u8],
    /// What proves it.
    pub secret: Secret<'a>,
    /// Whether the caller speaks checkpassword's dialect, whose programs expect `USER` and `SHELL`.
    pub is_checkpassword: bool,
}

/// What proves a login.
pub enum Secret<'a> {
    /// A password to check.
    Password(&'a [u8]),
    /// Nothing: the TLS stage has proved it, or an administrator asks.
    None,
}

impl<'a> Attempt<'a> {
    /// The attempt in a request; none where it is of another kind (a digest).
    pub fn of(request: &'a Request) -> Result<Option<Attempt<'a>>, Malformed> {
        match request.dialect()? {
            Dialect::Classic { service, authtype: b"login", authdata } => {
                let (user, password) = login_fields(authdata).ok_or(Malformed)?;
                let secret = Secret::Password(password);
                Ok(Some(Attempt { service, user, secret, is_checkpassword: false }))
            }
            Dialect::Classic { service, authtype: b"external", authdata } => {
                let user = authdata.split(|&byte| byte == b'\n').next().filter(|user| !user.is_empty());
                let user = user.ok_or(Malformed)?;
                Ok(Some(Attempt { service, user, secret: Secret::None, is_checkpassword: false }))
            }
            Dialect::Classic { .. } => Ok(None),
            // The timestamp is no sign of a digest: qmail-popup sends its own with every password.
            Dialect::Checkpassword { login, password, .. } => {
                let secret = Secret::Password(password);
                Ok(Some(Attempt { service: service_of_caller(), user: login, secret, is_checkpassword: true }))
            }
        }
    }
}

/// The service of a caller that does not say: what `PROTOCOL` names, else POP3, whose front ends speak checkpassword.
fn service_of_caller() -> &'static [u8] {
    match chain::environment::own_set("PROTOCOL") {
        Some(b"IMAP" | b"imap" | b"SMAP1") => b"imap",
        _ => b"pop3",
    }
}
