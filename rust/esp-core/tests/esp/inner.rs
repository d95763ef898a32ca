//! Authentic packets whose inside is wrong: a peer that errs, or means ill.

use esp_core::transform::{HEADER, Sequence};
use esp_core::{Ports, Summary, Trigger};

use crate::stage::{Ends, Knobs, SPI, everything, ipv4, ipv6, keys, range, udp};

/// Seals a body of the test's own making: payload, padding, pad length, next header.
fn seal_body(sequence: u32, body: &[u8]) -> Vec<u8> {
    let keyed = keys(Knobs::default().suite);
    let mut packet = [&SPI.to_be_bytes()[..], &sequence.to_be_bytes(), &[0; 8], body, &[0; 16]].concat();
    assert_eq!(packet.len(), HEADER + 8 + body.len() + 16);
    keyed.transform.seal(&mut packet, Sequence { number: sequence.into(), extended: false }).unwrap();
    packet
}

fn open_body(body: &[u8]) -> Result<Vec<u8>, Trigger> {
    let mut ends = Ends::new(&Knobs::default());
    let result = ends.open(&seal_body(1, body));
    // What was wrong inside was authentic all the same: it was seen, and the peer lives.
    assert_eq!(ends.inbound.counters().sequence, 1);
    assert!(ends.inbound.take_heard());
    result
}

fn with_trailer(payload: &[u8], padding: &[u8], length: u8, next: u8) -> Vec<u8> {
    [payload, padding, &[length, next]].concat()
}

/// A packet of 20 + 8 + 22 octets: two more, and the trailer ends on a boundary.
fn packet() -> Vec<u8> {
    ipv4(17, 0, &udp(22))
}

#[test]
fn padding_counts_from_one() {
    assert_eq!(open_body(&with_trailer(&packet(), &[], 0, 4)), Ok(packet()));
    assert_eq!(open_body(&with_trailer(&packet(), &[1, 2, 3, 4], 4, 4)), Ok(packet()));
    assert_eq!(open_body(&with_trailer(&packet(), &[1, 2, 3, 5], 4, 4)), Err(Trigger::BadPadding));
    assert_eq!(open_body(&with_trailer(&packet(), &[0, 0, 0, 0], 4, 4)), Err(Trigger::BadPadding));
}

#[test]
fn the_longest_padding_is_taken() {
    let payload = ipv4(17, 0, &udp(23));
    let padding: Vec<u8> = (1..=255).collect();
    assert_eq!(open_body(&with_trailer(&payload, &padding, 255, 4)), Ok(payload));
}

#[test]
fn padding_longer_than_the_payload_is_dropped() {
    assert_eq!(open_body(&with_trailer(&[1, 2], &[], 3, 4)), Err(Trigger::BadPadding));
    assert_eq!(open_body(&with_trailer(&packet(), &[], 255, 4)), Err(Trigger::BadPadding));
}

#[test]
fn a_dummy_is_discarded_without_a_word() {
    let mut ends = Ends::new(&Knobs::default());
    let noise = with_trailer(&[0x99; 26], &[], 0, 59);
    assert_eq!(ends.open(&seal_body(1, &noise)), Ok(Vec::new()));
    assert_eq!(ends.open(&seal_body(2, &with_trailer(&[], &[1, 2], 2, 59))), Ok(Vec::new()));
    let counters = ends.inbound.counters();
    assert_eq!((counters.packets, counters.dropped, counters.sequence), (0, 0, 2));
}

#[test]
fn only_ip_comes_out_of_a_tunnel() {
    for next in [0, 1, 6, 17, 50, 58, 143, 255] {
        assert_eq!(open_body(&with_trailer(&packet(), &[], 0, next)), Err(Trigger::BadNextHeader));
    }
}

#[test]
fn the_inner_version_is_the_one_announced() {
    assert_eq!(open_body(&with_trailer(&packet(), &[], 0, 41)), Err(Trigger::BadInner));
    let six = ipv6(17, 0, &udp(2));
    assert_eq!(open_body(&with_trailer(&six, &[], 0, 41)), Ok(six.clone()));
    assert_eq!(open_body(&with_trailer(&six, &[], 0, 4)), Err(Trigger::BadInner));
}

#[test]
fn padding_for_confidentiality_is_cut_off() {
    // RFC 4303, 2.7: it stands between the inner packet and ESP's own padding.
    let payload = [packet(), vec![0xee; 40]].concat();
    assert_eq!(open_body(&with_trailer(&payload, &[], 0, 4)), Ok(packet()));
    let one = [ipv4(17, 0, &udp(21)), vec![0]].concat();
    assert_eq!(open_body(&with_trailer(&one, &[], 0, 4)), Ok(ipv4(17, 0, &udp(21))));
}

#[test]
fn an_inner_packet_longer_than_what_came_is_dropped() {
    let mut lying = packet();
    lying[3] += 1;
    assert_eq!(open_body(&with_trailer(&lying, &[], 0, 4)), Err(Trigger::BadInner));
    let mut six = ipv6(17, 0, &udp(2));
    six[5] += 1;
    assert_eq!(open_body(&with_trailer(&six, &[], 0, 41)), Err(Trigger::BadInner));
}

#[test]
fn an_empty_inner_packet_is_dropped() {
    assert_eq!(open_body(&with_trailer(&[], &[1, 2], 2, 4)), Err(Trigger::BadInner));
}

#[test]
fn a_source_outside_the_selectors_is_dropped() {
    // RFC 4301, 5.2: the peer may not speak for others than it was allowed to.
    let mut selectors = everything();
    selectors.local = [range("10.1.0.0", "10.1.255.255")].into();
    selectors.remote = [range("10.2.0.0", "10.2.255.255")].into();
    let mut ends = Ends::new(&Knobs { selectors, ..Knobs::default() });
    let mut reply = packet();
    // From 10.2.0.9 to 10.1.0.5, the way that packets of the peer go.
    reply[12..20].copy_from_slice(&[10, 2, 0, 9, 10, 1, 0, 5]);
    let body = with_trailer(&reply, &[], 0, 4);
    assert_eq!(ends.open(&seal_body(1, &body)), Ok(reply.clone()));
    for (at, octet) in [(13, 3), (17, 2)] {
        let mut other = reply.clone();
        other[at] = octet;
        let body = with_trailer(&other, &[], 0, 4);
        let sequence = at as u32;
        assert_eq!(ends.open(&seal_body(sequence, &body)), Err(Trigger::SelectorMismatch));
    }
    assert_eq!(ends.inbound.counters().dropped, 2);
}

#[test]
fn any_octets_inside_are_read_within_their_bounds() {
    let mut numbers = crate::stage::Numbers(11);
    for round in 0..200_000u64 {
        let length = numbers.below(120) as usize;
        let mut noise: Vec<u8> = (0..length).map(|_| numbers.next() as u8).collect();
        if let Some(first) = noise.first_mut() {
            *first = if round % 2 == 0 { 0x40 | *first & 0x0f } else { 0x60 | *first & 0x0f };
        }
        if round % 3 == 0 && length > 40 {
            noise[4..6].copy_from_slice(&((length - 40) as u16).to_be_bytes());
            noise[6] = [0, 43, 44, 60][numbers.below(4) as usize];
        }
        if let Ok(summary) = Summary::of(&noise) {
            assert!(summary.length <= noise.len());
        }
    }
}

fn extension(next: u8, units: u8) -> Vec<u8> {
    let mut header = vec![next, units];
    header.resize(8 * (usize::from(units) + 1), 0);
    header
}

#[test]
fn the_protocol_is_found_behind_extension_headers() {
    let chain = [extension(43, 0), extension(60, 2), extension(17, 0), udp(4)].concat();
    let summary = Summary::of(&ipv6(0, 0, &chain)).unwrap();
    assert_eq!((summary.protocol, summary.ports), (Some(17), Ports::Pair(4000, 53)));
}

#[test]
fn a_chain_of_extension_headers_that_does_not_end_is_malformed() {
    let endless = (0..20).flat_map(|_| extension(60, 0)).collect::<Vec<_>>();
    assert!(Summary::of(&ipv6(60, 0, &endless)).is_err());
    let beyond = extension(60, 200)[..16].to_vec();
    assert!(Summary::of(&ipv6(60, 0, &beyond)).is_err());
    assert!(Summary::of(&ipv6(60, 0, &[])).is_err());
}

#[test]
fn a_later_fragment_has_no_ports() {
    let mut later = ipv4(17, 0, &udp(24));
    later[7] = 2;
    let summary = Summary::of(&later).unwrap();
    assert_eq!((summary.protocol, summary.ports), (Some(17), Ports::Opaque));
    let mut first = ipv4(17, 0, &udp(24));
    first[6] = 0x20;
    assert_eq!(Summary::of(&first).unwrap().ports, Ports::Pair(4000, 53));
    let fragment =
        |offset: u8, next: u8| ipv6(44, 0, &[&[next, 0, 0, offset, 0, 0, 0, 1], &udp(8)[..]].concat());
    assert_eq!(Summary::of(&fragment(1, 17)).unwrap().ports, Ports::Pair(4000, 53));
    assert_eq!(Summary::of(&fragment(8, 17)).unwrap().ports, Ports::Opaque);
    assert_eq!(Summary::of(&fragment(8, 60)).unwrap().protocol, None);
}
