//! What selectors need of an inner packet: addresses, next layer protocol, ports (RFC 4301, 4.4.1.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Not a whole IPv4 or IPv6 packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// Source and destination.
    Pair(u16, u16),
    /// ICMP type and code, or a Mobility Header's type, as one number: one value, not a pair (RFC 4301, 4.4.1.3).
    Message(u16),
    /// A fragment that is not the first, a protocol without ports, or a header cut short.
    Opaque,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    pub source: IpAddr,
    pub destination: IpAddr,
    /// None: hidden in a fragment that is not the first.
    pub protocol: Option<u8>,
    pub ports: Ports,
    /// TOS or traffic class.
    pub tos: u8,
    /// Octets by the packet's own account; what follows them is no part of it.
    pub length: usize,
}

pub(crate) const HOP_BY_HOP: u8 = 0;
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
pub(crate) const ROUTING: u8 = 43;
pub(crate) const FRAGMENT: u8 = 44;
const ICMPV6: u8 = 58;
pub(crate) const DESTINATION_OPTIONS: u8 = 60;
const DCCP: u8 = 33;
const SCTP: u8 = 132;
const MOBILITY: u8 = 135;
const UDP_LITE: u8 = 136;

/// RFC 8200, 4.1 recommends an order in which seven occur; more is somebody's game.
pub(crate) const MAX_EXTENSION_HEADERS: usize = 8;

impl Summary {
    pub fn of(packet: &[u8]) -> Result<Self, Malformed> {
        match packet.first().ok_or(Malformed)? >> 4 {
            4 => ipv4(packet),
            6 => ipv6(packet),
            _ => Err(Malformed),
        }
    }

    /// 4 or 6.
    pub fn version(&self) -> u8 {
        if self.source.is_ipv4() { 4 } else { 6 }
    }
}

fn ipv4(packet: &[u8]) -> Result<Summary, Malformed> {
    let header: &[u8; 20] = packet.first_chunk().ok_or(Malformed)?;
    let header_length = usize::from(header[0] & 0x0f) * 4;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if header_length < header.len() || length < header_length || length > packet.len() {
        return Err(Malformed);
    }
    let offset = u16::from_be_bytes([header[6], header[7]]) & 0x1fff;
    let protocol = header[9];
    let ports = if offset == 0 { ports(protocol, &packet[header_length..length]) } else { Ports::Opaque };
    Ok(Summary {
        source: IpAddr::V4(Ipv4Addr::new(header[12], header[13], header[14], header[15])),
        destination: IpAddr::V4(Ipv4Addr::new(header[16], header[17], header[18], header[19])),
        protocol: Some(protocol),
        ports,
        tos: header[1],
        length,
    })
}

fn ipv6(packet: &[u8]) -> Result<Summary, Malformed> {
    let header: &[u8; 40] = packet.first_chunk().ok_or(Malformed)?;
    let length = header.len() + usize::from(u16::from_be_bytes([header[4], header[5]]));
    let rest = packet.get(header.len()..length).ok_or(Malformed)?;
    let (protocol, ports) = next_layer(header[6], rest)?;
    Ok(Summary {
        source: ipv6_address(header, 8),
        destination: ipv6_address(header, 24),
        protocol,
        ports,
        tos: header[0] << 4 | header[1] >> 4,
        length,
    })
}

fn ipv6_address(header: &[u8; 40], at: usize) -> IpAddr {
    let mut octets = [0; 16];
    octets.copy_from_slice(&header[at..at + 16]);
    IpAddr::V6(Ipv6Addr::from(octets))
}

/// RFC 4301, 4.4.1.1: the protocol after hop-by-hop, routing, fragment and destination options headers.
fn next_layer(first: u8, mut rest: &[u8]) -> Result<(Option<u8>, Ports), Malformed> {
    let mut next = first;
    for _ in 0..MAX_EXTENSION_HEADERS {
        match next {
            HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS => {
                let [following, extent, ..] = *rest else { return Err(Malformed) };
                next = following;
                rest = rest.get((usize::from(extent) + 1) * 8..).ok_or(Malformed)?;
            }
            FRAGMENT => {
                let [following, _, high, low, _, _, _, _, ref after @ ..] = *rest else {
                    return Err(Malformed);
                };
                if u16::from_be_bytes([high, low]) >> 3 != 0 {
                    // Which protocol it is stands in the first fragment, unless no extension header follows.
                    let hidden = matches!(following, HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION_OPTIONS);
                    return Ok(((!hidden).then_some(following), Ports::Opaque));
                }
                next = following;
                rest = after;
            }
            protocol => return Ok((Some(protocol), ports(protocol, rest))),
        }
    }
    Err(Malformed)
}

fn ports(protocol: u8, transport: &[u8]) -> Ports {
    match (protocol, transport) {
        (TCP | UDP | DCCP | SCTP | UDP_LITE, [a, b, c, d, ..]) => {
            Ports::Pair(u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]))
        }
        (ICMP | ICMPV6, [kind, code, ..]) => Ports::Message(u16::from_be_bytes([*kind, *code])),
        // RFC 7296, 3.13.1: the Mobility Header's type in the most significant octet.
        (MOBILITY, [_, _, kind, ..]) => Ports::Message(u16::from_be_bytes([*kind, 0])),
        _ => Ports::Opaque,
    }
}
