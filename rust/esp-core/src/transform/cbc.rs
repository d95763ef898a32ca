//! Ciphers that are not AEADs: CBC over AES (RFC 3602), 3DES (RFC 2451) and DES (RFC 2405); and null (RFC 2410).

use aes::{Aes128, Aes192, Aes256};
use cipher::{
    Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit, array::ArraySize,
    typenum::Unsigned,
};
use des::{Des, TdesEde3};

use crate::suite::{Encryption, Family};

/// Encrypts and decrypts whole blocks in place.
pub(super) trait Cipher: Send + Sync {
    fn encrypt(&self, iv: &[u8], body: &mut [u8]);
    fn decrypt(&self, iv: &[u8], body: &mut [u8]);
}

pub(super) fn cipher(row: &Encryption, key: &[u8]) -> Option<Box<dyn Cipher>> {
    Some(match (row.family, row.key) {
        (Family::AesCbc, 16) => Box::new(Cbc(Aes128::new_from_slice(key).ok()?)),
        (Family::AesCbc, 24) => Box::new(Cbc(Aes192::new_from_slice(key).ok()?)),
        (Family::AesCbc, 32) => Box::new(Cbc(Aes256::new_from_slice(key).ok()?)),
        (Family::TripleDes, _) => Box::new(Cbc(TdesEde3::new_from_slice(key).ok()?)),
        (Family::Des, _) => Box::new(Cbc(Des::new_from_slice(key).ok()?)),
        (Family::Null, _) => Box::new(Null),
        _ => return None,
    })
}

struct Null;

impl Cipher for Null {
    fn encrypt(&self, _iv: &[u8], _body: &mut [u8]) {}
    fn decrypt(&self, _iv: &[u8], _body: &mut [u8]) {}
}

struct Cbc<C>(C);

/// Blocks handed to the cipher at once: decryption has no chain and runs in parallel.
const RUN: usize = 8;

impl<C> Cipher for Cbc<C>
where
    C: BlockCipherEncrypt + BlockCipherDecrypt + BlockSizeUser + Send + Sync,
    <C as BlockSizeUser>::BlockSize: ArraySize,
{
    fn encrypt(&self, iv: &[u8], body: &mut [u8]) {
        let Ok(mut previous) = Array::<u8, C::BlockSize>::try_from(iv) else { return };
        let (blocks, _) = Array::<u8, C::BlockSize>::slice_as_chunks_mut(body);
        for block in blocks {
            mix(block, &previous);
            self.0.encrypt_block(block);
            previous.clone_from(block);
        }
    }

    fn decrypt(&self, iv: &[u8], body: &mut [u8]) {
        let Ok(mut previous) = Array::<u8, C::BlockSize>::try_from(iv) else { return };
        let mut ciphertext = [0; RUN * 16];
        let size = C::BlockSize::USIZE;
        for run in body.chunks_mut(RUN * size) {
            let ciphertext = &mut ciphertext[..run.len()];
            ciphertext.copy_from_slice(run);
            let (blocks, _) = Array::<u8, C::BlockSize>::slice_as_chunks_mut(run);
            self.0.decrypt_blocks(blocks);
            for (block, sealed) in blocks.iter_mut().zip(ciphertext.chunks_exact(size)) {
                mix(block, &previous);
                previous.copy_from_slice(sealed);
            }
        }
    }
}

fn mix(block: &mut [u8], with: &[u8]) {
    for (octet, other) in block.iter_mut().zip(with) {
        *octet ^= other;
    }
}
