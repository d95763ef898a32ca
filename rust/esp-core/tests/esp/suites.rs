//! Every suite, out and in again; and every way to spoil a packet on its way.

use esp_core::suite::{ENCRYPTION, Encryption};
use esp_core::transform::{KeyMaterial, keyed};
use esp_core::{Millis, Trigger};

use crate::stage::{Ends, Knobs, Pair, ipv4, ipv6, keys, outer, suites, udp};

fn ends(suite: Pair, esn: bool) -> Ends {
    Ends::new(&Knobs { suite, esn, ..Knobs::default() })
}

#[test]
fn what_is_sealed_opens_in_every_suite() {
    for suite in suites() {
        for esn in [false, true] {
            let mut ends = ends(suite, esn);
            for content in (0..70).chain([1400, 9000, 65400]) {
                for packet in [ipv4(17, 0, &udp(content)), ipv6(17, 0, &udp(content))] {
                    let sealed = ends.seal(&packet).unwrap();
                    assert_eq!(sealed.len(), ends.outbound.room_for(packet.len()));
                    assert_eq!(ends.open(&sealed), Ok(packet), "{} {content}", suite.0.name);
                }
            }
        }
    }
}

#[test]
fn the_payload_ends_on_a_boundary_with_as_little_padding_as_can_be() {
    for suite in suites() {
        let layout = keys(suite).layout;
        let align = suite.0.block.max(4);
        for payload in 20..120 {
            let body = layout.sealed(payload) - layout.payload() - layout.icv;
            assert_eq!(body % align, 0);
            assert!(layout.padding(payload) < align);
        }
    }
}

#[test]
fn nothing_of_the_inner_packet_shows() {
    for suite in suites().into_iter().filter(|(encryption, _)| encryption.key > 0) {
        let content = [b'x'; 64];
        let sealed = ends(suite, false).seal(&ipv4(200, 0, &content)).unwrap();
        assert!(!sealed.windows(16).any(|window| window == &content[..16]), "{}", suite.0.name);
    }
}

#[test]
fn any_octet_changed_is_noticed_and_leaves_the_window_where_it_was() {
    for suite in
        suites().into_iter().filter(|(encryption, integrity)| encryption.aead() || integrity.is_some())
    {
        let mut ends = ends(suite, false);
        let packet = ipv4(17, 0, &udp(21));
        let sealed = ends.seal_as(9, &packet);
        for at in 4..sealed.len() {
            let mut spoiled = sealed.clone();
            spoiled[at] ^= 0x40;
            assert_eq!(ends.open(&spoiled), Err(Trigger::IntegrityFailed), "{} at {at}", suite.0.name);
        }
        assert_eq!(ends.inbound.counters().sequence, 0);
        assert_eq!(ends.inbound.counters().integrity_failed, sealed.len() as u64 - 4);
        assert_eq!(ends.open(&sealed), Ok(packet));
    }
}

#[test]
fn a_packet_cut_short_at_any_octet_is_dropped() {
    for suite in suites() {
        let mut ends = ends(suite, true);
        let sealed = ends.seal(&ipv4(17, 0, &udp(33))).unwrap();
        for length in 0..sealed.len() {
            let result = ends.open(&sealed[..length]);
            let expected =
                [Trigger::TooShort, Trigger::IntegrityFailed, Trigger::BadPadding, Trigger::BadNextHeader];
            assert!(result.is_err_and(|trigger| expected.contains(&trigger)), "{} {length}", suite.0.name);
        }
    }
}

#[test]
fn random_octets_never_open() {
    let mut numbers = crate::stage::Numbers(5);
    for suite in
        suites().into_iter().filter(|(encryption, integrity)| encryption.aead() || integrity.is_some())
    {
        let mut ends = ends(suite, true);
        for _ in 0..300 {
            let length = numbers.below(200) as usize;
            let noise: Vec<u8> = (0..length).map(|_| numbers.next() as u8).collect();
            assert!(ends.open(&noise).is_err());
        }
    }
}

#[test]
fn the_high_half_enters_the_icv() {
    for suite in
        suites().into_iter().filter(|(encryption, integrity)| encryption.aead() || integrity.is_some())
    {
        let mut ends = ends(suite, true);
        let packet = ipv4(17, 0, &udp(8));
        // The receiver follows across the border between two subspaces, one step at a time.
        for sequence in [0x7fff_ffff, 0xffff_fff0, 0x1_0000_0005, 0x1_ffff_ff00, 0x2_0000_0001] {
            let sealed = ends.seal_as(sequence, &packet);
            assert_eq!(sealed[4..8], (sequence as u32).to_be_bytes());
            assert_eq!(ends.open(&sealed), Ok(packet.clone()), "{} {sequence:x}", suite.0.name);
            assert_eq!(ends.inbound.counters().sequence, sequence);
        }
        // Two subspaces ahead looks like one that is near: only the ICV tells.
        let far = ends.seal_as(0x5_0000_0009, &packet);
        assert_eq!(ends.open(&far), Err(Trigger::IntegrityFailed));
    }
}

#[test]
fn a_replayed_packet_is_dropped_before_its_icv_is_looked_at() {
    let mut ends = Ends::new(&Knobs::default());
    let mut sealed = ends.seal(&ipv4(17, 0, &udp(8))).unwrap();
    ends.open(&sealed).unwrap();
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    assert_eq!(ends.open(&sealed), Err(Trigger::Replayed));
    let counters = ends.inbound.counters();
    assert_eq!((counters.packets, counters.replayed, counters.integrity_failed), (1, 1, 0));
}

#[test]
fn the_ivs_of_cbc_are_no_counter_and_never_twice_the_same() {
    for name in ["aes-256-cbc", "3des", "des"] {
        let row = Encryption::named(name).unwrap();
        let mut ends = ends((row, None), false);
        let mut seen = std::collections::HashSet::new();
        let mut before = vec![0; row.iv];
        for _ in 0..1000 {
            let iv = ends.seal(&ipv4(17, 0, &udp(8))).unwrap()[8..8 + row.iv].to_vec();
            let differing: u32 = iv.iter().zip(&before).map(|(a, b)| (a ^ b).count_ones()).sum();
            assert!(differing as usize > row.iv, "{name}: only {differing} bits differ");
            assert!(seen.insert(iv.clone()));
            before = iv;
        }
    }
}

#[test]
fn keys_of_a_wrong_length_are_refused() {
    for encryption in ENCRYPTION.iter().filter(|row| row.aead()) {
        for length in [0, encryption.key, encryption.key + encryption.salt + 1] {
            let material = KeyMaterial {
                encryption: vec![1; length].into(),
                integrity: Vec::new().into(),
                iv_seed: [0; 32].into(),
            };
            assert!(keyed(encryption, None, &material).is_err());
        }
    }
}

#[test]
fn suites_that_make_no_sense_are_refused() {
    let material = |encryption: usize, integrity: usize| KeyMaterial {
        encryption: vec![1; encryption].into(),
        integrity: vec![2; integrity].into(),
        iv_seed: [0; 32].into(),
    };
    let null = Encryption::named("null").unwrap();
    let refusal = keyed(null, None, &material(0, 0)).unwrap_err();
    assert!(refusal.to_string().contains("integrity"));
    let (gcm, sha1) = crate::stage::suite("aes-128-gcm", Some("sha1"));
    assert!(keyed(gcm, sha1, &material(20, 20)).is_err());
}

#[test]
fn an_sa_without_integrity_has_no_window_and_proves_nothing() {
    let mut ends = ends((Encryption::named("aes-128-cbc").unwrap(), None), false);
    let sealed = ends.seal(&ipv4(17, 0, &udp(8))).unwrap();
    ends.open(&sealed).unwrap();
    let elsewhere = crate::stage::endpoint("203.0.113.77:9");
    ends.open_from(&sealed, elsewhere, 0, Millis(0)).unwrap();
    assert_ne!(elsewhere, outer().remote);
    assert!(!ends.inbound.take_heard());
    assert!(ends.notices.is_empty());
}
