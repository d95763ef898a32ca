//! AH (RFC 4302) against an ICV that is computed here the slow way: on a copy, with what may change set to zero.

use esp_core::suite::{Hash, INTEGRITY, Integrity};
use esp_core::{Mode, Outer, Trigger};
use hmac::{Hmac, KeyInit, Mac};

use crate::stage::{Ends, Knobs, Numbers, SPI, ah_key, checksum, endpoint, ipv4, ipv6, udp};

const FOUR: (&str, &str) = ("192.0.2.1:0", "198.51.100.2:0");
const SIX: (&str, &str) = ("[2001:db8::1]:0", "[2001:db8::2]:0");

fn knobs(integrity: &'static Integrity, mode: Mode, (local, remote): (&str, &str)) -> Knobs {
    let outer = Outer { local: endpoint(local), remote: endpoint(remote), udp: false };
    Knobs { ah: Some(integrity), mode, outer, ..Knobs::default() }
}

fn sha256() -> &'static Integrity {
    Integrity::named("sha256").unwrap()
}

fn hmac(integrity: &Integrity, octets: &[u8]) -> Vec<u8> {
    fn whole<M: KeyInit + Mac>(key: &[u8], octets: &[u8]) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(key).unwrap();
        mac.update(octets);
        mac.finalize().into_bytes().to_vec()
    }
    let key = ah_key(integrity);
    match integrity.hash {
        Hash::Md5 => whole::<Hmac<md5::Md5>>(&key, octets),
        Hash::Sha1 => whole::<Hmac<sha1::Sha1>>(&key, octets),
        Hash::Sha256 => whole::<Hmac<sha2::Sha256>>(&key, octets),
        Hash::Sha384 => whole::<Hmac<sha2::Sha384>>(&key, octets),
        Hash::Sha512 => whole::<Hmac<sha2::Sha512>>(&key, octets),
    }
}

/// The ICV of a packet whose AH begins at `at`; `zeroed` are the places of its own that may change, beside the usual.
fn expected(integrity: &Integrity, packet: &[u8], at: usize, high: Option<u32>, zeroed: &[usize]) -> Vec<u8> {
    let mut copy = packet.to_vec();
    let usual: &[usize] = if copy[0] >> 4 == 4 { &[1, 6, 7, 8, 10, 11] } else { &[1, 2, 3, 7] };
    for place in usual.iter().chain(zeroed) {
        copy[*place] = 0;
    }
    copy[0] &= if copy[0] >> 4 == 4 { 0xff } else { 0xf0 };
    copy[at + 12..at + 12 + integrity.icv].fill(0);
    copy.extend(high.iter().flat_map(|high| high.to_be_bytes()));
    hmac(integrity, &copy)[..integrity.icv].to_vec()
}

#[test]
fn every_algorithm_seals_as_the_rfc_says_in_both_modes_and_families() {
    for integrity in INTEGRITY {
        for ends in [FOUR, SIX] {
            for mode in [Mode::Tunnel, Mode::Transport] {
                for high in [None, Some(3)] {
                    seals_as_the_rfc_says(integrity, ends, mode, high);
                }
            }
        }
    }
}

fn seals_as_the_rfc_says(integrity: &'static Integrity, ends: (&str, &str), mode: Mode, high: Option<u32>) {
    let mut pair = Ends::new(&Knobs { esn: high.is_some(), ..knobs(integrity, mode, ends) });
    let four = ends == FOUR;
    let packet = if four { ipv4(17, 0xb8, &udp(33)) } else { ipv6(17, 0xb8, &udp(33)) };
    let sequence = u64::from(high.unwrap_or(0)) << 32 | 7;
    let sealed = pair.seal_as(sequence, &packet);
    let at = if four { 20 } else { 40 };
    let width = (12 + integrity.icv).next_multiple_of(if four { 4 } else { 8 });
    let next = match mode {
        Mode::Tunnel => {
            if four {
                4
            } else {
                41
            }
        }
        Mode::Transport => 17,
    };
    assert_eq!(sealed[if four { 9 } else { 6 }], 51);
    assert_eq!(sealed[at..at + 4], [next, (width / 4 - 2) as u8, 0, 0]);
    assert_eq!(sealed[at + 4..at + 8], SPI.to_be_bytes());
    assert_eq!(sealed[at + 8..at + 12], 7u32.to_be_bytes());
    assert_eq!(sealed[at + 12..at + 12 + integrity.icv], expected(integrity, &sealed, at, high, &[]));
    let content = if mode == Mode::Tunnel { &packet[..] } else { &packet[at..] };
    assert_eq!(&sealed[at + width..], content);
    if four {
        assert_eq!(checksum(&sealed[..20]), 0);
        assert_ne!(sealed[4..6], [0, 0]);
    }
    if let Some(high) = high {
        // The receiver tells the high half from the low ones that it saw: lead it there.
        for half in 0..u64::from(high) {
            for step in [half << 32 | 0x1000, (half + 1) << 32 | 0x10] {
                let step = pair.seal_as(step, &packet);
                assert_eq!(pair.open_behind(at, &step).as_deref(), Ok(&packet[..]));
            }
        }
    }
    assert_eq!(pair.open_behind(at, &sealed).as_deref(), Ok(&packet[..]));
    assert_eq!(pair.open_behind(at, &sealed), Err(Trigger::Replayed));
}

#[test]
fn what_routers_change_is_not_missed() {
    let mut ends = Ends::new(&knobs(sha256(), Mode::Tunnel, FOUR));
    let packet = ipv4(17, 0, &udp(8));
    let mut sealed = ends.seal(&packet).unwrap();
    (sealed[1], sealed[6], sealed[8]) = (0xfc, 0x40, 3);
    sealed[10..12].copy_from_slice(&[1, 2]);
    assert_eq!(ends.open_behind(20, &sealed), Ok(packet));
    let mut ends = Ends::new(&knobs(sha256(), Mode::Tunnel, SIX));
    let packet = ipv6(17, 0, &udp(8));
    let mut sealed = ends.seal(&packet).unwrap();
    (sealed[0], sealed[1], sealed[2], sealed[3], sealed[7]) = (0x6f, 0xc1, 2, 3, 3);
    assert_eq!(ends.open_behind(40, &sealed), Ok(packet));
}

#[test]
fn whatever_else_changes_is_noticed() {
    for ends in [FOUR, SIX] {
        let four = ends == FOUR;
        let mut pair = Ends::new(&knobs(sha256(), Mode::Tunnel, ends));
        let packet = if four { ipv4(17, 0, &udp(8)) } else { ipv6(17, 0, &udp(8)) };
        let sealed = pair.seal(&packet).unwrap();
        let at = if four { 20 } else { 40 };
        let mutable: &[usize] = if four { &[1, 6, 7, 8, 10, 11] } else { &[1, 2, 3, 7] };
        for place in (2..sealed.len()).filter(|place| !mutable.contains(place)) {
            let mut altered = sealed.clone();
            altered[place] ^= 0x10;
            assert!(pair.open_behind(at, &altered).is_err(), "octet {place}");
        }
        assert_eq!(pair.open_behind(at, &sealed), Ok(packet));
    }
}

/// An IPv4 packet with these options, padded to a whole number of words.
fn with_options(options: &[u8]) -> Vec<u8> {
    let mut packet = ipv4(17, 0, &udp(8));
    let mut padded = options.to_vec();
    padded.resize(options.len().next_multiple_of(4), 0);
    packet.splice(20..20, padded.iter().copied());
    packet[0] = 0x45 + (padded.len() / 4) as u8;
    let length = packet.len() as u16;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    packet[10..12].fill(0);
    let sum = checksum(&packet[..20 + padded.len()]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet
}

#[test]
fn ipv4_options_count_as_they_are_or_not_at_all() {
    // Router alert stays; a timestamp, a record of the route and what nobody knows may change.
    let options = [148, 4, 0, 0, 1, 68, 8, 5, 0, 1, 2, 3, 4, 7, 7, 4, 9, 9, 9, 9, 0x5e, 3, 1, 0];
    let packet = with_options(&options);
    let mut ends = Ends::new(&knobs(sha256(), Mode::Transport, FOUR));
    let sealed = ends.seal(&packet).unwrap();
    let at = 44;
    let mutable: Vec<usize> = (25..43).collect();
    assert_eq!(sealed[at + 12..at + 28], expected(sha256(), &sealed, at, None, &mutable));
    let mut changed = sealed.clone();
    changed[30] = 0xee;
    let opened = ends.open_behind(at, &changed).unwrap();
    assert_eq!((opened.len(), opened[9], opened[30]), (packet.len(), 17, 0xee));
    assert_eq!(checksum(&opened[..at]), 0);
    let mut changed = ends.seal(&packet).unwrap();
    changed[22] = 1;
    assert_eq!(ends.open_behind(at, &changed), Err(Trigger::IntegrityFailed));
}

#[test]
fn options_that_run_out_of_the_header_are_dropped() {
    for options in [&[68u8][..], &[7, 200, 1, 1], &[7, 0, 1, 1], &[7, 1, 1, 1]] {
        let mut ends = Ends::new(&knobs(sha256(), Mode::Transport, FOUR));
        let mut packet = with_options(options);
        let last = packet.len();
        if options.len() == 1 {
            packet[20..24].copy_from_slice(&[1, 1, 1, 68]);
        }
        packet.truncate(last);
        assert!(ends.seal(&packet).is_err(), "{options:?}");
    }
}

#[test]
fn ipv6_options_count_unless_they_say_that_they_change() {
    // Hop-by-hop: one that changes (0x3e), one that does not (0x1e), Pad1, PadN.
    let hop_by_hop = [60, 1, 0x3e, 2, 1, 2, 0x1e, 2, 3, 4, 0, 1, 2, 0, 0, 0];
    let destination = [17, 0, 0x1e, 4, 1, 2, 3, 4];
    let packet = ipv6(0, 0, &[&hop_by_hop[..], &destination, &udp(8)].concat());
    let mut ends = Ends::new(&knobs(sha256(), Mode::Transport, SIX));
    let sealed = ends.seal(&packet).unwrap();
    // Behind the hop-by-hop options, before those for the destination.
    let at = 56;
    assert_eq!((sealed[6], sealed[40], sealed[at]), (0, 51, 60));
    assert_eq!(sealed[at + 12..at + 28], expected(sha256(), &sealed, at, None, &[44, 45]));
    let mut changed = sealed.clone();
    changed[44] = 0x77;
    let mut whole = packet.clone();
    whole[44] = 0x77;
    assert_eq!(ends.open_behind(at, &changed), Ok(whole));
    let mut changed = ends.seal(&packet).unwrap();
    changed[48] = 0x77;
    assert_eq!(ends.open_behind(at, &changed), Err(Trigger::IntegrityFailed));
}

#[test]
fn padding_to_eight_octets_in_ipv4_is_taken() {
    let mut ends = Ends::new(&knobs(sha256(), Mode::Tunnel, FOUR));
    let packet = ipv4(17, 0, &udp(8));
    let mut sealed = ends.seal(&packet).unwrap();
    sealed.splice(48..48, [1, 2, 3, 4]);
    sealed[21] += 1;
    let length = sealed.len() as u16;
    sealed[2..4].copy_from_slice(&length.to_be_bytes());
    let icv = expected(sha256(), &sealed, 20, None, &[]);
    sealed[32..48].copy_from_slice(&icv);
    assert_eq!(ends.open_behind(20, &sealed), Ok(packet));
}

#[test]
fn no_octets_make_it_panic() {
    let mut numbers = Numbers(99);
    for ends in [FOUR, SIX] {
        for mode in [Mode::Tunnel, Mode::Transport] {
            let mut pair = Ends::new(&Knobs { window: 0, ..knobs(sha256(), mode, ends) });
            for round in 0..4000 {
                let length = numbers.below(160) as usize;
                let mut octets: Vec<u8> = (0..length).map(|_| numbers.next() as u8).collect();
                if let Some(first) = octets.first_mut() {
                    *first = if round % 2 == 0 { 0x40 | *first & 15 } else { 0x60 };
                }
                let headers = numbers.below(100) as usize;
                assert!(pair.open_behind(headers, &octets).is_err());
                if esp_core::Summary::of(&octets).is_ok() {
                    let _ = pair.seal(&octets);
                }
            }
        }
    }
}

#[test]
fn a_key_of_another_length_is_refused() {
    assert!(esp_core::ah::keyed(sha256(), &[1; 20]).is_err());
}
