//! AES-GCM with a whole ICV and keys of 128 or 256 bits (RFC 4106), and ChaCha20-Poly1305 (RFC 7634).

use std::hint::black_box;

use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};

use super::{Forged, HEADER, Sequence, Transform, associated};
use crate::suite::{Encryption, Family};

const IV: usize = 8;
const ICV: usize = 16;
const SALT: usize = 4;

struct Aead {
    key: LessSafeKey,
    salt: [u8; SALT],
}

pub(super) fn full(row: &Encryption, key_and_salt: &[u8]) -> Option<Box<dyn Transform>> {
    let algorithm = match (row.family, row.key) {
        (Family::ChaCha20Poly1305, _) => &CHACHA20_POLY1305,
        (Family::AesGcm, 16) => &AES_128_GCM,
        (Family::AesGcm, 32) => &AES_256_GCM,
        _ => return None,
    };
    let (key, salt) = key_and_salt.split_last_chunk()?;
    Some(Box::new(Aead { key: expanded(algorithm, key)?, salt: *salt }))
}

fn expanded(algorithm: &'static Algorithm, key: &[u8]) -> Option<LessSafeKey> {
    UnboundKey::new(algorithm, key).map(LessSafeKey::new).ok()
}

/// The library does not wipe its keys: one of zeros is written over each, and whoever asks for the place afterwards keeps
/// the compiler from leaving that out.
impl Drop for Aead {
    fn drop(&mut self) {
        let algorithm = self.key.algorithm();
        if let Some(zeros) = expanded(algorithm, &[0; 32][..algorithm.key_len()]) {
            self.key = zeros;
        }
        self.salt = [0; SALT];
        black_box(self);
    }
}

impl Aead {
    fn nonce(&self, iv: &[u8]) -> Nonce {
        let mut nonce = [0; SALT + IV];
        nonce[..SALT].copy_from_slice(&self.salt);
        nonce[SALT..].copy_from_slice(iv);
        Nonce::assume_unique_for_key(nonce)
    }
}

impl Transform for Aead {
    fn seal(&self, packet: &mut [u8], sequence: Sequence) -> Result<(), Forged> {
        let (data, length) = associated(packet, sequence);
        // RFC 4106, 3.1: the sequence number is a counter that no packet of this key shares.
        packet[HEADER..HEADER + IV].copy_from_slice(&sequence.number.to_be_bytes());
        let nonce = self.nonce(&packet[HEADER..HEADER + IV]);
        let (body, icv) = packet[HEADER + IV..].split_last_chunk_mut::<ICV>().ok_or(Forged)?;
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(&data[..length]), body)
            .map_err(|_| Forged)?;
        icv.copy_from_slice(tag.as_ref());
        Ok(())
    }

    fn open(&self, packet: &mut [u8], sequence: Sequence) -> Result<(), Forged> {
        let (data, length) = associated(packet, sequence);
        let nonce = self.nonce(&packet[HEADER..HEADER + IV]);
        let body = &mut packet[HEADER + IV..];
        self.key.open_in_place(nonce, Aad::from(&data[..length]), body).map(|_| ()).map_err(|_| Forged)
    }
}
