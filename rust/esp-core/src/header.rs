//! IP headers around what is protected: written anew in tunnel mode, kept and mended in transport mode.

use std::net::IpAddr;

use crate::offload::checksum::{fold, sum};
use crate::packet::{DESTINATION_OPTIONS, FRAGMENT, HOP_BY_HOP, MAX_EXTENSION_HEADERS, ROUTING};
use crate::trigger::Trigger;

pub const ESP: u8 = 50;
pub const AH: u8 = 51;

pub const IPV4: usize = 20;
pub const IPV6: usize = 40;

/// The hop limit of a packet that begins here.
pub const HOPS: u8 = 64;

const IPV4_PROTOCOL: usize = 9;
const IPV6_NEXT: usize = 6;

/// IPv4 options with a route in them (RFC 791, 3.1).
const LOOSE_ROUTE: u8 = 131;
const STRICT_ROUTE: u8 = 137;

/// Where a packet is opened in transport mode: behind the headers that routers look at (RFC 4302 and 4303, 3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seam {
    /// Octets before it.
    pub at: usize,
    /// Where the number of what follows stands.
    pub next_at: usize,
}

impl Seam {
    /// The seam of a packet that is about to be protected. RFC 4303, 3.3.4: fragments are not, in this mode; and a
    /// packet that has still to visit somebody on its way is not yet one for the peer.
    pub fn of(packet: &[u8]) -> Result<Self, Trigger> {
        match packet.first().ok_or(Trigger::NotIp)? >> 4 {
            4 => ipv4_seam(packet),
            6 => ipv6_seam(packet),
            _ => Err(Trigger::NotIp),
        }
    }

    /// The same for headers that end at `at`, where the protected part of a received packet begins.
    pub fn at(packet: &[u8], at: usize) -> Result<Self, Trigger> {
        match packet.first().ok_or(Trigger::TooShort)? >> 4 {
            4 if at >= IPV4 && at == usize::from(packet[0] & 0x0f) * 4 && packet.len() >= at => {
                Ok(Self { at, next_at: IPV4_PROTOCOL })
            }
            6 if at >= IPV6 && packet.len() >= at => match Chain::of(&packet[..at]).last() {
                None if at == IPV6 => Ok(Self { at, next_at: IPV6_NEXT }),
                Some(last) if last.end == at => Ok(Self { at, next_at: last.at }),
                _ => Err(Trigger::TooShort),
            },
            _ => Err(Trigger::TooShort),
        }
    }
}

fn ipv4_seam(packet: &[u8]) -> Result<Seam, Trigger> {
    let header: &[u8; IPV4] = packet.first_chunk().ok_or(Trigger::NotIp)?;
    let at = usize::from(header[0] & 0x0f) * 4;
    let mut options = packet.get(IPV4..at).ok_or(Trigger::NotIp)?;
    if u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0 {
        return Err(Trigger::Fragment);
    }
    while let [kind, rest @ ..] = options {
        options = match (kind, rest) {
            (0, _) => break,
            (1, _) => rest,
            (&LOOSE_ROUTE | &STRICT_ROUTE, [length, pointer, ..]) if pointer <= length => {
                return Err(Trigger::SourceRouted);
            }
            (_, [length, ..]) => options.get(usize::from(*length).max(2)..).ok_or(Trigger::NotIp)?,
            _ => return Err(Trigger::NotIp),
        };
    }
    Ok(Seam { at, next_at: IPV4_PROTOCOL })
}

fn ipv6_seam(packet: &[u8]) -> Result<Seam, Trigger> {
    if packet.len() < IPV6 {
        return Err(Trigger::NotIp);
    }
    let mut seam = Seam { at: IPV6, next_at: IPV6_NEXT };
    for header in Chain::of(packet) {
        match (header.kind, packet.get(header.at..header.end)) {
            (FRAGMENT, _) => return Err(Trigger::Fragment),
            (_, None) => return Err(Trigger::NotIp),
            (ROUTING, Some([_, _, _, left, ..])) if *left > 0 => return Err(Trigger::SourceRouted),
            // Destination options are for whoever comes next: before a routing header those are the routers in it.
            (HOP_BY_HOP | ROUTING, _) => seam = Seam { at: header.end, next_at: header.at },
            _ => {}
        }
    }
    Ok(seam)
}

/// An IPv6 extension header, as far as its own length is believed.
pub(crate) struct Extension {
    pub(crate) kind: u8,
    pub(crate) at: usize,
    pub(crate) end: usize,
}

/// The extension headers that a packet begins with.
pub(crate) struct Chain<'a> {
    packet: &'a [u8],
    next: u8,
    at: usize,
    left: usize,
}

impl<'a> Chain<'a> {
    pub(crate) fn of(packet: &'a [u8]) -> Self {
        let next = packet.get(IPV6_NEXT).copied().unwrap_or(ESP);
        Self { packet, next, at: IPV6, left: MAX_EXTENSION_HEADERS }
    }
}

impl Iterator for Chain<'_> {
    type Item = Extension;

    fn next(&mut self) -> Option<Extension> {
        let [following, extent, ..] = *self.packet.get(self.at..)? else { return None };
        let length = match self.next {
            FRAGMENT => 8,
            HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS => (usize::from(extent) + 1) * 8,
            _ => return None,
        };
        self.left = self.left.checked_sub(1)?;
        let found = Extension { kind: self.next, at: self.at, end: self.at + length };
        (self.next, self.at) = (following, found.end);
        Some(found)
    }
}

/// Octets of a header without options between these two.
pub const fn length(between: (IpAddr, IpAddr)) -> usize {
    match between.0 {
        IpAddr::V4(_) => IPV4,
        IpAddr::V6(_) => IPV6,
    }
}

/// A header without options, for a packet that begins here or whose own header is not to be had.
#[derive(Clone, Copy, Debug)]
pub struct Fresh {
    /// Source and destination.
    pub between: (IpAddr, IpAddr),
    pub next: u8,
    pub tos: u8,
    pub hops: u8,
    /// Of IPv4.
    pub identification: u16,
}

impl Fresh {
    /// Writes it into the front of `packet`, which is as long as it will be.
    pub fn write(&self, packet: &mut [u8]) {
        let (next, tos, hops) = (self.next, self.tos, self.hops);
        match self.between {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                packet[..12].copy_from_slice(&[0x45, tos, 0, 0, 0, 0, 0, 0, hops, next, 0, 0]);
                packet[4..6].copy_from_slice(&self.identification.to_be_bytes());
                packet[12..16].copy_from_slice(&source.octets());
                packet[16..20].copy_from_slice(&destination.octets());
            }
            (source, destination) => {
                packet[..8].copy_from_slice(&[0x60 | tos >> 4, tos << 4, 0, 0, 0, 0, next, hops]);
                packet[8..24].copy_from_slice(&sixteen(source));
                packet[24..40].copy_from_slice(&sixteen(destination));
            }
        }
        settle(packet);
    }
}

fn sixteen(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// Corrects length and checksum of a header whose packet has changed behind it.
pub fn settle(packet: &mut [u8]) {
    let length = packet.len();
    if packet[0] >> 4 == 6 {
        packet[4..6].copy_from_slice(&((length - IPV6) as u16).to_be_bytes());
        return;
    }
    packet[2..4].copy_from_slice(&(length as u16).to_be_bytes());
    packet[10..12].fill(0);
    let header = usize::from(packet[0] & 0x0f) * 4;
    let checksum = !fold(sum(&packet[..header]));
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
}

/// The system numbers a packet that has no number, and an ICV that covers it would be wrong (RFC 4302, 3.3.3.1.1.1).
pub fn number(packet: &mut [u8], identification: u16) {
    if packet[0] >> 4 == 4 && packet[4..6] == [0, 0] {
        packet[4..6].copy_from_slice(&identification.to_be_bytes());
    }
}

/// A number for a packet, never zero.
pub fn identification(sequence: u64) -> u16 {
    (sequence % 0xffff) as u16 + 1
}
