//! Limits, exhaustion, and what an SA says of its peer.

use esp_core::{Limits, Millis, Notice, Outer, Trigger};

use crate::stage::{Ends, Knobs, endpoint, ipv4, outer, udp};

fn packet() -> Vec<u8> {
    ipv4(17, 0, &udp(72))
}

fn names(notices: &[Notice]) -> Vec<&'static str> {
    let name = |notice: &Notice| match notice {
        Notice::Acquire { .. } => "acquire",
        Notice::SoftExpired(_) => "soft",
        Notice::HardExpired(_) => "hard",
        Notice::FirstInbound(_) => "first",
        Notice::PeerMoved { .. } => "moved",
    };
    notices.iter().map(name).collect()
}

#[test]
fn packet_limits_are_said_once_and_the_hard_one_ends_the_sa() {
    let limits = Limits { soft_packets: Some(2), hard_packets: Some(4), ..Limits::default() };
    let mut ends = Ends::new(&Knobs { limits, ..Knobs::default() });
    for count in 1..=4 {
        assert!(ends.seal(&packet()).is_ok());
        assert_eq!(names(&ends.notices), [&[][..], &["soft"], &["soft"], &["soft", "hard"]][count - 1]);
    }
    assert_eq!(ends.seal(&packet()), Err(Trigger::Expired));
    assert_eq!(ends.notices.len(), 2);
    let counters = ends.outbound.counters();
    assert_eq!((counters.packets, counters.dropped, counters.sequence), (4, 1, 4));
}

#[test]
fn octet_limits_count_inner_packets_and_hold_inbound_too() {
    let limits = Limits { soft_octets: Some(150), hard_octets: Some(300), ..Limits::default() };
    let mut sender = Ends::new(&Knobs::default());
    let mut ends = Ends::new(&Knobs { limits, ..Knobs::default() });
    for _ in 0..3 {
        let sealed = sender.seal(&packet()).unwrap();
        ends.open(&sealed).unwrap();
    }
    assert_eq!(names(&ends.notices), ["first", "soft", "hard"]);
    assert_eq!(ends.inbound.counters().octets, 300);
    let late = sender.seal(&packet()).unwrap();
    assert_eq!(ends.open(&late), Err(Trigger::Expired));
}

#[test]
fn the_last_sequence_number_ends_an_sa_without_esn() {
    let mut ends = Ends::new(&Knobs::default());
    let last = ends.seal_as(u32::MAX.into(), &packet());
    assert_eq!(last[4..8], [0xff; 4]);
    assert!(ends.notices.is_empty());
    assert_eq!(ends.seal(&packet()), Err(Trigger::SequenceExhausted));
    assert_eq!(ends.seal(&packet()), Err(Trigger::Expired));
    assert_eq!(names(&ends.notices), ["hard"]);
    assert_eq!(ends.outbound.counters().sequence, u32::MAX.into());
}

#[test]
fn an_extended_number_goes_on() {
    let mut ends = Ends::new(&Knobs { esn: true, ..Knobs::default() });
    ends.seal_as(u32::MAX.into(), &packet());
    let next = ends.seal(&packet()).unwrap();
    assert_eq!(next[4..8], [0; 4]);
    assert_eq!(ends.outbound.counters().sequence, 1 << 32);
}

#[test]
fn the_first_packet_of_the_peer_is_told_once() {
    let mut ends = Ends::new(&Knobs::default());
    for _ in 0..3 {
        let sealed = ends.seal(&packet()).unwrap();
        ends.open(&sealed).unwrap();
    }
    assert_eq!(names(&ends.notices), ["first"]);
}

#[test]
fn a_forged_packet_proves_no_life() {
    let mut ends = Ends::new(&Knobs::default());
    let mut sealed = ends.seal(&packet()).unwrap();
    sealed[20] ^= 1;
    let elsewhere = endpoint("203.0.113.7:4500");
    assert_eq!(ends.open_from(&sealed, elsewhere, 0, Millis(0)), Err(Trigger::IntegrityFailed));
    assert!(ends.notices.is_empty());
    assert!(!ends.inbound.take_heard());
}

#[test]
fn heard_is_true_once_for_what_came_since() {
    let mut ends = Ends::new(&Knobs::default());
    assert!(!ends.inbound.take_heard());
    let sealed = ends.seal(&packet()).unwrap();
    ends.open(&sealed).unwrap();
    assert!(ends.inbound.take_heard());
    assert!(!ends.inbound.take_heard());
}

#[test]
fn a_newer_packet_from_elsewhere_tells_that_the_peer_moved() {
    let mut ends = Ends::new(&Knobs::default());
    let sealed: Vec<_> = (0..6).map(|_| ends.seal(&packet()).unwrap()).collect();
    let elsewhere = endpoint("203.0.113.7:1024");
    ends.open(&sealed[1]).unwrap();
    ends.notices.clear();
    // Older than what is known: an attacker who delayed it would look just so.
    ends.open_from(&sealed[0], elsewhere, 0, Millis(10)).unwrap();
    assert!(ends.notices.is_empty());
    ends.open_from(&sealed[2], elsewhere, 0, Millis(20)).unwrap();
    assert_eq!(ends.notices, [Notice::PeerMoved { sa: ends.inbound.key(), remote: elsewhere }]);
    // Again only after a second, and no more once the engine has followed.
    ends.open_from(&sealed[3], elsewhere, 0, Millis(900)).unwrap();
    assert_eq!(ends.notices.len(), 1);
    ends.open_from(&sealed[4], elsewhere, 0, Millis(1100)).unwrap();
    assert_eq!(ends.notices.len(), 2);
    ends.inbound.relocate(Outer { remote: elsewhere, ..outer() });
    ends.open_from(&sealed[5], elsewhere, 0, Millis(5000)).unwrap();
    assert_eq!(ends.notices.len(), 2);
}
