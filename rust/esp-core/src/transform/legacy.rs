//! A cipher and a keyed hash: encrypt, then authenticate (RFC 4303, 3.3.2).

use aes::Aes256;
use cipher::{Array, BlockCipherEncrypt, KeyInit};
use subtle::ConstantTimeEq;

use super::cbc::{Cipher, cipher};
use super::hmac::{Authenticator, authenticator};
use super::{Forged, HEADER, KeyMaterial, Sequence, Transform};
use crate::suite::{Encryption, Integrity};

struct EncryptThenMac {
    cipher: Box<dyn Cipher>,
    authenticator: Option<Box<dyn Authenticator>>,
    ivs: Aes256,
    iv: usize,
    icv: usize,
}

pub(super) fn any(
    row: &Encryption,
    integrity: Option<&Integrity>,
    keys: &KeyMaterial,
) -> Option<Box<dyn Transform>> {
    let authenticator = match integrity {
        Some(integrity) => Some(authenticator(integrity, &keys.integrity)?),
        None => None,
    };
    Some(Box::new(EncryptThenMac {
        cipher: cipher(row, &keys.encryption)?,
        authenticator,
        ivs: Aes256::new_from_slice(keys.iv_seed.as_slice()).ok()?,
        iv: row.iv,
        icv: integrity.map_or(0, |integrity| integrity.icv),
    }))
}

impl EncryptThenMac {
    /// NIST SP 800-38A, appendix C: a nonce under a key of its own gives IVs that nobody predicts (RFC 3602, 3).
    fn write_iv(&self, iv: &mut [u8], sequence: Sequence) {
        let mut block = Array::from(u128::from(sequence.number).to_be_bytes());
        self.ivs.encrypt_block(&mut block);
        iv.copy_from_slice(&block[..self.iv]);
    }

    fn icv(&self, packet: &[u8], sequence: Sequence) -> Option<[u8; super::hmac::LONGEST]> {
        // RFC 4303, 2.2.1: the high half is authenticated after the packet, and not sent.
        let high = sequence.high();
        self.authenticator.as_ref().map(|hash| hash.digest(packet, high.as_ref().map_or(&[], |high| high)))
    }
}

impl Transform for EncryptThenMac {
    fn seal(&self, packet: &mut [u8], sequence: Sequence) -> Result<(), Forged> {
        let end = packet.len() - self.icv;
        let (front, icv) = packet.split_at_mut(end);
        let (header, body) = front.split_at_mut(HEADER + self.iv);
        self.write_iv(&mut header[HEADER..], sequence);
        self.cipher.encrypt(&header[HEADER..], body);
        if let Some(digest) = self.icv(front, sequence) {
            icv.copy_from_slice(&digest[..self.icv]);
        }
        Ok(())
    }

    fn open(&self, packet: &mut [u8], sequence: Sequence) -> Result<(), Forged> {
        let end = packet.len() - self.icv;
        let (front, icv) = packet.split_at_mut(end);
        if let Some(digest) = self.icv(front, sequence)
            && !bool::from(digest[..self.icv].ct_eq(icv))
        {
            return Err(Forged);
        }
        let (header, body) = front.split_at_mut(HEADER + self.iv);
        self.cipher.decrypt(&header[HEADER..], body);
        Ok(())
    }
}
