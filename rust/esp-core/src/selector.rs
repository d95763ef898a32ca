//! Traffic selectors, and whether a packet is one that they admit (RFC 4301, 4.4.1.1; RFC 7296, 3.13.1).

use std::net::IpAddr;

use crate::packet::{Ports, Summary};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    pub start: u16,
    pub end: u16,
}

impl PortRange {
    pub const ANY: Self = Self { start: 0, end: u16::MAX };
    /// RFC 7296, 3.13.1: 65535-0 admits only packets whose ports cannot be seen.
    pub const OPAQUE: Self = Self { start: u16::MAX, end: 0 };

    fn has(self, port: u16) -> bool {
        self.start <= port && port <= self.end
    }

    fn admits_hidden(self) -> bool {
        self == Self::ANY || self == Self::OPAQUE
    }
}

/// One side of the traffic: a range of addresses of one family, a protocol (0: any), a range of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selector {
    pub start: IpAddr,
    pub end: IpAddr,
    pub protocol: u8,
    pub ports: PortRange,
}

/// A port as one side of a packet shows it.
#[derive(Clone, Copy)]
enum Port {
    Known(u16),
    /// The destination side of ICMP: there is one type, and it was compared on the source side. RFC 4301, 4.4.1.3
    /// writes OPAQUE here for traffic that goes one way only, or repeats the type.
    Repeated(u16),
    Hidden,
}

impl Selector {
    fn admits(&self, address: IpAddr, protocol: Option<u8>, port: Port) -> bool {
        // `IpAddr` orders all of IPv4 before IPv6, so that a range never reaches into the other family.
        let protocol_fits = self.protocol == 0 || protocol == Some(self.protocol);
        self.start <= address && address <= self.end && protocol_fits && self.admits_port(port)
    }

    fn admits_port(&self, port: Port) -> bool {
        match port {
            Port::Known(port) => self.ports.has(port),
            Port::Repeated(port) => self.ports.has(port) || self.ports == PortRange::OPAQUE,
            Port::Hidden => self.ports.admits_hidden(),
        }
    }
}

/// Both sides of what an SA or a policy is for. A packet fits if one selector of each side admits it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selectors {
    pub local: Box<[Selector]>,
    pub remote: Box<[Selector]>,
}

impl Selectors {
    pub fn admit_outbound(&self, packet: &Summary) -> bool {
        both(&self.local, &self.remote, packet)
    }

    pub fn admit_inbound(&self, packet: &Summary) -> bool {
        both(&self.remote, &self.local, packet)
    }
}

fn both(source_side: &[Selector], destination_side: &[Selector], packet: &Summary) -> bool {
    let (source, destination) = match packet.ports {
        Ports::Pair(source, destination) => (Port::Known(source), Port::Known(destination)),
        Ports::Message(message) => (Port::Known(message), Port::Repeated(message)),
        Ports::Opaque => (Port::Hidden, Port::Hidden),
    };
    source_side.iter().any(|s| s.admits(packet.source, packet.protocol, source))
        && destination_side.iter().any(|s| s.admits(packet.destination, packet.protocol, destination))
}
