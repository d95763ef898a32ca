//! AES-CCM (RFC 4309), put together from its parts (RFC 3610). The MAC is a chain in which every block waits for the
//! one before; whoever computes the key stream meanwhile has it for nothing. Libraries do one after the other.

use aes::{Aes128Enc, Aes192Enc, Aes256Enc};
use cipher::{
    Array, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, KeyInit,
    ParBlocks, consts::U16, typenum::Unsigned,
};
use subtle::ConstantTimeEq;

use super::{Forged, HEADER, Sequence, Transform, associated};
use crate::suite::Encryption;

const IV: usize = 8;
const SALT: usize = 3;

/// Octets of the fields that count, L in RFC 3610: what a nonce of 11 octets leaves (RFC 4309, 2).
const COUNT: usize = 4;

type Block = Array<u8, U16>;

struct AesCcm<C> {
    cipher: C,
    salt: [u8; SALT],
    icv: usize,
}

pub(super) fn any(row: &Encryption, key_and_salt: &[u8]) -> Option<Box<dyn Transform>> {
    let (key, salt) = key_and_salt.split_last_chunk()?;
    let (salt, icv) = (*salt, row.icv);
    Some(match row.key {
        16 => Box::new(AesCcm { cipher: Aes128Enc::new_from_slice(key).ok()?, salt, icv }),
        24 => Box::new(AesCcm { cipher: Aes192Enc::new_from_slice(key).ok()?, salt, icv }),
        _ => Box::new(AesCcm { cipher: Aes256Enc::new_from_slice(key).ok()?, salt, icv }),
    })
}

impl<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>> AesCcm<C> {
    /// Encrypts or decrypts the body. Returns the ICV, of which the first octets count.
    fn pass(&self, way: Way, data: &[u8], iv: &[u8], body: &mut [u8]) -> Result<Block, Forged> {
        let length = u32::try_from(body.len()).map_err(|_| Forged)?;
        // RFC 3610, 2.2: associated data is there, M octets of ICV, L octets of length.
        let size = (self.icv as u8 - 2) / 2;
        let flags = 1 << 6 | size << 3 | (COUNT as u8 - 1);
        let mut second = Block::default();
        second[..2].copy_from_slice(&(data.len() as u16).to_be_bytes());
        second[2..2 + data.len()].copy_from_slice(data);
        let mut icv = Block::default();
        self.cipher.encrypt_with_backend(Pass {
            way,
            head: [self.block(flags, iv, length), second],
            counter: self.block(COUNT as u8 - 1, iv, 0),
            body,
            icv: &mut icv,
        });
        Ok(icv)
    }

    /// Flags, nonce and a number: so begin the MAC and every block of the key stream (RFC 3610, 2.2 and 2.3).
    fn block(&self, flags: u8, iv: &[u8], number: u32) -> Block {
        let mut block = Block::default();
        block[0] = flags;
        block[1..1 + SALT].copy_from_slice(&self.salt);
        block[1 + SALT..16 - COUNT].copy_from_slice(iv);
        numbered(block, number)
    }
}

impl<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + Send + Sync> Transform for AesCcm<C> {
    fn seal(&self, packet: &mut [u8], sequence: Sequence) -> Result<(), Forged> {
        let (data, length) = associated(packet, sequence);
        // RFC 4309, 3.1: an IV is used once with a key; the sequence number is a counter.
        let iv = sequence.number.to_be_bytes();
        packet[HEADER..HEADER + IV].copy_from_slice(&iv);
        let end = packet.len() - self.icv;
        let (front, icv) = packet.split_at_mut(end);
        let computed = self.pass(Way::Seal, &data[..length], &iv, &mut front[HEADER + IV..])?;
        icv.copy_from_slice(&computed[..self.icv]);
        Ok(())
    }

    fn open(&self, packet: &mut [u8], sequence: Sequence) -> Result<(), Forged> {
        let (data, length) = associated(packet, sequence);
        let end = packet.len() - self.icv;
        let (front, icv) = packet.split_at_mut(end);
        let (header, body) = front.split_at_mut(HEADER + IV);
        let computed = self.pass(Way::Open, &data[..length], &header[HEADER..], body)?;
        if !bool::from(computed[..self.icv].ct_eq(icv)) {
            // RFC 3610, 2.5: the plaintext, which the MAC is made of, must not be revealed.
            body.fill(0);
            return Err(Forged);
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Way {
    Seal,
    Open,
}

/// One way through a packet, within the library's own loop, where keys stay in registers.
struct Pass<'a> {
    way: Way,
    /// What the MAC begins with: flags, nonce and length; then the associated data (RFC 3610, 2.2).
    head: [Block; 2],
    counter: Block,
    body: &'a mut [u8],
    icv: &'a mut Block,
}

impl BlockSizeUser for Pass<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for Pass<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
        let Self { way, head: [first, second], counter, body, icv } = self;
        // RFC 3610, 2.3: the first block of the key stream hides the ICV, the next ones the body.
        let (mac, mask) = both(backend, first, counter);
        let (mut mac, mut stream) = both(backend, xor(&mac, &second), numbered(counter, 1));
        let (blocks, rest) = Block::slice_as_chunks_mut(body);
        for (block, number) in blocks.iter_mut().zip(2..) {
            let hidden = xor(block, &stream);
            let plaintext = match way {
                Way::Seal => *block,
                Way::Open => hidden,
            };
            (mac, stream) = both(backend, xor(&mac, &plaintext), numbered(counter, number));
            *block = hidden;
        }
        if !rest.is_empty() {
            mac = xor(&mac, &last(way, rest, &stream));
            backend.encrypt_block_inplace(&mut mac);
        }
        *icv = xor(&mac, &mask);
    }
}

/// Encrypts or decrypts what does not fill a block. Returns the plaintext, filled up with zeros (RFC 3610, 2.2).
///
/// A copy: were single octets of the MAC or the key stream reached for, the compiler would keep neither in a register.
#[inline(always)]
fn last(way: Way, rest: &mut [u8], stream: &Block) -> Block {
    let mut before = Block::default();
    before[..rest.len()].copy_from_slice(rest);
    let mut after = xor(&before, stream);
    after[rest.len()..].fill(0);
    rest.copy_from_slice(&after[..rest.len()]);
    match way {
        Way::Seal => before,
        Way::Open => after,
    }
}

/// A block of the MAC and one of the key stream, encrypted side by side.
#[inline(always)]
fn both<B: BlockCipherEncBackend<BlockSize = U16>>(
    backend: &B,
    mut mac: Block,
    mut stream: Block,
) -> (Block, Block) {
    // Without instructions for AES the library computes two or four blocks for the price of one.
    if matches!(B::ParBlocksSize::USIZE, 2..=4) {
        let mut blocks = ParBlocks::<B>::default();
        (blocks[0], blocks[1]) = (mac, stream);
        backend.encrypt_par_blocks_inplace(&mut blocks);
        return (blocks[0], blocks[1]);
    }
    backend.encrypt_block_inplace(&mut mac);
    backend.encrypt_block_inplace(&mut stream);
    (mac, stream)
}

#[inline(always)]
fn xor(left: &Block, right: &Block) -> Block {
    Array(std::array::from_fn(|at| left[at] ^ right[at]))
}

#[inline(always)]
fn numbered(mut block: Block, number: u32) -> Block {
    block[16 - COUNT..].copy_from_slice(&number.to_be_bytes());
    block
}
