//! What a network card would do, done for a tunnel interface: large segments are cut on their way out, small ones are
//! joined on their way in, and checksums that the system left open are completed.

pub(crate) mod checksum;
mod cut;
mod join;

pub use cut::Cut;
pub use join::{Joined, Joiner};

/// linux/virtio_net.h, struct virtio_net_hdr: stands before every packet of a tunnel interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VnetHeader {
    /// The checksum is open: the field holds the sum of the pseudo-header.
    pub needs_checksum: bool,
    pub kind: u8,
    /// Octets of all headers.
    pub headers: u16,
    /// Octets of payload in each segment.
    pub segment: u16,
    pub checksum_start: u16,
    /// From `checksum_start`.
    pub checksum_offset: u16,
}

impl VnetHeader {
    pub const LENGTH: usize = 10;

    pub const WHOLE: u8 = 0;
    pub const TCP_IPV4: u8 = 1;
    pub const TCP_IPV6: u8 = 4;
    pub const UDP: u8 = 5;

    const NEEDS_CHECKSUM: u8 = 1;

    pub fn of(octets: &[u8; Self::LENGTH]) -> Self {
        let word = |at: usize| u16::from_ne_bytes([octets[at], octets[at + 1]]);
        Self {
            needs_checksum: octets[0] & Self::NEEDS_CHECKSUM != 0,
            kind: octets[1],
            headers: word(2),
            segment: word(4),
            checksum_start: word(6),
            checksum_offset: word(8),
        }
    }

    pub fn octets(&self) -> [u8; Self::LENGTH] {
        let mut octets = [0; Self::LENGTH];
        octets[0] = if self.needs_checksum { Self::NEEDS_CHECKSUM } else { 0 };
        octets[1] = self.kind;
        let words = [self.headers, self.segment, self.checksum_start, self.checksum_offset];
        for (place, word) in octets[2..].chunks_exact_mut(2).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        octets
    }
}

/// TCP flags (RFC 9293, 3.1).
const FIN: u8 = 0x01;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Where the checksum lies in each transport header.
const TCP_CHECKSUM: usize = 16;
const UDP_CHECKSUM: usize = 6;

fn word(octets: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([octets[at], octets[at + 1]])
}

fn put(octets: &mut [u8], at: usize, word: u16) {
    octets[at..at + 2].copy_from_slice(&word.to_be_bytes());
}

fn long(octets: &[u8], at: usize) -> u32 {
    u32::from(word(octets, at)) << 16 | u32::from(word(octets, at + 2))
}
