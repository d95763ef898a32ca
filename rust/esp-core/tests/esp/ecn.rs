//! Congestion marks and DSCP across the tunnel (RFC 6040; RFC 4301, 5.1.2).

use esp_core::ecn::{CE, ECT_0, ECT_1, NOT_ECT, decapsulated, rewrite};
use esp_core::{Millis, Summary, Trigger};

use crate::stage::{Ends, Knobs, checksum, ipv4, ipv6, outer, udp};

/// RFC 6040, figure 4: rows by the inner field, columns by the outer: Not-ECT, ECT(0), ECT(1), CE.
const FIGURE_4: [(u8, [Option<u8>; 4]); 4] = [
    (NOT_ECT, [Some(NOT_ECT), Some(NOT_ECT), Some(NOT_ECT), None]),
    (ECT_0, [Some(ECT_0), Some(ECT_0), Some(ECT_1), Some(CE)]),
    (ECT_1, [Some(ECT_1), Some(ECT_1), Some(ECT_1), Some(CE)]),
    (CE, [Some(CE), Some(CE), Some(CE), Some(CE)]),
];

#[test]
fn every_pair_of_fields_leaves_the_tunnel_as_the_figure_says() {
    for (inner, row) in FIGURE_4 {
        for (outer, expected) in [NOT_ECT, ECT_0, ECT_1, CE].into_iter().zip(row) {
            assert_eq!(decapsulated(inner, outer), expected, "{inner} in {outer}");
        }
    }
}

#[test]
fn a_mark_from_outside_reaches_the_inner_header_and_its_checksum() {
    for (tos, mark) in [(0xb8 | ECT_0, CE), (ECT_0, ECT_1), (0xfc | ECT_1, CE)] {
        let mut ends = Ends::new(&Knobs::default());
        let sealed = ends.seal(&ipv4(17, tos, &udp(9))).unwrap();
        let inner = ends.open_from(&sealed, outer().remote, mark, Millis(0)).unwrap();
        assert_eq!(inner[1], tos & !3 | mark);
        assert_eq!(checksum(&inner[..20]), 0);
        let sealed = ends.seal(&ipv6(17, tos, &udp(9))).unwrap();
        let inner = ends.open_from(&sealed, outer().remote, mark, Millis(0)).unwrap();
        assert_eq!(Summary::of(&inner).unwrap().tos, tos & !3 | mark);
    }
}

#[test]
fn a_mark_on_a_packet_that_cannot_carry_it_is_a_drop() {
    let mut ends = Ends::new(&Knobs::default());
    let sealed = ends.seal(&ipv4(17, 0xb8, &udp(9))).unwrap();
    assert_eq!(ends.open_from(&sealed, outer().remote, CE, Millis(0)), Err(Trigger::BadEcn));
}

#[test]
fn the_checksum_follows_every_change() {
    for tos in 0..=255 {
        for ecn in [NOT_ECT, ECT_0, ECT_1, CE] {
            for mut packet in [ipv4(17, tos, &udp(0)), ipv4(255, tos, &[0xff; 40])] {
                rewrite(&mut packet, ecn);
                assert_eq!(checksum(&packet[..20]), 0);
                assert_eq!(packet[1], tos & !3 | ecn);
            }
        }
    }
}

#[test]
fn the_outer_header_copies_ecn_always_and_dscp_on_demand() {
    for (copy_dscp, expected) in [(false, ECT_0), (true, 0xb8 | ECT_0)] {
        let mut ends = Ends::new(&Knobs { copy_dscp, ..Knobs::default() });
        let mut out = [0; 200];
        for packet in [ipv4(17, 0xb8 | ECT_0, &udp(9)), ipv6(17, 0xb8 | ECT_0, &udp(9))] {
            let summary = Summary::of(&packet).unwrap();
            let sealed = ends.outbound.encapsulate(&packet, &summary, &mut out, &mut ends.notices).unwrap();
            assert_eq!(sealed.tos, expected);
        }
    }
}
