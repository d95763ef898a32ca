//! A large segment becomes the packets that it stands for (TSO and USO).

use super::checksum::{fold, number, pseudo, sum};
use super::{FIN, PSH, TCP, TCP_CHECKSUM, UDP, UDP_CHECKSUM, VnetHeader, long, put, word};
use crate::packet::{Malformed, Summary};

/// A packet of a tunnel interface, and how to make whole packets of it.
#[derive(Debug)]
pub struct Cut<'a> {
    packet: &'a [u8],
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    Whole,
    Segments(Segments),
}

#[derive(Debug)]
struct Segments {
    transport: usize,
    /// Octets of all headers.
    headers: usize,
    segment: usize,
    count: usize,
    protocol: u8,
    /// Of what is the same in every segment: the IPv4 header, the pseudo-header with the transport header.
    network_sum: u64,
    transport_sum: u64,
}

impl<'a> Cut<'a> {
    /// `packet` is what followed the header, `summary` what it says of itself. An open checksum is completed in place.
    pub fn of(header: &VnetHeader, packet: &'a mut [u8], summary: &Summary) -> Result<Self, Malformed> {
        let packet = packet.get_mut(..summary.length).ok_or(Malformed)?;
        if header.kind != VnetHeader::WHOLE {
            let segments = Segments::of(header, packet, summary)?;
            if segments.count > 1 {
                return Ok(Self { packet, shape: Shape::Segments(segments) });
            }
        }
        if header.needs_checksum {
            complete(header, packet)?;
        }
        Ok(Self { packet, shape: Shape::Whole })
    }

    /// How many packets it makes.
    pub fn count(&self) -> usize {
        match &self.shape {
            Shape::Whole => 1,
            Shape::Segments(segments) => segments.count,
        }
    }

    /// Octets of packet number `at`.
    pub fn length(&self, at: usize) -> usize {
        match &self.shape {
            Shape::Whole => self.packet.len(),
            Shape::Segments(segments) => segments.headers + segments.payload(at, self.packet).len(),
        }
    }

    /// Writes packet number `at` into `out`, which has its length.
    pub fn write(&self, at: usize, out: &mut [u8]) {
        match &self.shape {
            Shape::Whole => out.copy_from_slice(self.packet),
            Shape::Segments(segments) => segments.write(at, self.packet, out),
        }
    }
}

/// Puts the checksum into its field, which holds the sum of the pseudo-header already.
fn complete(header: &VnetHeader, packet: &mut [u8]) -> Result<(), Malformed> {
    let (start, offset) = (usize::from(header.checksum_start), usize::from(header.checksum_offset));
    let covered = packet.get_mut(start..).ok_or(Malformed)?;
    if covered.len() < offset + 2 {
        return Err(Malformed);
    }
    put(covered, offset, written(!fold(sum(covered))));
    Ok(())
}

/// RFC 768: a checksum of zero means none, and its other spelling stands for it. Others do not mind.
fn written(checksum: u16) -> u16 {
    if checksum == 0 { 0xffff } else { checksum }
}

impl Segments {
    fn of(header: &VnetHeader, packet: &[u8], summary: &Summary) -> Result<Self, Malformed> {
        let transport = usize::from(header.checksum_start);
        let (protocol, checksum) = match header.kind {
            VnetHeader::TCP_IPV4 | VnetHeader::TCP_IPV6 => (TCP, TCP_CHECKSUM),
            VnetHeader::UDP => (UDP, UDP_CHECKSUM),
            _ => return Err(Malformed),
        };
        let least = if summary.version() == 4 { 20 } else { 40 };
        let segment = usize::from(header.segment);
        if !header.needs_checksum || summary.protocol != Some(protocol) || transport < least || segment == 0 {
            return Err(Malformed);
        }
        let length = match protocol {
            TCP => usize::from(packet.get(transport + 12).ok_or(Malformed)? >> 4) * 4,
            _ => 8,
        };
        let headers = transport + length;
        if length <= checksum || headers > packet.len() {
            return Err(Malformed);
        }
        let network = &packet[..transport];
        let fixed = |from: usize, until: usize| sum(&packet[transport + from..transport + until]);
        let (network_sum, transport_sum) = match protocol {
            // All but sequence number, flags and checksum; all but length and checksum.
            TCP => (0, fixed(0, 4) + fixed(8, 12) + fixed(14, 16) + fixed(18, length)),
            _ => (0, fixed(0, 4)),
        };
        let network_sum = network_sum
            + if summary.version() == 4 {
                sum(&network[..2]) + sum(&network[6..10]) + sum(&network[12..])
            } else {
                0
            };
        Ok(Self {
            transport,
            headers,
            segment,
            count: (packet.len() - headers).div_ceil(segment),
            protocol,
            network_sum,
            transport_sum: transport_sum + pseudo(network, protocol),
        })
    }

    fn payload<'a>(&self, at: usize, packet: &'a [u8]) -> &'a [u8] {
        let payload = &packet[self.headers..];
        &payload[at * self.segment..payload.len().min((at + 1) * self.segment)]
    }

    fn write(&self, at: usize, packet: &[u8], out: &mut [u8]) {
        let payload = self.payload(at, packet);
        out[..self.headers].copy_from_slice(&packet[..self.headers]);
        out[self.headers..].copy_from_slice(payload);
        let (network, transport) = out.split_at_mut(self.transport);
        let length = transport.len();
        self.write_network(at, network, length);
        let varying = match self.protocol {
            TCP => self.write_tcp(at, transport),
            _ => {
                put(transport, 4, length as u16);
                number(length as u32)
            }
        };
        let body = sum(&transport[self.headers - self.transport..]);
        let total = self.transport_sum + number(length as u32) + varying + body;
        match self.protocol {
            TCP => put(transport, TCP_CHECKSUM, !fold(total)),
            _ => put(transport, UDP_CHECKSUM, written(!fold(total))),
        }
    }

    fn write_network(&self, at: usize, network: &mut [u8], transport: usize) {
        if network[0] >> 4 == 6 {
            put(network, 4, (network.len() - 40 + transport) as u16);
            return;
        }
        let (length, identification) =
            ((network.len() + transport) as u16, word(network, 4).wrapping_add(at as u16));
        put(network, 2, length);
        put(network, 4, identification);
        let varying = number(u32::from(length)) + number(u32::from(identification));
        put(network, 10, !fold(self.network_sum + varying));
    }

    /// The sum of what it wrote.
    fn write_tcp(&self, at: usize, tcp: &mut [u8]) -> u64 {
        let sequence = long(tcp, 4).wrapping_add((at * self.segment) as u32);
        tcp[4..8].copy_from_slice(&sequence.to_be_bytes());
        if at + 1 < self.count {
            tcp[13] &= !(FIN | PSH);
        }
        number(sequence) + sum(&tcp[12..14])
    }
}
