//! The algorithms, by the names that the configuration uses, and the sizes that ESP needs of them.

/// How a cipher is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    AesGcm,
    AesCcm,
    ChaCha20Poly1305,
    AesCbc,
    TripleDes,
    Des,
    Null,
}

/// A cipher, alone (`icv` is 0) or with its own integrity. All sizes are octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encryption {
    pub name: &'static str,
    pub family: Family,
    pub key: usize,
    /// The implicit part of the nonce; follows the key in the keying material.
    pub salt: usize,
    /// The plaintext is padded to a multiple of this, and of 4 (RFC 4303, 2.4).
    pub block: usize,
    pub iv: usize,
    pub icv: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// HMAC cut to `icv` octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Integrity {
    pub name: &'static str,
    pub hash: Hash,
    pub key: usize,
    pub icv: usize,
}

const fn gcm(name: &'static str, key: usize, icv: usize) -> Encryption {
    Encryption { name, family: Family::AesGcm, key, salt: 4, block: 1, iv: 8, icv } // RFC 4106
}

const fn ccm(name: &'static str, key: usize, icv: usize) -> Encryption {
    Encryption { name, family: Family::AesCcm, key, salt: 3, block: 1, iv: 8, icv } // RFC 4309
}

const fn cbc(name: &'static str, family: Family, key: usize, block: usize) -> Encryption {
    Encryption { name, family, key, salt: 0, block, iv: block, icv: 0 } // RFC 3602, 2451, 2405
}

pub const ENCRYPTION: &[Encryption] = &[
    gcm("aes-256-gcm", 32, 16),
    gcm("aes-192-gcm", 24, 16),
    gcm("aes-128-gcm", 16, 16),
    gcm("aes-256-gcm-12", 32, 12),
    gcm("aes-192-gcm-12", 24, 12),
    gcm("aes-128-gcm-12", 16, 12),
    gcm("aes-256-gcm-8", 32, 8),
    gcm("aes-192-gcm-8", 24, 8),
    gcm("aes-128-gcm-8", 16, 8),
    // RFC 7634
    Encryption {
        name: "chacha20-poly1305",
        family: Family::ChaCha20Poly1305,
        key: 32,
        salt: 4,
        block: 1,
        iv: 8,
        icv: 16,
    },
    ccm("aes-256-ccm", 32, 16),
    ccm("aes-192-ccm", 24, 16),
    ccm("aes-128-ccm", 16, 16),
    ccm("aes-256-ccm-12", 32, 12),
    ccm("aes-192-ccm-12", 24, 12),
    ccm("aes-128-ccm-12", 16, 12),
    ccm("aes-256-ccm-8", 32, 8),
    ccm("aes-192-ccm-8", 24, 8),
    ccm("aes-128-ccm-8", 16, 8),
    cbc("aes-256-cbc", Family::AesCbc, 32, 16),
    cbc("aes-192-cbc", Family::AesCbc, 24, 16),
    cbc("aes-128-cbc", Family::AesCbc, 16, 16),
    cbc("3des", Family::TripleDes, 24, 8),
    cbc("des", Family::Des, 8, 8),
    // RFC 2410
    Encryption { name: "null", family: Family::Null, key: 0, salt: 0, block: 1, iv: 0, icv: 0 },
];

pub const INTEGRITY: &[Integrity] = &[
    Integrity { name: "sha512", hash: Hash::Sha512, key: 64, icv: 32 }, // RFC 4868
    Integrity { name: "sha384", hash: Hash::Sha384, key: 48, icv: 24 },
    Integrity { name: "sha256", hash: Hash::Sha256, key: 32, icv: 16 },
    Integrity { name: "sha1", hash: Hash::Sha1, key: 20, icv: 12 }, // RFC 2404
    Integrity { name: "md5", hash: Hash::Md5, key: 16, icv: 12 },   // RFC 2403
];

impl Encryption {
    pub fn named(name: &str) -> Option<&'static Encryption> {
        ENCRYPTION.iter().find(|row| row.name == name)
    }

    pub const fn aead(&self) -> bool {
        self.icv > 0
    }
}

impl Integrity {
    pub fn named(name: &str) -> Option<&'static Integrity> {
        INTEGRITY.iter().find(|row| row.name == name)
    }
}
