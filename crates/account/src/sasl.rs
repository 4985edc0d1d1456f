//! The messages of SASL PLAIN (RFC 4616) and LOGIN, after base64: bytes in, name and password out.

use zeroize::Zeroizing;

/// The challenges of LOGIN as they go on the wire: `Username:` and `Password:` in base64.
pub const LOGIN_CHALLENGES: [&[u8]; 2] = [b"VXNlcm5hbWU6", b"UGFzc3dvcmQ6"];

/// A name and the password that was given for it.
pub struct Credentials {
    /// The name as typed.
    pub user: Vec<u8>,
    /// The password as typed.
    pub password: Zeroizing<Vec<u8>>,
}

/// PLAIN: `[authzid] NUL authcid NUL passwd`. The authorisation id is ignored, as Courier does.
pub fn plain(message: &[u8]) -> Option<Credentials> {
    let mut parts = message.split(|&byte| byte == 0);
    let (_authorisation, user, password) = (parts.next()?, parts.next()?, parts.next()?);
    match parts.next() {
        None => credentials(user, password),
        Some(_) => None,
    }
}

/// Name and password from wherever they came (the LOGIN command, the two answers of AUTHENTICATE LOGIN, USER and PASS):
/// refused where a control byte could be taken for a separator on descriptor 3.
pub fn credentials(user: &[u8], password: &[u8]) -> Option<Credentials> {
    (!user.is_empty() && is_text(user) && is_text(password))
        .then(|| Credentials { user: user.to_vec(), password: Zeroizing::new(password.to_vec()) })
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte >= b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(message: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        plain(message).map(|c| (c.user, c.password.to_vec()))
    }

    #[test]
    fn plain_messages() {
        assert_eq!(pair(b"\0joe\0secret"), Some((b"joe".to_vec(), b"secret".to_vec())));
        assert_eq!(pair(b"other\0joe\0s p\xff"), Some((b"joe".to_vec(), b"s p\xff".to_vec())));
        assert_eq!(pair(b"\0joe\0"), Some((b"joe".to_vec(), vec![])));
        for bad in
            [&b""[..], b"joe", b"\0joe", b"\0\0secret", b"\0joe\0se\0cret", b"\0jo\ne\0secret", b"\0joe\0sec\tret"]
        {
            assert_eq!(pair(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn challenges() {
        let texts = LOGIN_CHALLENGES.map(|text| crate::base64::decode(text).unwrap());
        assert_eq!(texts, [b"Username:".to_vec(), b"Password:".to_vec()]);
    }
}
