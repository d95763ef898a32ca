//! What the tests play with: SAs with made-up keys, inner packets, and a source of numbers that repeats itself.

use std::net::{Ipv6Addr, SocketAddr};

use esp_core::suite::{ENCRYPTION, Encryption, INTEGRITY, Integrity};
use esp_core::transform::{KeyMaterial, Keyed, keyed};
use esp_core::{
    Arrival, InboundConfig, InboundSa, Limits, Millis, Mode, Notice, Opened, OutboundConfig, OutboundSa,
    Outer, PortRange, Protection, Selector, Selectors, Summary, Trigger, ah,
};

pub(crate) const SPI: u32 = 0x1234_5678;

/// xorshift64*: enough disorder for tests, and the same each time.
pub(crate) struct Numbers(pub u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

pub(crate) type Pair = (&'static Encryption, Option<&'static Integrity>);

/// Every suite that there is: AEADs alone, the others with each integrity, and without where that is allowed.
pub(crate) fn suites() -> Vec<Pair> {
    let mut all = Vec::new();
    for encryption in ENCRYPTION {
        if encryption.aead() {
            all.push((encryption, None));
            continue;
        }
        all.extend(INTEGRITY.iter().map(|integrity| (encryption, Some(integrity))));
        if encryption.key > 0 {
            all.push((encryption, None));
        }
    }
    all
}

pub(crate) fn suite(encryption: &str, integrity: Option<&str>) -> Pair {
    (Encryption::named(encryption).unwrap(), integrity.map(|name| Integrity::named(name).unwrap()))
}

pub(crate) fn keys((encryption, integrity): Pair) -> Keyed {
    let mut numbers = Numbers(7);
    let mut octets = |count: usize| (0..count).map(|_| numbers.next() as u8).collect::<Vec<_>>();
    let material = KeyMaterial {
        encryption: octets(encryption.key + encryption.salt).into(),
        integrity: octets(integrity.map_or(0, |row| row.key)).into(),
        iv_seed: [3; 32].into(),
    };
    keyed(encryption, integrity, &material).unwrap()
}

pub(crate) fn endpoint(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn outer() -> Outer {
    Outer { local: endpoint("192.0.2.1:4500"), remote: endpoint("198.51.100.2:4500"), udp: true }
}

pub(crate) fn any() -> Box<[Selector]> {
    [range("0.0.0.0", "255.255.255.255"), range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")].into()
}

pub(crate) fn range(start: &str, end: &str) -> Selector {
    Selector { start: start.parse().unwrap(), end: end.parse().unwrap(), protocol: 0, ports: PortRange::ANY }
}

pub(crate) fn everything() -> Selectors {
    Selectors { local: any(), remote: any() }
}

/// The knobs of a pair of SAs that face each other.
#[derive(Clone)]
pub(crate) struct Knobs {
    pub(crate) suite: Pair,
    /// In place of the suite.
    pub(crate) ah: Option<&'static Integrity>,
    pub(crate) mode: Mode,
    pub(crate) outer: Outer,
    pub(crate) esn: bool,
    pub(crate) window: usize,
    pub(crate) limits: Limits,
    pub(crate) selectors: Selectors,
    pub(crate) copy_dscp: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            suite: suite("aes-128-gcm", None),
            ah: None,
            mode: Mode::Tunnel,
            outer: outer(),
            esn: false,
            window: 64,
            limits: Limits::default(),
            selectors: everything(),
            copy_dscp: false,
        }
    }
}

impl Knobs {
    fn protection(&self) -> Protection {
        match self.ah {
            Some(integrity) => ah::keyed(integrity, &ah_key(integrity)).unwrap().into(),
            None => keys(self.suite).into(),
        }
    }
}

pub(crate) fn ah_key(integrity: &Integrity) -> Vec<u8> {
    (0..integrity.key).map(|at| at as u8 ^ 0x5a).collect()
}

pub(crate) struct Ends {
    pub(crate) outbound: OutboundSa,
    pub(crate) inbound: InboundSa,
    pub(crate) notices: Vec<Notice>,
}

impl Ends {
    pub(crate) fn new(knobs: &Knobs) -> Self {
        Self::numbered(SPI, "branch:lan", knobs)
    }

    pub(crate) fn numbered(spi: u32, child: &str, knobs: &Knobs) -> Self {
        let outbound = OutboundConfig {
            spi,
            child: child.into(),
            interface: "tunnel.1".into(),
            selectors: knobs.selectors.clone(),
            mode: knobs.mode,
            esn: knobs.esn,
            limits: knobs.limits,
            copy_dscp: knobs.copy_dscp,
        };
        let inbound = InboundConfig {
            spi,
            child: child.into(),
            interface: "tunnel.1".into(),
            selectors: knobs.selectors.clone(),
            mode: knobs.mode,
            esn: knobs.esn,
            window: knobs.window,
            limits: knobs.limits,
        };
        Self {
            outbound: OutboundSa::new(outbound, knobs.protection(), knobs.outer),
            inbound: InboundSa::new(inbound, knobs.protection(), knobs.outer),
            notices: Vec::new(),
        }
    }

    pub(crate) fn seal(&mut self, packet: &[u8]) -> Result<Vec<u8>, Trigger> {
        let mut out = vec![0xaa; 70000];
        let sealed =
            self.outbound.encapsulate(packet, &Summary::of(packet).unwrap(), &mut out, &mut self.notices)?;
        out.truncate(sealed.length);
        Ok(out)
    }

    /// Opens a packet that begins with so many octets of IP headers.
    pub(crate) fn open_behind(&mut self, headers: usize, packet: &[u8]) -> Result<Vec<u8>, Trigger> {
        let mut buffer = packet.to_vec();
        let arrival = Arrival { remote: outer().remote, tos: 0, udp: false, headers };
        match self.inbound.decapsulate(&mut buffer, &arrival, &Millis(0), &mut self.notices)? {
            Opened::Packet(inner) => Ok(buffer[inner].to_vec()),
            Opened::Dummy => Ok(Vec::new()),
        }
    }

    /// The packet with this sequence number; those before it are never seen.
    pub(crate) fn seal_as(&mut self, sequence: u64, packet: &[u8]) -> Vec<u8> {
        self.outbound.resume_after(sequence - 1);
        self.seal(packet).unwrap()
    }

    pub(crate) fn open(&mut self, packet: &[u8]) -> Result<Vec<u8>, Trigger> {
        self.open_from(packet, outer().remote, 0, Millis(0))
    }

    pub(crate) fn open_from(
        &mut self,
        packet: &[u8],
        remote: SocketAddr,
        tos: u8,
        now: Millis,
    ) -> Result<Vec<u8>, Trigger> {
        let mut buffer = packet.to_vec();
        let arrival = Arrival { remote, tos, udp: true, headers: 0 };
        match self.inbound.decapsulate(&mut buffer, &arrival, &now, &mut self.notices)? {
            Opened::Packet(inner) => Ok(buffer[inner].to_vec()),
            Opened::Dummy => Ok(Vec::new()),
        }
    }
}

/// An IPv4 packet with a right checksum.
pub(crate) fn ipv4(protocol: u8, tos: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, tos];
    packet.extend(((20 + payload.len()) as u16).to_be_bytes());
    packet.extend([0, 1, 0, 0, 64, protocol, 0, 0, 10, 1, 0, 5, 10, 2, 0, 9]);
    let sum = checksum(&packet);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend(payload);
    packet
}

pub(crate) fn ipv6(next: u8, class: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60 | class >> 4, class << 4, 0, 0];
    packet.extend((payload.len() as u16).to_be_bytes());
    packet.extend([next, 64]);
    for host in [5, 9] {
        packet.extend(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, host).octets());
    }
    packet.extend(payload);
    packet
}

/// UDP from port 4000 to port 53, with as much content.
pub(crate) fn udp(content: usize) -> Vec<u8> {
    let mut segment = vec![0x0f, 0xa0, 0, 53];
    segment.extend(((8 + content) as u16).to_be_bytes());
    segment.extend([0, 0]);
    segment.extend((0..content).map(|at| at as u8));
    segment
}

/// RFC 1071 over an even number of octets.
pub(crate) fn checksum(header: &[u8]) -> u16 {
    let mut sum: u32 = header.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
