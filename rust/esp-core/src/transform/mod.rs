//! Sealing and opening one ESP packet in place. A transform holds expanded keys and nothing that changes.

mod aead;
mod cbc;
mod ccm;
mod gcm;
pub(crate) mod hmac;
mod legacy;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::Refusal;
use crate::suite::{Encryption, Family, Integrity};

/// SPI and sequence number (RFC 4303, 2).
pub const HEADER: usize = 8;

/// Pad length and next header.
pub const TRAILER: usize = 2;

/// A sequence number, and whether its high half exists (ESN, RFC 4303, 2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    pub number: u64,
    pub extended: bool,
}

impl Sequence {
    pub fn low(self) -> [u8; 4] {
        (self.number as u32).to_be_bytes()
    }

    pub(crate) fn high(self) -> Option<[u8; 4]> {
        self.extended.then(|| ((self.number >> 32) as u32).to_be_bytes())
    }
}

/// The ICV does not fit the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forged;

/// Sizes that decide where things lie: header, IV, payload with padding and trailer, ICV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub iv: usize,
    pub icv: usize,
    pub align: usize,
}

impl Layout {
    /// Where the payload begins.
    pub fn payload(self) -> usize {
        HEADER + self.iv
    }

    /// Octets of padding that a payload needs (RFC 4303, 2.4).
    pub fn padding(self, payload: usize) -> usize {
        (payload + TRAILER).next_multiple_of(self.align) - payload - TRAILER
    }

    /// Octets of the whole packet.
    pub fn sealed(self, payload: usize) -> usize {
        self.payload() + payload + self.padding(payload) + TRAILER + self.icv
    }

    /// Whether a received packet can be one of this suite at all.
    pub fn fits(self, packet: usize) -> bool {
        // Room for the trailer: every `align` is at least 4, so a whole non-empty number of them has it.
        packet
            .checked_sub(self.payload() + self.icv)
            .is_some_and(|body| body > 0 && body.is_multiple_of(self.align))
    }
}

/// A suite with its keys. `packet` is whole: SPI to the end of the ICV, of a length that `Layout::fits`.
pub trait Transform: Send + Sync {
    /// Writes IV and ICV, and encrypts the payload; header, payload, padding and trailer are there already.
    fn seal(&self, packet: &mut [u8], sequence: Sequence) -> Result<(), Forged>;

    /// Checks the ICV, in constant time and before anything else, then decrypts the payload.
    /// CCM, which authenticates the plaintext, decrypts first, and wipes it where the ICV does not fit.
    fn open(&self, packet: &mut [u8], sequence: Sequence) -> Result<(), Forged>;
}

/// A transform, and where it expects things.
pub struct Keyed {
    pub layout: Layout,
    pub transform: Box<dyn Transform>,
    /// Whether a packet that opens is proved to come from the peer.
    pub authenticates: bool,
    /// Tells a suite and its keys from another without keeping them.
    fingerprint: [u8; 32],
}

impl Keyed {
    /// Whether both were made of the same suite and keys.
    pub fn equals(&self, other: &Self) -> bool {
        self.fingerprint.ct_eq(&other.fingerprint).into()
    }
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyed").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// The octets that a suite is keyed with; wiped when dropped. `encryption` ends with the salt, if there is one.
#[derive(Clone)]
pub struct KeyMaterial {
    pub encryption: Zeroizing<Vec<u8>>,
    pub integrity: Zeroizing<Vec<u8>>,
    /// Fresh randomness: makes the IVs of CBC unpredictable (RFC 3602, 3).
    pub iv_seed: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyMaterial")
    }
}

/// Expands the keys of a suite.
pub fn keyed(
    encryption: &Encryption,
    integrity: Option<&Integrity>,
    keys: &KeyMaterial,
) -> Result<Keyed, Refusal> {
    check(encryption, integrity, keys)?;
    let transform = match encryption.family {
        Family::AesGcm if encryption.icv < 16 || encryption.key == 24 => {
            gcm::any(encryption, &keys.encryption)
        }
        Family::AesGcm | Family::ChaCha20Poly1305 => aead::full(encryption, &keys.encryption),
        Family::AesCcm => ccm::any(encryption, &keys.encryption),
        Family::AesCbc | Family::TripleDes | Family::Des | Family::Null => {
            legacy::any(encryption, integrity, keys)
        }
    }
    .ok_or_else(|| Refusal(format!("{} does not take this key", encryption.name)))?;
    let icv = encryption.icv + integrity.map_or(0, |integrity| integrity.icv);
    let layout = Layout { iv: encryption.iv, icv, align: encryption.block.max(4) };
    let fingerprint = fingerprint(encryption, integrity, keys);
    Ok(Keyed { layout, transform, authenticates: icv > 0, fingerprint })
}

fn fingerprint(encryption: &Encryption, integrity: Option<&Integrity>, keys: &KeyMaterial) -> [u8; 32] {
    // Every part but the last has the length that its name fixes, so no two inputs run together.
    let name = integrity.map_or("", |integrity| integrity.name);
    Sha256::new()
        .chain_update(encryption.name)
        .chain_update([0])
        .chain_update(name)
        .chain_update([0])
        .chain_update(&keys.encryption)
        .chain_update(&keys.integrity)
        .finalize()
        .into()
}

fn check(encryption: &Encryption, integrity: Option<&Integrity>, keys: &KeyMaterial) -> Result<(), Refusal> {
    let (got, wanted) = (keys.encryption.len(), encryption.key + encryption.salt);
    if got != wanted {
        return Err(Refusal(format!("{} takes {wanted} octets of key and salt, not {got}", encryption.name)));
    }
    let (got, wanted) = (keys.integrity.len(), integrity.map_or(0, |integrity| integrity.key));
    if got != wanted {
        return Err(Refusal(format!("the integrity key must have {wanted} octets, not {got}")));
    }
    match (encryption.aead(), integrity) {
        (true, Some(integrity)) => Err(Refusal(format!(
            "{} has its own integrity; {} is one too many",
            encryption.name, integrity.name
        ))),
        // RFC 4303, 1: null encryption and no integrity together must not be.
        (false, None) if encryption.family == Family::Null => {
            Err(Refusal("null encryption needs an integrity algorithm".into()))
        }
        _ => Ok(()),
    }
}

/// The associated data of an AEAD: the header, with the high half of the sequence number between (RFC 4106, 5).
fn associated(packet: &[u8], sequence: Sequence) -> ([u8; 12], usize) {
    let mut data = [0; 12];
    data[..4].copy_from_slice(&packet[..4]);
    match sequence.high() {
        None => {
            data[4..8].copy_from_slice(&packet[4..8]);
            (data, 8)
        }
        Some(high) => {
            data[4..8].copy_from_slice(&high);
            data[8..12].copy_from_slice(&packet[4..8]);
            (data, 12)
        }
    }
}
