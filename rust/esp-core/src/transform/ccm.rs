//! AES-CCM (RFC 4309).

use aes::{Aes128, Aes192, Aes256};
use ccm::aead::{AeadInOut, KeyInit, inout::InOutBuf};
use ccm::{
    Ccm,
    consts::{U8, U11, U12, U16},
};

use super::{Forged, HEADER, Sequence, Transform, associated};
use crate::suite::Encryption;

const IV: usize = 8;
const SALT: usize = 3;

struct AesCcm<A> {
    aead: A,
    salt: [u8; SALT],
    icv: usize,
}

pub(super) fn any(row: &Encryption, key_and_salt: &[u8]) -> Option<Box<dyn Transform>> {
    let (key, salt) = key_and_salt.split_last_chunk()?;
    match (row.key, row.icv) {
        (16, 8) => boxed::<Ccm<Aes128, U8, U11>>(key, *salt, row.icv),
        (16, 12) => boxed::<Ccm<Aes128, U12, U11>>(key, *salt, row.icv),
        (16, 16) => boxed::<Ccm<Aes128, U16, U11>>(key, *salt, row.icv),
        (24, 8) => boxed::<Ccm<Aes192, U8, U11>>(key, *salt, row.icv),
        (24, 12) => boxed::<Ccm<Aes192, U12, U11>>(key, *salt, row.icv),
        (24, 16) => boxed::<Ccm<Aes192, U16, U11>>(key, *salt, row.icv),
        (32, 8) => boxed::<Ccm<Aes256, U8, U11>>(key, *salt, row.icv),
        (32, 12) => boxed::<Ccm<Aes256, U12, U11>>(key, *salt, row.icv),
        (32, 16) => boxed::<Ccm<Aes256, U16, U11>>(key, *salt, row.icv),
        _ => None,
    }
}

fn boxed<A>(key: &[u8], salt: [u8; SALT], icv: usize) -> Option<Box<dyn Transform>>
where
    A: AeadInOut + KeyInit + Send + Sync + 'static,
{
    Some(Box::new(AesCcm { aead: A::new_from_slice(key).ok()?, salt, icv }))
}

impl<A: AeadInOut> AesCcm<A> {
    fn nonce(&self, iv: &[u8]) -> ccm::aead::Nonce<A> {
        let mut nonce = ccm::aead::Nonce::<A>::default();
        nonce[..SALT].copy_from_slice(&self.salt);
        nonce[SALT..].copy_from_slice(iv);
        nonce
    }
}

impl<A: AeadInOut + Send + Sync> Transform for AesCcm<A> {
    fn seal(&self, packet: &mut [u8], sequence: Sequence) -> Result<(), Forged> {
        let (data, length) = associated(packet, sequence);
        // RFC 4309, 3.1: an IV is used once with a key; the sequence number is a counter.
        packet[HEADER..HEADER + IV].copy_from_slice(&sequence.number.to_be_bytes());
        let end = packet.len() - self.icv;
        let (front, icv) = packet.split_at_mut(end);
        let (header, body) = front.split_at_mut(HEADER + IV);
        let nonce = self.nonce(&header[HEADER..]);
        let tag = self
            .aead
            .encrypt_inout_detached(&nonce, &data[..length], InOutBuf::from(body))
            .map_err(|_| Forged)?;
        icv.copy_from_slice(&tag);
        Ok(())
    }

    fn open(&self, packet: &mut [u8], sequence: Sequence) -> Result<(), Forged> {
        let (data, length) = associated(packet, sequence);
        let end = packet.len() - self.icv;
        let (front, icv) = packet.split_at_mut(end);
        let (header, body) = front.split_at_mut(HEADER + IV);
        let nonce = self.nonce(&header[HEADER..]);
        let tag = ccm::aead::Tag::<A>::try_from(&*icv).map_err(|_| Forged)?;
        self.aead
            .decrypt_inout_detached(&nonce, &data[..length], InOutBuf::from(body), &tag)
            .map_err(|_| Forged)
    }
}
