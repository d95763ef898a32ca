//! AES-GCM with an ICV of 12 or 8 octets (RFC 4106, 6), or with a key of 192 bits: the library has neither, so GCM is put
//! together here from its parts (NIST SP 800-38D, 7).

use aes::{Aes128, Aes192, Aes256};
use cipher::{
    BlockCipherEncrypt, BlockSizeUser, InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper,
    consts::U16,
};
use ctr::{CtrCore, flavors::Ctr32BE};
use ghash::{GHash, universal_hash::UniversalHash};
use subtle::ConstantTimeEq;

use super::{Forged, HEADER, Sequence, Transform, associated};
use crate::suite::Encryption;

const IV: usize = 8;
const SALT: usize = 4;

struct Gcm<C> {
    cipher: C,
    ghash: GHash,
    salt: [u8; SALT],
    icv: usize,
}

pub(super) fn any(row: &Encryption, key_and_salt: &[u8]) -> Option<Box<dyn Transform>> {
    let (key, salt) = key_and_salt.split_last_chunk()?;
    Some(match row.key {
        16 => Box::new(Gcm::new(Aes128::new_from_slice(key).ok()?, *salt, row.icv)),
        24 => Box::new(Gcm::new(Aes192::new_from_slice(key).ok()?, *salt, row.icv)),
        _ => Box::new(Gcm::new(Aes256::new_from_slice(key).ok()?, *salt, row.icv)),
    })
}

impl<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>> Gcm<C> {
    fn new(cipher: C, salt: [u8; SALT], icv: usize) -> Self {
        let mut subkey = ghash::Key::default();
        cipher.encrypt_block(&mut subkey);
        Self { cipher, ghash: GHash::new(&subkey), salt, icv }
    }

    /// The first counter block: nonce and the number 1; the payload starts at 2.
    fn first_counter(&self, iv: &[u8], number: u8) -> [u8; 16] {
        let mut block = [0; 16];
        block[..SALT].copy_from_slice(&self.salt);
        block[SALT..SALT + IV].copy_from_slice(iv);
        block[15] = number;
        block
    }

    fn keystream(&self, iv: &[u8], body: &mut [u8]) {
        let core = CtrCore::<&C, Ctr32BE>::inner_iv_init(&self.cipher, &self.first_counter(iv, 2).into());
        StreamCipherCoreWrapper::from_core(core).apply_keystream(body);
    }

    fn tag(&self, data: &[u8], iv: &[u8], ciphertext: &[u8]) -> [u8; 16] {
        let mut hash = self.ghash.clone();
        hash.update_padded(data);
        hash.update_padded(ciphertext);
        let mut lengths = [0; 16];
        lengths[..8].copy_from_slice(&(data.len() as u64 * 8).to_be_bytes());
        lengths[8..].copy_from_slice(&(ciphertext.len() as u64 * 8).to_be_bytes());
        hash.update(&[lengths.into()]);
        let mut mask = self.first_counter(iv, 1).into();
        self.cipher.encrypt_block(&mut mask);
        let hash = hash.finalize();
        std::array::from_fn(|at| hash[at] ^ mask[at])
    }
}

impl<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + Send + Sync> Transform for Gcm<C> {
    fn seal(&self, packet: &mut [u8], sequence: Sequence) -> Result<(), Forged> {
        let (data, length) = associated(packet, sequence);
        let iv = sequence.number.to_be_bytes();
        packet[HEADER..HEADER + IV].copy_from_slice(&iv);
        let end = packet.len() - self.icv;
        let (front, icv) = packet.split_at_mut(end);
        let body = &mut front[HEADER + IV..];
        self.keystream(&iv, body);
        icv.copy_from_slice(&self.tag(&data[..length], &iv, body)[..self.icv]);
        Ok(())
    }

    fn open(&self, packet: &mut [u8], sequence: Sequence) -> Result<(), Forged> {
        let (data, length) = associated(packet, sequence);
        let end = packet.len() - self.icv;
        let (front, icv) = packet.split_at_mut(end);
        let (header, body) = front.split_at_mut(HEADER + IV);
        let iv = &header[HEADER..];
        if !bool::from(self.tag(&data[..length], iv, body)[..self.icv].ct_eq(icv)) {
            return Err(Forged);
        }
        self.keystream(iv, body);
        Ok(())
    }
}
