//! Password schemes: is this the password that was stored?

use crate::base64;
use crate::crypt::{self, Crypt, Trouble};
use crate::hex::hex;
use md5::Digest as _;
use subtle::ConstantTimeEq as _;

/// Whether `entered` is the password that `stored` holds.
///
/// The order is Courier's: `$1$`, then the schemes in braces (in any case), then crypt(3), with or without `{CRYPT}`.
/// What is no hash matches nothing: there is no comparison with clear text.
pub fn verify(stored: &[u8], entered: &[u8], crypt: &dyn Crypt) -> Result<bool, Trouble> {
    Ok(match Scheme::of(stored) {
        Some((Scheme::Crypt, hash)) => crypt.matches(entered, hash)?,
        Some((Scheme::Digest(digest), text)) => digest(entered).ct_eq(text).into(),
        Some((Scheme::Salted, text)) => is_salted_sha(text, entered),
        None => false,
    })
}

/// The verdict on a login, at the same cost whether there is such a user or not: where `stored` cannot be checked
/// (no such user, no password, a locked one) the password is checked in vain against `sample`, a hash that stands
/// somewhere in the store. A store without any costs nobody anything.
pub fn decide(
    stored: Option<&[u8]>,
    entered: &[u8],
    sample: impl FnOnce() -> Option<Vec<u8>>,
    crypt: &dyn Crypt,
) -> Result<bool, Trouble> {
    match stored {
        Some(stored) if is_hash(stored) => return verify(stored, entered, crypt),
        Some(stored) if is_hash(unlocked(stored)) => verify(unlocked(stored), entered, crypt)?,
        _ => match sample() {
            Some(sample) => verify(&sample, entered, crypt)?,
            None => false,
        },
    };
    Ok(false)
}

/// What stands behind the marks that `usermod -L` and `passwd -l` put in front of a hash.
fn unlocked(stored: &[u8]) -> &[u8] {
    let marks = stored.iter().take_while(|byte| b"!*".contains(byte)).count();
    stored.get(marks..).unwrap_or_default()
}

/// Whether this is something that a password can be checked against.
pub fn is_hash(stored: &[u8]) -> bool {
    match Scheme::of(stored) {
        Some((Scheme::Crypt, hash)) => crypt::method(hash).is_some(),
        Some((_, text)) => !text.is_empty(),
        None => false,
    }
}

type Digest = fn(&[u8]) -> Vec<u8>;

enum Scheme {
    Crypt,
    /// The stored text is a function of the password alone.
    Digest(Digest),
    /// `{SSHA}`.
    Salted,
}

impl Scheme {
    /// The scheme of a stored password, and its text.
    fn of(stored: &[u8]) -> Option<(Scheme, &[u8])> {
        let Some(braced) = stored.strip_prefix(b"{") else {
            return Some((Scheme::Crypt, stored));
        };
        let end = braced.iter().position(|&byte| byte == b'}')?;
        let (name, text) = (braced.get(..end)?, braced.get(end + 1..)?);
        let digests: [(&[u8], Digest); 5] = [
            (b"MD5", |password| base64::encode(&md5::Md5::digest(password))),
            (b"MD5RAW", |password| hex(&md5::Md5::digest(password))),
            (b"SHA", |password| base64::encode(&sha1::Sha1::digest(password))),
            (b"SHA256", |password| base64::encode(&sha2::Sha256::digest(password))),
            (b"SHA512", |password| base64::encode(&sha2::Sha512::digest(password))),
        ];
        if name.eq_ignore_ascii_case(b"CRYPT") {
            return Some((Scheme::Crypt, text));
        }
        if name.eq_ignore_ascii_case(b"SSHA") {
            return Some((Scheme::Salted, text));
        }
        let (_, digest) = digests.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
        Some((Scheme::Digest(digest), text))
    }
}

/// base64 of the SHA-1 of password and salt, then the salt. Courier's salt is 4 bytes; other makers' are longer.
fn is_salted_sha(text: &[u8], entered: &[u8]) -> bool {
    let decoded = base64::decode(text).unwrap_or_default();
    let Some((digest, salt)) = decoded.split_at_checked(20) else {
        return false;
    };
    let mut sha = sha1::Sha1::new();
    sha.update(entered);
    sha.update(salt);
    sha.finalize().as_slice().ct_eq(digest).into()
}

#[cfg(test)]
mod tests;
