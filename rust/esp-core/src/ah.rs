//! The Authentication Header (RFC 4302): where it lies, and the ICV over packet and headers.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Refusal;
use crate::mutable::{self, Sink};
use crate::suite::Integrity;
use crate::transform::hmac::{Authenticator, authenticator};
use crate::transform::{Forged, Sequence};
use crate::trigger::Trigger;

/// Next header, length, reserved, SPI, sequence number; the ICV follows.
const FIXED: usize = 12;

/// Where the SPI stands in the header, and the sequence number.
pub const SPI: usize = 4;
pub const SEQUENCE: usize = 8;

/// A keyed hash, and how much of it is sent.
pub struct Keyed {
    authenticator: Box<dyn Authenticator>,
    icv: usize,
    fingerprint: [u8; 32],
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyed").field("icv", &self.icv).finish_non_exhaustive()
    }
}

/// Expands the key.
pub fn keyed(integrity: &Integrity, key: &[u8]) -> Result<Keyed, Refusal> {
    if key.len() != integrity.key {
        let (got, wanted) = (key.len(), integrity.key);
        return Err(Refusal(format!("the integrity key must have {wanted} octets, not {got}")));
    }
    let authenticator = authenticator(integrity, key)
        .ok_or_else(|| Refusal(format!("{} does not take this key", integrity.name)))?;
    let fingerprint =
        Sha256::new().chain_update(integrity.name).chain_update([0]).chain_update(key).finalize();
    Ok(Keyed { authenticator, icv: integrity.icv, fingerprint: fingerprint.into() })
}

impl Keyed {
    /// Whether both were made of the same algorithm and key.
    pub fn equals(&self, other: &Self) -> bool {
        self.fingerprint.ct_eq(&other.fingerprint).into()
    }

    /// Octets of the header. RFC 4302, 2.6: a multiple of 4 in IPv4, of 8 in IPv6.
    pub fn length(&self, version: u8) -> usize {
        (FIXED + self.icv).next_multiple_of(if version == 4 { 4 } else { 8 })
    }

    /// Writes the header at `at` into a packet that is complete but for it.
    pub fn seal(
        &self,
        packet: &mut [u8],
        at: usize,
        next: u8,
        spi: u32,
        sequence: Sequence,
    ) -> Result<(), Trigger> {
        let length = self.length(packet[0] >> 4);
        let header = &mut packet[at..at + length];
        header.fill(0);
        // RFC 4302, 2.2: in words of 32 bits, less two.
        header[..2].copy_from_slice(&[next, (length / 4 - 2) as u8]);
        header[SPI..SPI + 4].copy_from_slice(&spi.to_be_bytes());
        header[SEQUENCE..FIXED].copy_from_slice(&sequence.low());
        let digest = self.icv(packet, at, at + length, sequence).map_err(|_| Trigger::NotIp)?;
        packet[at + FIXED..at + FIXED + self.icv].copy_from_slice(&digest[..self.icv]);
        Ok(())
    }

    /// Checks the ICV of a packet whose header begins at `at`. Returns where its content begins, and what that is.
    pub fn open(&self, packet: &[u8], at: usize, sequence: Sequence) -> Result<(usize, u8), Trigger> {
        let [next, words, ..] = *packet.get(at..).ok_or(Trigger::TooShort)? else {
            return Err(Trigger::TooShort);
        };
        let length = (usize::from(words) + 2) * 4;
        let least = FIXED + self.icv;
        // Some peers align to 8 octets in IPv4 too.
        if packet.len() < at + length || (length != least && length != least.next_multiple_of(8)) {
            return Err(Trigger::TooShort);
        }
        let digest = self.icv(packet, at, at + length, sequence).map_err(|_| Trigger::IntegrityFailed)?;
        let sent = &packet[at + FIXED..at + least];
        match digest[..self.icv].ct_eq(sent).into() {
            true => Ok((at + length, next)),
            false => Err(Trigger::IntegrityFailed),
        }
    }

    fn icv(
        &self,
        packet: &[u8],
        at: usize,
        content: usize,
        sequence: Sequence,
    ) -> Result<[u8; crate::transform::hmac::LONGEST], Forged> {
        const EMPTY: [u8; 64] = [0; 64];
        let mut headers = Ok(());
        let digest = self.authenticator.digest_of(&mut |sink: Sink<'_>| {
            headers = mutable::feed(packet, at, sink);
            sink(&packet[at..at + FIXED]);
            sink(&EMPTY[..self.icv]);
            sink(&packet[at + FIXED + self.icv..content]);
            sink(&packet[content..]);
            // RFC 4302, 3.3.3.2.1: the high half is covered behind the packet, and not sent.
            if let Some(high) = sequence.high() {
                sink(&high);
            }
        });
        headers.map(|()| digest).map_err(|_| Forged)
    }
}
