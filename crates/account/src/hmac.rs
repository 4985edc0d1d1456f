//! The HMAC contexts that userdb stores for the CRAM mechanisms: what is left of a password after its first block.

use crate::hex::hex;
use md5::Digest as _;
use zeroize::{Zeroize as _, Zeroizing};

/// The hash under an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// `hmac-md5`, CRAM-MD5.
    Md5,
    /// `hmac-sha1`, CRAM-SHA1.
    Sha1,
    /// `hmac-sha256`, CRAM-SHA256.
    Sha256,
}

/// All of them, in the order of the documentation.
pub const HASHES: [Hash; 3] = [Hash::Md5, Hash::Sha1, Hash::Sha256];

impl Hash {
    /// The name in fields and options: `hmac-md5`.
    pub fn name(self) -> &'static str {
        match self {
            Hash::Md5 => "hmac-md5",
            Hash::Sha1 => "hmac-sha1",
            Hash::Sha256 => "hmac-sha256",
        }
    }

    /// The stored form of a password: lower-case hex of the outer state, then of the inner one.
    pub fn context(self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        let key = self.key(password);
        let mut text = Zeroizing::new(Vec::with_capacity(128));
        for pad in [0x5c, 0x36] {
            let block = Zeroizing::new(key.map(|byte| byte ^ pad));
            text.extend(Zeroizing::new(hex(&self.state(&block))).iter());
        }
        text
    }

    /// RFC 2104: a key longer than a block is hashed first.
    fn key(self, password: &[u8]) -> Zeroizing<[u8; 64]> {
        let mut key = Zeroizing::new([0; 64]);
        let mut fill = |bytes: &[u8]| key.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        match self {
            _ if password.len() <= 64 => fill(password),
            Hash::Md5 => fill(&md5::Md5::digest(password)),
            Hash::Sha1 => fill(&sha1::Sha1::digest(password)),
            Hash::Sha256 => fill(&sha2::Sha256::digest(password)),
        }
        key
    }

    /// The chaining value after one block, in the digest's own byte order.
    fn state(self, block: &[u8; 64]) -> Zeroizing<Vec<u8>> {
        match self {
            Hash::Md5 => {
                let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
                md5::block_api::compress(&mut state, &[*block]);
                wipe(&mut state, u32::to_le_bytes)
            }
            Hash::Sha1 => {
                let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
                sha1::block_api::compress(&mut state, &[*block]);
                wipe(&mut state, u32::to_be_bytes)
            }
            Hash::Sha256 => {
                let mut state = [
                    0x6a09_e667,
                    0xbb67_ae85,
                    0x3c6e_f372,
                    0xa54f_f53a,
                    0x510e_527f,
                    0x9b05_688c,
                    0x1f83_d9ab,
                    0x5be0_cd19,
                ];
                sha2::block_api::compress256(&mut state, &[*block]);
                wipe(&mut state, u32::to_be_bytes)
            }
        }
    }
}

fn wipe(state: &mut [u32], bytes: fn(u32) -> [u8; 4]) -> Zeroizing<Vec<u8>> {
    let text = Zeroizing::new(state.iter().flat_map(|&word| bytes(word)).collect());
    state.zeroize();
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::hmac::{KeyInit, Mac};

    #[test]
    fn golden_contexts_of_secret() {
        let text = |hash: Hash| String::from_utf8(hash.context(b"secret").to_vec()).unwrap();
        assert_eq!(text(Hash::Md5), "cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b56");
        assert_eq!(
            text(Hash::Sha1),
            "091e0f4c6cb5277ee2beb639a60d0831b5c8adcdaee172433df3e96ba4f00fb1b6a490c3929d2034"
        );
        assert_eq!(
            text(Hash::Sha256),
            "5a84072aab37d22275b139adf7a92564c7f674be98e77d991f6f689d29e0524572804f31b042016804d3dea2f4e991a21b1c8906be161594b202fb74afc8ceb3"
        );
    }

    #[test]
    fn a_long_password_is_hashed_first() {
        let long = [b'x'; 65];
        assert_eq!(Hash::Md5.context(&long), Hash::Md5.context(&md5::Md5::digest(long)));
        assert_ne!(Hash::Md5.context(&[b'x'; 64]), Hash::Md5.context(&md5::Md5::digest([b'x'; 64])));
        // The crate agrees that they are one key.
        let mac = |key: &[u8]| <::hmac::Hmac<md5::Md5>>::new_from_slice(key).unwrap().finalize().into_bytes();
        assert_eq!(mac(&long), mac(&md5::Md5::digest(long)));
    }
}
