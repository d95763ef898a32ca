//! Transport mode: the packet keeps its header.

use esp_core::{Mode, PortRange, Selector, Selectors, Trigger};

use crate::stage::{Ends, Knobs, any, checksum, ipv4, ipv6, range, suites, udp};

fn knobs() -> Knobs {
    Knobs { mode: Mode::Transport, ..Knobs::default() }
}

#[test]
fn every_suite_gives_the_packet_back_with_its_header() {
    for suite in suites() {
        for (packet, at, next_at) in [(ipv4(17, 0xb8, &udp(21)), 20, 9), (ipv6(17, 0xb8, &udp(21)), 40, 6)] {
            let mut ends = Ends::new(&Knobs { suite, ..knobs() });
            let sealed = ends.seal(&packet).unwrap();
            assert_eq!(sealed[next_at], 50);
            // All but length, protocol and checksum.
            assert_eq!(sealed[..2], packet[..2]);
            assert_eq!(sealed[12..at], packet[12..at]);
            assert_eq!(ends.open_behind(at, &sealed), Ok(packet));
        }
    }
}

#[test]
fn a_fragment_is_not_protected() {
    let mut first = ipv4(17, 0, &udp(8));
    first[6] = 0x20;
    let mut later = ipv4(17, 0, &udp(8));
    later[7] = 3;
    let six = ipv6(44, 0, &[&[17, 0, 0, 1, 0, 0, 0, 9][..], &udp(8)].concat());
    for packet in [first, later, six] {
        let mut ends = Ends::new(&knobs());
        assert_eq!(ends.seal(&packet), Err(Trigger::Fragment));
        assert_eq!(ends.outbound.counters().sequence, 0);
    }
}

#[test]
fn a_packet_with_stops_before_it_is_not_protected() {
    let mut four = ipv4(17, 0, &udp(8));
    four.splice(20..20, [137, 7, 4, 198, 51, 100, 9, 0]);
    four[0] = 0x47;
    four[3] += 8;
    let address = [0x20, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    let six = ipv6(43, 0, &[&[17, 2, 0, 1, 0, 0, 0, 0][..], &address, &udp(8)].concat());
    for packet in [four, six] {
        assert_eq!(Ends::new(&knobs()).seal(&packet), Err(Trigger::SourceRouted));
    }
}

#[test]
fn options_stay_where_routers_find_them() {
    let hop_by_hop = [43, 0, 5, 2, 0, 0, 1, 0];
    let passed = [60, 0, 253, 0, 1, 2, 3, 4];
    let destination = [17, 0, 0x1e, 4, 1, 2, 3, 4];
    let packet = ipv6(0, 0, &[&hop_by_hop[..], &passed, &destination, &udp(8)].concat());
    let mut ends = Ends::new(&knobs());
    let sealed = ends.seal(&packet).unwrap();
    assert_eq!((sealed[6], sealed[40], sealed[48]), (0, 43, 50));
    assert_eq!(ends.open_behind(56, &sealed), Ok(packet));
}

#[test]
fn what_arrives_must_be_what_was_agreed() {
    let web =
        Selector { protocol: 6, ports: PortRange { start: 443, end: 443 }, ..range("10.2.0.9", "10.2.0.9") };
    let selectors = Selectors { local: any(), remote: [web].into() };
    let mut ends = Ends::new(&knobs());
    let sealed = ends.seal(&ipv4(17, 0, &udp(8))).unwrap();
    let mut narrow = Ends::new(&Knobs { selectors, ..knobs() });
    assert_eq!(narrow.open_behind(20, &sealed), Err(Trigger::SelectorMismatch));
}

#[test]
fn the_header_is_right_after_opening_whatever_its_length_was() {
    let mut ends = Ends::new(&knobs());
    let packet = ipv4(17, 0, &udp(100));
    let mut sealed = ends.seal(&packet).unwrap();
    sealed[8] = 3; // routers count down
    let opened = ends.open_behind(20, &sealed).unwrap();
    assert_eq!((checksum(&opened[..20]), opened[8], opened.len()), (0, 3, packet.len()));
    for headers in [0, 24, 400] {
        let sealed = ends.seal(&packet).unwrap();
        assert!(ends.open_behind(headers, &sealed).is_err());
    }
}
