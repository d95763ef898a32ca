//! Joining and cutting against what a plain path does: nothing. What was joined and is cut again must be what it was.

use std::collections::HashMap;
use std::ops::Range;

use esp_core::Summary;
use esp_core::offload::{Cut, Joined, Joiner, VnetHeader};

use crate::stage::Numbers;

const TCP: u8 = 6;
const UDP: u8 = 17;
const ACK: u8 = 0x10;
const PSH: u8 = 0x08;

/// RFC 1071, word by word.
fn checksum(pieces: &[&[u8]]) -> u16 {
    let mut total = 0u32;
    for piece in pieces {
        for pair in piece.chunks(2) {
            total += u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
            total = (total & 0xffff) + (total >> 16);
        }
    }
    !(total as u16)
}

fn pseudo(packet: &[u8], protocol: u8, length: usize) -> Vec<u8> {
    let addresses = if packet[0] >> 4 == 4 { &packet[12..20] } else { &packet[8..40] };
    [addresses, &(length as u32).to_be_bytes(), &[0, 0, 0, protocol]].concat()
}

/// One conversation, in one direction.
#[derive(Clone)]
pub(crate) struct Stream {
    version: u8,
    protocol: u8,
    port: u16,
    sequence: u32,
    identification: u16,
    df: bool,
    counts: bool,
    options: usize,
    /// Octets of payload in most of its packets.
    pub(crate) size: usize,
}

impl Stream {
    pub(crate) fn of(number: u16) -> Self {
        Self {
            version: if number & 1 == 0 { 4 } else { 6 },
            protocol: if number & 2 == 0 { TCP } else { UDP },
            port: 1000 + number,
            sequence: u32::MAX - 3000,
            identification: u16::MAX - 2,
            df: number & 4 == 0,
            counts: number & 8 == 0,
            options: if number & 16 == 0 { 12 } else { 0 },
            size: 1200,
        }
    }

    fn packet(&mut self, payload: &[u8], flags: u8) -> Vec<u8> {
        let mut transport = [self.port.to_be_bytes(), 443u16.to_be_bytes()].concat();
        if self.protocol == TCP {
            transport.extend(self.sequence.to_be_bytes());
            transport.extend(77u32.to_be_bytes());
            transport.extend([((20 + self.options) / 4) as u8 * 16, flags, 1, 0, 0, 0, 0, 0]);
            transport.extend(std::iter::repeat_n(1, self.options));
            self.sequence = self.sequence.wrapping_add(payload.len() as u32);
        } else {
            transport.extend(((8 + payload.len()) as u16).to_be_bytes());
            transport.extend([0, 0]);
        }
        transport.extend(payload);
        let packet = self.around(&transport);
        self.identification = self.identification.wrapping_add(u16::from(self.counts));
        with_checksum(packet, self.protocol, if self.version == 4 { 20 } else { 40 })
    }

    fn around(&self, transport: &[u8]) -> Vec<u8> {
        let length = transport.len() as u16;
        let mut packet;
        if self.version == 4 {
            packet = vec![0x45, 2];
            packet.extend((20 + length).to_be_bytes());
            packet.extend(self.identification.to_be_bytes());
            packet.extend([
                if self.df { 0x40 } else { 0 },
                0,
                64,
                self.protocol,
                0,
                0,
                10,
                1,
                0,
                2,
                10,
                2,
                0,
                2,
            ]);
            let sum = checksum(&[&packet]);
            packet[10..12].copy_from_slice(&sum.to_be_bytes());
        } else {
            packet = vec![0x60, 0x20, 1, 2];
            packet.extend(length.to_be_bytes());
            packet.extend([self.protocol, 64]);
            packet.extend([0xfd; 16]);
            packet.extend([0xfc; 16]);
        }
        packet.extend(transport);
        packet
    }
}

fn with_checksum(mut packet: Vec<u8>, protocol: u8, at: usize) -> Vec<u8> {
    let place = at + if protocol == TCP { 16 } else { 6 };
    packet[place..place + 2].fill(0);
    let sum = checksum(&[&pseudo(&packet, protocol, packet.len() - at), &packet[at..]]);
    let sum = if sum == 0 && protocol == UDP { 0xffff } else { sum };
    packet[place..place + 2].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// A single packet, or what the system would make of a large one.
pub(crate) fn cut(header: &VnetHeader, mut packet: Vec<u8>) -> Vec<Vec<u8>> {
    if *header == VnetHeader::default() {
        return vec![packet];
    }
    let summary = Summary::of(&packet).unwrap();
    let cut = Cut::of(header, &mut packet, &summary).unwrap();
    (0..cut.count())
        .map(|at| {
            let mut out = vec![0xee; cut.length(at)];
            cut.write(at, &mut out);
            out
        })
        .collect()
}

/// Puts packets side by side into a buffer, joins them, and cuts what comes. Also: how many writes it took.
fn joined_and_cut(packets: &[Vec<u8>]) -> (Vec<Vec<u8>>, usize) {
    let mut buffer = packets.concat();
    let (mut came, mut writes) = (Vec::new(), 0);
    let mut deliver = |joined: Joined<'_>| {
        let whole: Vec<u8> = joined
            .pieces
            .iter()
            .flat_map(|place: &Range<usize>| &joined.buffer[place.clone()])
            .copied()
            .collect();
        assert_eq!(VnetHeader::of(&joined.header.octets()), joined.header);
        writes += 1;
        came.extend(cut(&joined.header, whole));
    };
    let (mut joiner, mut start) = (Joiner::default(), 0);
    for packet in packets {
        joiner.offer(&mut buffer, start..start + packet.len(), 1, &mut deliver);
        start += packet.len();
    }
    joiner.flush(&mut buffer, &mut deliver);
    (came, writes)
}

/// By conversation, each in its order; with DF the identification means nothing (RFC 6864, 4.1).
pub(crate) fn sorted(packets: &[Vec<u8>]) -> HashMap<Vec<u8>, Vec<Vec<u8>>> {
    let mut flows: HashMap<Vec<u8>, Vec<Vec<u8>>> = HashMap::new();
    for packet in packets {
        let mut packet = packet.clone();
        let (addresses, ports) = if packet[0] >> 4 == 4 { (12..20, 20..24) } else { (8..40, 40..44) };
        if packet[0] == 0x45 && packet[6] & 0x40 != 0 && checksum(&[&packet[..20]]) == 0 {
            packet[4..6].fill(0);
            packet[10..12].fill(0);
        }
        let key = [&packet[addresses], packet.get(ports).unwrap_or(&[])].concat();
        flows.entry(key).or_default().push(packet);
    }
    flows
}

fn octets(numbers: &mut Numbers, count: usize) -> Vec<u8> {
    (0..count).map(|_| numbers.next() as u8).collect()
}

#[test]
fn a_train_of_each_kind_is_one_write_and_the_same_again() {
    for number in 0..32 {
        let mut stream = Stream::of(number);
        let mut numbers = Numbers(9);
        let mut packets: Vec<_> = (0..20).map(|_| stream.packet(&octets(&mut numbers, 1001), ACK)).collect();
        packets.push(stream.packet(&octets(&mut numbers, 500), ACK | PSH));
        let (came, writes) = joined_and_cut(&packets);
        // An identification that stands still without DF would be another after cutting.
        let may_join = stream.version == 6 || stream.counts || stream.df;
        assert_eq!(writes, if may_join { 1 } else { 21 }, "{number}");
        assert_eq!(sorted(&came), sorted(&packets), "{number}");
    }
}

#[test]
fn whatever_comes_joined_and_cut_is_the_same() {
    let mut numbers = Numbers(1);
    let (mut total, mut total_writes) = (0, 0);
    for _ in 0..300 {
        let mut streams: Vec<_> = (0..6).map(|_| Stream::of(numbers.below(32) as u16)).collect();
        let mut packets = Vec::new();
        let mut current = 0;
        for _ in 0..200 {
            if numbers.below(12) == 0 {
                current = numbers.below(6) as usize;
            }
            packets.push(some_packet(&mut streams[current], &mut numbers));
        }
        let (came, writes) = joined_and_cut(&packets);
        assert_eq!(came.len(), packets.len());
        assert_eq!(sorted(&came), sorted(&packets));
        (total, total_writes) = (total + packets.len(), total_writes + writes);
    }
    assert!(total_writes * 2 < total, "{total_writes} writes for {total} packets: too few were joined");
}

/// Mostly the next one of its conversation, now and then an odd one.
pub(crate) fn some_packet(stream: &mut Stream, numbers: &mut Numbers) -> Vec<u8> {
    let size = if numbers.below(20) > 0 { stream.size } else { [64, 1, 0][numbers.below(3) as usize] };
    let flags =
        [ACK, ACK, ACK, ACK, ACK | PSH, 0x02, ACK | 1, ACK | 0x40, ACK | 0x80, 4][numbers.below(10) as usize];
    let payload = octets(numbers, size);
    let before = stream.clone();
    let mut packet = stream.packet(&payload, if numbers.below(12) > 0 { ACK } else { flags });
    match numbers.below(120) {
        // Damage, anywhere but in what tells where it ends.
        0 => {
            let at = numbers.below(packet.len() as u64) as usize;
            if !matches!(at, 0 | 2..6 | 6) {
                packet[at] ^= 1 << numbers.below(8);
            }
        }
        // It comes twice, or too early.
        1 => *stream = before,
        2 => stream.sequence = stream.sequence.wrapping_add(9),
        3 => stream.identification = stream.identification.wrapping_add(7),
        // A fragment.
        4 if stream.version == 4 => {
            packet[6..8].copy_from_slice(&[[0x20, 0], [0, 5]][numbers.below(2) as usize]);
        }
        // An IPv6 extension header; IPv4 options.
        5 if stream.version == 6 => {
            packet.splice(40..40, [stream.protocol, 0, 1, 4, 0, 0, 0, 0]);
            packet[6] = 60;
            let length = (packet.len() - 40) as u16;
            packet[4..6].copy_from_slice(&length.to_be_bytes());
        }
        5 => {
            packet.splice(20..20, [1, 1, 1, 0]);
            packet[0] = 0x46;
            let length = packet.len() as u16;
            packet[2..4].copy_from_slice(&length.to_be_bytes());
        }
        // UDP without a checksum, or with a length of its own.
        6 if stream.protocol == UDP => {
            let at = if stream.version == 4 { 26 } else { 46 };
            packet[at..at + 2].fill(0);
        }
        7 if stream.protocol == UDP && stream.version == 4 => packet[25] ^= 1,
        // Congestion; another hop count.
        8 if stream.version == 4 => packet[1] ^= 1,
        9 => packet[if stream.version == 4 { 8 } else { 7 }] -= 1,
        // No TCP or UDP at all.
        10 => packet[if stream.version == 4 { 9 } else { 6 }] = 47,
        _ => {}
    }
    packet
}

#[test]
fn a_segment_is_cut_as_rfc_9293_and_768_would_have_written_it() {
    for (version, protocol, size) in [4, 6].iter().flat_map(|v| {
        [TCP, UDP].iter().flat_map(move |p| [1, 2, 999, 1000, 1001, 30_000].iter().map(move |s| (*v, *p, *s)))
    }) {
        let number = u16::from(version == 6) | u16::from(protocol == UDP) << 1;
        let mut numbers = Numbers(size as u64);
        let payload = octets(&mut numbers, size);
        let (mut large, mut small) = (Stream::of(number), Stream::of(number));
        let last = ACK | PSH | 1;
        let mut packet = large.packet(&payload, last);
        let transport = if version == 4 { 20 } else { 40 };
        let offset = if protocol == TCP { 16 } else { 6 };
        let open = !checksum(&[&pseudo(&packet, protocol, packet.len() - transport)]);
        packet[transport + offset..transport + offset + 2].copy_from_slice(&open.to_be_bytes());
        let header = VnetHeader {
            needs_checksum: true,
            kind: match (protocol, version) {
                (TCP, 4) => VnetHeader::TCP_IPV4,
                (TCP, _) => VnetHeader::TCP_IPV6,
                _ => VnetHeader::UDP,
            },
            headers: 0,
            segment: 1000,
            checksum_start: transport as u16,
            checksum_offset: offset as u16,
        };
        let pieces = payload.chunks(1000);
        let count = pieces.len();
        let expected: Vec<_> = pieces
            .enumerate()
            .map(|(at, piece)| small.packet(piece, if at + 1 == count { last } else { ACK }))
            .collect();
        assert_eq!(cut(&header, packet), expected, "{version} {protocol} {size}");
    }
}

#[test]
fn an_open_checksum_is_completed_and_nothing_else_is_touched() {
    let mut stream = Stream::of(0);
    let whole = stream.packet(b"a question", ACK);
    let mut packet = whole.clone();
    let open = !checksum(&[&pseudo(&packet, TCP, packet.len() - 20)]);
    packet[36..38].copy_from_slice(&open.to_be_bytes());
    let header =
        VnetHeader { needs_checksum: true, checksum_start: 20, checksum_offset: 16, ..VnetHeader::default() };
    assert_eq!(cut(&header, packet), [whole]);
}

#[test]
fn headers_that_lie_are_refused_and_break_nothing() {
    let mut numbers = Numbers(4);
    for _ in 0..100_000 {
        let mut packet = Stream::of(numbers.below(32) as u16).packet(&[7; 300], ACK);
        let noise = octets(&mut numbers, 4);
        let header = VnetHeader {
            needs_checksum: noise[0] & 1 == 0,
            kind: noise[1] % 7,
            headers: u16::from(noise[2]),
            segment: u16::from(noise[3]),
            checksum_start: numbers.below(400) as u16,
            checksum_offset: [6, 16, 400, u16::MAX][numbers.below(4) as usize],
        };
        let at = numbers.below(packet.len() as u64) as usize;
        packet[at] = numbers.next() as u8;
        let Ok(summary) = Summary::of(&packet) else { continue };
        let Ok(cut) = Cut::of(&header, &mut packet, &summary) else { continue };
        for at in 0..cut.count() {
            let mut out = vec![0; cut.length(at)];
            cut.write(at, &mut out);
        }
    }
}
