//! The fast path against the plain one, from a tunnel interface to the one at the other end: the same packets go in,
//! alone or in trains, and the same must come out.

use std::collections::HashMap;

use esp_core::offload::{Cut, Joined, Joiner, VnetHeader};
use esp_core::{Arrival, InboundSa, Millis, Opened, OutboundSa, Summary, Trigger};

use crate::offload::{Stream, cut, some_packet, sorted};
use crate::stage::{Ends, Knobs, Numbers, outer, suite};

/// All of them where that is asked for; some in every run.
fn most_packets() -> usize {
    if std::env::var("ISTHMUS_FULL").is_ok_and(|asked| asked == "1") { 1_000_000 } else { 20_000 }
}

/// Packets that travel together.
const BATCH: usize = 200;

/// A tunnel with an end for each direction, and what it dropped and why.
struct Tunnel {
    ends: Ends,
    drops: HashMap<Trigger, usize>,
}

/// What lies on the wire: an ESP packet, and the TOS or traffic class of its outer header.
struct Sealed {
    octets: Vec<u8>,
    tos: u8,
}

impl Tunnel {
    fn new(knobs: &Knobs) -> Self {
        Self { ends: Ends::new(knobs), drops: HashMap::new() }
    }

    fn outbound(&self) -> &OutboundSa {
        &self.ends.outbound
    }

    fn inbound(&self) -> &InboundSa {
        &self.ends.inbound
    }

    fn drop(&mut self, trigger: Trigger) {
        *self.drops.entry(trigger).or_default() += 1;
    }

    /// One packet after the other.
    fn plain(&mut self, packets: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut came = Vec::new();
        for packet in packets {
            let Ok(summary) = Summary::of(packet) else {
                self.drop(Trigger::NotIp);
                continue;
            };
            let mut space = vec![0; self.outbound().room_for(packet.len())];
            match self.outbound().encapsulate(packet, &summary, &mut space, &mut Vec::new()) {
                Err(trigger) => self.drop(trigger),
                Ok(sealed) => {
                    space.truncate(sealed.length);
                    match self.inbound().decapsulate(
                        &mut space,
                        &arrival(sealed.tos),
                        &Millis(0),
                        &mut Vec::new(),
                    ) {
                        Ok(Opened::Packet(inner)) => came.push(space[inner].to_vec()),
                        Ok(Opened::Dummy) => {}
                        Err(trigger) => self.drop(trigger),
                    }
                }
            }
        }
        came
    }

    /// As the system hands them over when it may keep them together, and as it cuts them at the other end.
    fn fast(&mut self, packets: &[Vec<u8>]) -> (Vec<Vec<u8>>, usize) {
        let mut wire = Vec::new();
        joined(&packets.concat(), packets.iter().map(Vec::len), |header, packet| {
            self.seal(&header, packet, &mut wire);
        });
        let (mut buffer, mut lengths) = (Vec::new(), Vec::new());
        for Sealed { mut octets, tos } in wire {
            match self.inbound().decapsulate(&mut octets, &arrival(tos), &Millis(0), &mut Vec::new()) {
                Ok(Opened::Packet(inner)) => {
                    lengths.push(inner.len());
                    buffer.extend(&octets[inner]);
                }
                Ok(Opened::Dummy) => {}
                Err(trigger) => self.drop(trigger),
            }
        }
        let (mut came, mut writes) = (Vec::new(), 0);
        joined(&buffer, lengths.into_iter(), |header, packet| {
            came.extend(cut(&header, packet));
            writes += 1;
        });
        (came, writes)
    }

    fn seal(&mut self, header: &VnetHeader, mut packet: Vec<u8>, wire: &mut Vec<Sealed>) {
        let Ok(summary) = Summary::of(&packet) else { return self.drop(Trigger::NotIp) };
        let cut = Cut::of(header, &mut packet, &summary).unwrap();
        for at in 0..cut.count() {
            let length = cut.length(at);
            let mut octets = vec![0xee; self.outbound().room_for(length)];
            let write = |to: &mut [u8]| cut.write(at, to);
            let sealed =
                self.outbound().encapsulate_written(length, write, &summary, &mut octets, &mut Vec::new());
            match sealed {
                Ok(sealed) => {
                    octets.truncate(sealed.length);
                    wire.push(Sealed { octets, tos: sealed.tos });
                }
                Err(trigger) => self.drop(trigger),
            }
        }
    }
}

fn arrival(tos: u8) -> Arrival {
    Arrival { remote: outer().remote, tos, udp: true, headers: 0 }
}

/// Joins packets that lie side by side in a buffer.
fn joined(
    packets: &[u8],
    lengths: impl Iterator<Item = usize>,
    mut deliver: impl FnMut(VnetHeader, Vec<u8>),
) {
    let mut deliver = |joined: Joined<'_>| {
        let pieces = joined.pieces.iter().map(|place| &joined.buffer[place.clone()]);
        deliver(joined.header, pieces.collect::<Vec<_>>().concat());
    };
    let (mut joiner, mut buffer, mut start) = (Joiner::default(), packets.to_vec(), 0);
    for length in lengths {
        joiner.offer(&mut buffer, start..start + length, 1, &mut deliver);
        start += length;
    }
    joiner.flush(&mut buffer, &mut deliver);
}

#[test]
fn what_comes_out_of_the_fast_path_is_what_comes_out_of_the_plain_one() {
    let suites = [
        suite("aes-128-gcm", None),
        suite("chacha20-poly1305", None),
        suite("aes-256-cbc", Some("sha256")),
        suite("aes-128-ccm-8", None),
        suite("null", Some("sha1")),
    ];
    let mut tunnels = suites.map(|suite| {
        let knobs = Knobs { suite, window: 1024, esn: true, ..Knobs::default() };
        (Tunnel::new(&knobs), Tunnel::new(&knobs))
    });
    let mut numbers = Numbers(5);
    let (mut total, mut total_writes) = (0, 0);
    for batch in 0..most_packets() / BATCH {
        let packets = some_packets(&mut numbers);
        let (plain, fast) = &mut tunnels[batch % suites.len()];
        let expected = plain.plain(&packets);
        let (came, writes) = fast.fast(&packets);
        assert_eq!(came.len(), expected.len(), "batch {batch}");
        assert_eq!(sorted(&came), sorted(&expected), "batch {batch}");
        assert_eq!(fast.drops, plain.drops, "batch {batch}");
        (total, total_writes) = (total + came.len(), total_writes + writes);
    }
    assert!(total * 10 > most_packets() * 9, "{total} came");
    assert!(total_writes * 2 < total, "{total_writes} writes for {total} packets: too few were joined");
    for (plain, fast) in &tunnels {
        assert_eq!(fast.outbound().counters(), plain.outbound().counters());
        assert_eq!(fast.inbound().counters(), plain.inbound().counters());
    }
}

/// Six conversations by turns, each with packets of a size of its own.
fn some_packets(numbers: &mut Numbers) -> Vec<Vec<u8>> {
    let mut streams: Vec<_> = (0..6)
        .map(|_| {
            let mut stream = Stream::of(numbers.below(32) as u16);
            stream.size = [1, 64, 65, 576, 1200, 1380][numbers.below(6) as usize];
            stream
        })
        .collect();
    let mut current = 0;
    (0..BATCH)
        .map(|_| {
            if numbers.below(12) == 0 {
                current = numbers.below(6) as usize;
            }
            some_packet(&mut streams[current], numbers)
        })
        .collect()
}
