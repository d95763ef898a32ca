//! Ciphers that are not AEADs: CBC over AES (RFC 3602), 3DES (RFC 2451) and DES (RFC 2405); and null (RFC 2410).

use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cipher::{
    Array, BlockCipherDecrypt, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt,
    BlockModeDecrypt, BlockSizeUser, InnerIvInit, KeyInit, array::ArraySize,
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

/// The library runs through all blocks within its own loop, where keys stay in registers: several times faster than a
/// call for each block.
impl<C> Cipher for Cbc<C>
where
    C: BlockCipherEncrypt + BlockCipherDecrypt + Send + Sync,
{
    fn encrypt(&self, iv: &[u8], body: &mut [u8]) {
        if let Ok(iv) = Array::try_from(iv) {
            self.0.encrypt_with_backend(Chain { before: iv, blocks: Array::slice_as_chunks_mut(body).0 });
        }
    }

    fn decrypt(&self, iv: &[u8], body: &mut [u8]) {
        if let Ok(iv) = Array::try_from(iv) {
            Decryptor::inner_iv_init(&self.0, &iv).decrypt_blocks(Array::slice_as_chunks_mut(body).0);
        }
    }
}

/// Each block waits for the one before, so every detour counts: the library's own mode has it go through memory.
struct Chain<'a, N: ArraySize> {
    before: Array<u8, N>,
    blocks: &'a mut [Array<u8, N>],
}

impl<N: ArraySize> BlockSizeUser for Chain<'_, N> {
    type BlockSize = N;
}

impl<N: ArraySize> BlockCipherEncClosure for Chain<'_, N> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = N>>(self, backend: &B) {
        let Self { mut before, blocks } = self;
        for block in blocks {
            before.iter_mut().zip(&*block).for_each(|(before, octet)| *before ^= octet);
            backend.encrypt_block_inplace(&mut before);
            block.copy_from_slice(&before);
        }
    }
}
