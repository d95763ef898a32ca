//! Packets that follow each other in a flow become one large segment (GRO), if cutting it gives the same packets again.

use std::ops::Range;

use super::checksum::{fold, number, pseudo, sum};
use super::{ACK, PSH, TCP, TCP_CHECKSUM, UDP, UDP_CHECKSUM, VnetHeader, long, put, word};

/// Flows in which a train may be open at once.
const TRAINS: usize = 16;

/// The system cuts UDP into no more.
const LONGEST_TRAIN: usize = 64;

/// What the length field of an IP header can tell.
const LARGEST: usize = 65535;

const DF: u8 = 0x40;

/// Packets as one: a header, and pieces of the buffer that belong one behind the other.
#[derive(Debug)]
pub struct Joined<'a> {
    pub header: VnetHeader,
    pub buffer: &'a [u8],
    pub pieces: &'a [Range<usize>],
    /// The tunnel interface, as it was told to `Joiner::offer`.
    pub lane: u64,
}

impl<'a> Joined<'a> {
    /// A packet alone.
    pub fn single(buffer: &'a [u8], place: &'a [Range<usize>; 1]) -> Self {
        Self { header: VnetHeader::default(), buffer, pieces: place, lane: 0 }
    }

    /// How many may be more than their receiver has room for. TCP sends no more than that.
    pub fn datagrams(&self) -> usize {
        match self.header.kind {
            VnetHeader::TCP_IPV4 | VnetHeader::TCP_IPV6 => 0,
            _ => self.pieces.len(),
        }
    }
}

/// Trains that are open. Between batches there are none.
#[derive(Debug)]
pub struct Joiner {
    trains: Vec<Train>,
    open: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Flow {
    lane: u64,
    version: u8,
    protocol: u8,
    addresses: [u8; 32],
    ports: u32,
}

#[derive(Debug, Default)]
struct Train {
    flow: Flow,
    pieces: Vec<Range<usize>>,
    first: Range<usize>,
    transport: usize,
    headers: usize,
    segment: usize,
    total: usize,
    next_sequence: u32,
    /// How the IPv4 identification grows from one packet to the next; None: there is one packet yet.
    step: Option<u16>,
    pushed: bool,
    closed: bool,
}

/// Where a packet's parts lie, if it may be a part of a train.
#[derive(Clone, Copy, Debug)]
struct Anatomy {
    transport: usize,
    headers: usize,
}

impl Default for Joiner {
    fn default() -> Self {
        let train = || Train { pieces: Vec::with_capacity(LONGEST_TRAIN), ..Train::default() };
        Self { trains: std::iter::repeat_with(train).take(TRAINS).collect(), open: 0 }
    }
}

impl Joiner {
    /// Takes a whole packet that lies at `place` in `buffer`, where it must stay until the next `flush`. What is ready
    /// is delivered; packets of a flow stay in their order.
    pub fn offer(
        &mut self,
        buffer: &mut [u8],
        place: Range<usize>,
        lane: u64,
        deliver: &mut impl FnMut(Joined<'_>),
    ) {
        let packet = &buffer[place.clone()];
        let Some((flow, transport)) = flow(packet, lane) else {
            // A fragment may belong to any flow.
            self.flush(buffer, deliver);
            return single(buffer, place, lane, deliver);
        };
        let anatomy = anatomy(packet, &flow, transport);
        let held = self.trains[..self.open].iter().position(|train| train.flow == flow);
        if let (Some(at), Some(anatomy)) = (held, anatomy)
            && self.trains[at].take(buffer, place.clone(), anatomy)
        {
            return;
        }
        if let Some(at) = held {
            self.send(at, buffer, deliver);
        }
        match anatomy {
            None => single(buffer, place, lane, deliver),
            Some(anatomy) => {
                if self.open == self.trains.len() {
                    self.send(0, buffer, deliver);
                }
                self.trains[self.open].begin(buffer, place, flow, anatomy);
                self.open += 1;
            }
        }
    }

    /// Delivers everything.
    pub fn flush(&mut self, buffer: &mut [u8], deliver: &mut impl FnMut(Joined<'_>)) {
        for train in &mut self.trains[..self.open] {
            train.send(buffer, deliver);
        }
        self.open = 0;
    }

    fn send(&mut self, at: usize, buffer: &mut [u8], deliver: &mut impl FnMut(Joined<'_>)) {
        self.trains[at].send(buffer, deliver);
        self.open -= 1;
        // The others stay in order of age.
        self.trains[at..=self.open].rotate_left(1);
    }
}

fn single(buffer: &[u8], place: Range<usize>, lane: u64, deliver: &mut impl FnMut(Joined<'_>)) {
    deliver(Joined { lane, ..Joined::single(buffer, &[place]) });
}

/// The flow of a packet, and where its transport header begins; None: it is not one of TCP or UDP, or a fragment.
fn flow(packet: &[u8], lane: u64) -> Option<(Flow, usize)> {
    let (version, transport, protocol, ends) = match packet.first()? >> 4 {
        4 => {
            let transport = usize::from(packet[0] & 0x0f) * 4;
            if word(packet.get(..20)?, 6) & 0x3fff != 0 {
                return None;
            }
            (4, transport, packet[9], &packet[12..20])
        }
        _ => (6, 40, *packet.get(6)?, packet.get(8..40)?),
    };
    if protocol != TCP && protocol != UDP {
        return None;
    }
    let mut addresses = [0; 32];
    addresses[..ends.len()].copy_from_slice(ends);
    let ports = long(packet.get(transport..transport + 4)?, 0);
    Some((Flow { lane, version, protocol, addresses, ports }, transport))
}

/// None: it travels alone, for what its headers say or because it has no payload.
fn anatomy(packet: &[u8], flow: &Flow, transport: usize) -> Option<Anatomy> {
    let plain = if flow.version == 4 { 20 } else { 40 };
    let header = packet.get(transport..)?;
    let length = match flow.protocol {
        TCP => {
            let length = usize::from(header.get(12)? >> 4) * 4;
            // Every other flag, and the reserved bits, mean something that must not be moved to another packet.
            let plain = header[12] & 0x0f == 0 && *header.get(13)? & !PSH == ACK;
            if length < 20 || !plain {
                return None;
            }
            length
        }
        _ => {
            let has_checksum = header.len() >= 8 && word(header, UDP_CHECKSUM) != 0;
            if !has_checksum || usize::from(word(header, 4)) != header.len() {
                return None;
            }
            8
        }
    };
    let headers = transport + length;
    // With options in the IP header, cutting would have to know them.
    (transport == plain && headers < packet.len()).then_some(Anatomy { transport, headers })
}

impl Train {
    fn begin(&mut self, buffer: &[u8], place: Range<usize>, flow: Flow, anatomy: Anatomy) {
        let packet = &buffer[place.clone()];
        let payload = packet.len() - anatomy.headers;
        self.flow = flow;
        self.pieces.clear();
        self.pieces.push(place.clone());
        self.first = place;
        self.transport = anatomy.transport;
        self.headers = anatomy.headers;
        self.segment = payload;
        self.total = packet.len();
        self.step = None;
        self.pushed = flow.protocol == TCP && packet[anatomy.transport + 13] & PSH != 0;
        self.closed = self.pushed;
        if flow.protocol == TCP {
            self.next_sequence = long(packet, anatomy.transport + 4).wrapping_add(payload as u32);
        }
    }

    /// Appends a packet of the same flow, if it is the next one in every respect.
    fn take(&mut self, buffer: &[u8], place: Range<usize>, anatomy: Anatomy) -> bool {
        let (packet, first) = (&buffer[place.clone()], &buffer[self.first.clone()]);
        let payload = packet.len() - anatomy.headers;
        let fits = !self.closed
            && anatomy.headers == self.headers
            && payload <= self.segment
            && self.total + payload <= LARGEST
            && self.pieces.len() < LONGEST_TRAIN;
        if !fits || !self.same_network(first, packet) || !self.same_transport(first, packet) {
            return false;
        }
        let Some(step) = self.step_to(first, packet) else { return false };
        // A joined segment is taken for sound, so each of its packets must be.
        let sound = |packet| is_sound(packet, &self.flow, self.transport);
        if (self.pieces.len() == 1 && !sound(first)) || !sound(packet) {
            return false;
        }
        self.step = Some(step);
        self.pushed = self.flow.protocol == TCP && packet[self.transport + 13] & PSH != 0;
        self.closed = self.pushed || payload < self.segment;
        self.next_sequence = self.next_sequence.wrapping_add(payload as u32);
        self.total += payload;
        self.pieces.push(place.start + self.headers..place.end);
        true
    }

    fn same_network(&self, first: &[u8], packet: &[u8]) -> bool {
        match self.flow.version {
            4 => first[..2] == packet[..2] && first[6..9] == packet[6..9],
            _ => first[..4] == packet[..4] && first[7] == packet[7],
        }
    }

    fn same_transport(&self, first: &[u8], packet: &[u8]) -> bool {
        let (first, packet) = (&first[self.transport..self.headers], &packet[self.transport..self.headers]);
        self.flow.protocol == UDP
            || long(packet, 4) == self.next_sequence
                && first[8..12] == packet[8..12]
                && first[14..16] == packet[14..16]
                && first[18..] == packet[18..]
    }

    /// The system counts identifications up as it cuts. Where they do not grow, DF must have made them meaningless
    /// (RFC 6864, 4.1).
    fn step_to(&self, first: &[u8], packet: &[u8]) -> Option<u16> {
        if self.flow.version == 6 {
            return Some(0);
        }
        let grown = word(packet, 4).wrapping_sub(word(first, 4));
        let step = match grown {
            0 if first[6] & DF != 0 => 0,
            _ if usize::from(grown) == self.pieces.len() => 1,
            _ => return None,
        };
        (self.step.is_none() || self.step == Some(step)).then_some(step)
    }

    fn send(&mut self, buffer: &mut [u8], deliver: &mut impl FnMut(Joined<'_>)) {
        let header = if self.pieces.len() > 1 {
            self.couple(&mut buffer[self.first.clone()])
        } else {
            VnetHeader::default()
        };
        deliver(Joined { header, buffer, pieces: &self.pieces, lane: self.flow.lane });
    }

    /// Makes the first packet's headers those of all.
    fn couple(&self, first: &mut [u8]) -> VnetHeader {
        let (network, transport) = first.split_at_mut(self.transport);
        let length = self.total - self.transport;
        if self.flow.version == 4 {
            put(network, 2, self.total as u16);
            put(network, 10, 0);
            let checksum = !fold(sum(network));
            put(network, 10, checksum);
        } else {
            put(network, 4, length as u16);
        }
        let open = fold(pseudo(network, self.flow.protocol) + number(length as u32));
        let (kind, offset) = match (self.flow.protocol, self.flow.version) {
            (TCP, 4) => (VnetHeader::TCP_IPV4, TCP_CHECKSUM),
            (TCP, _) => (VnetHeader::TCP_IPV6, TCP_CHECKSUM),
            _ => (VnetHeader::UDP, UDP_CHECKSUM),
        };
        if self.flow.protocol == UDP {
            put(transport, 4, length as u16);
        } else if self.pushed {
            transport[13] |= PSH;
        }
        put(transport, offset, open);
        VnetHeader {
            needs_checksum: true,
            kind,
            headers: self.headers as u16,
            segment: self.segment as u16,
            checksum_start: self.transport as u16,
            checksum_offset: offset as u16,
        }
    }
}

/// Whether the checksums of a packet are right.
fn is_sound(packet: &[u8], flow: &Flow, transport: usize) -> bool {
    let (network, rest) = packet.split_at(transport);
    let total = pseudo(network, flow.protocol) + number(rest.len() as u32) + sum(rest);
    (flow.version == 6 || fold(sum(network)) == 0xffff) && fold(total) == 0xffff
}
