//! Which packets selectors admit (RFC 4301, 4.4.1.1).

use esp_core::{PortRange, Selector, Selectors, Summary};

use crate::stage::{ipv4, ipv6, range, udp};

fn only(selector: Selector) -> Selectors {
    Selectors { local: [selector].into(), remote: crate::stage::any() }
}

fn towards(selector: Selector) -> Selectors {
    Selectors { local: crate::stage::any(), remote: [selector].into() }
}

fn port(protocol: u8, start: u16, end: u16) -> Selector {
    Selector { protocol, ports: PortRange { start, end }, ..range("0.0.0.0", "255.255.255.255") }
}

fn opaque(protocol: u8) -> Selector {
    Selector { ports: PortRange::OPAQUE, ..port(protocol, 0, 0) }
}

fn summary(packet: &[u8]) -> Summary {
    Summary::of(packet).unwrap()
}

fn datagram() -> Summary {
    summary(&ipv4(17, 0, &udp(8)))
}

fn later_fragment() -> Summary {
    let mut packet = ipv4(17, 0, &udp(24));
    packet[7] = 2;
    summary(&packet)
}

#[test]
fn both_ends_of_a_range_belong_to_it() {
    for (start, end, fits) in [
        ("10.1.0.5", "10.1.0.5", true),
        ("10.1.0.0", "10.1.0.5", true),
        ("10.1.0.5", "10.1.0.9", true),
        ("10.1.0.6", "10.1.0.9", false),
        ("10.1.0.0", "10.1.0.4", false),
    ] {
        assert_eq!(only(range(start, end)).admit_outbound(&datagram()), fits, "{start} {end}");
    }
}

#[test]
fn families_do_not_mix() {
    let six = summary(&ipv6(17, 0, &udp(8)));
    let all_of_six = range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    assert!(only(all_of_six).admit_outbound(&six));
    assert!(!only(all_of_six).admit_outbound(&datagram()));
    assert!(!only(range("0.0.0.0", "255.255.255.255")).admit_outbound(&six));
}

#[test]
fn inbound_is_outbound_turned_round() {
    let local = only(range("10.2.0.9", "10.2.0.9"));
    assert!(local.admit_inbound(&datagram()));
    assert!(!local.admit_outbound(&datagram()));
}

#[test]
fn protocol_and_port_must_fit() {
    assert!(towards(port(17, 53, 53)).admit_outbound(&datagram()));
    assert!(!towards(port(17, 54, 54)).admit_outbound(&datagram()));
    assert!(!towards(port(6, 53, 53)).admit_outbound(&datagram()));
    assert!(only(port(0, 4000, 4000)).admit_outbound(&datagram()));
}

#[test]
fn hidden_ports_fit_any_and_opaque_only() {
    assert!(towards(port(17, 0, 65535)).admit_outbound(&later_fragment()));
    assert!(towards(opaque(17)).admit_outbound(&later_fragment()));
    assert!(!towards(port(17, 53, 53)).admit_outbound(&later_fragment()));
    assert!(!towards(port(17, 0, 65534)).admit_outbound(&later_fragment()));
    assert!(!towards(opaque(17)).admit_outbound(&datagram()));
}

#[test]
fn a_protocol_without_ports_fits_any_port_only() {
    let gre = summary(&ipv4(47, 0, &[0; 8]));
    assert!(towards(port(47, 0, 65535)).admit_outbound(&gre));
    assert!(!towards(port(47, 0, 0)).admit_outbound(&gre));
}

#[test]
fn a_transport_header_cut_short_has_no_ports() {
    let short = summary(&ipv4(6, 0, &[0, 80]));
    assert!(towards(port(6, 0, 65535)).admit_outbound(&short));
    assert!(!towards(port(6, 80, 80)).admit_outbound(&short));
}

#[test]
fn icmp_type_and_code_stand_where_the_port_would() {
    // RFC 4301, 4.4.1.3: echo request is type 8, code 0.
    let echo = summary(&ipv4(1, 0, &[8, 0, 0, 0, 0, 1, 0, 1]));
    assert!(only(port(1, 0x0800, 0x0800)).admit_outbound(&echo));
    assert!(only(port(1, 0x0800, 0x08ff)).admit_outbound(&echo));
    assert!(!only(port(1, 0x0000, 0x00ff)).admit_outbound(&echo));
    let one_way = Selectors { local: [port(1, 0x0800, 0x0800)].into(), remote: [opaque(1)].into() };
    assert!(one_way.admit_outbound(&echo));
    assert!(!one_way.admit_inbound(&echo));
    let both_ways =
        Selectors { local: [port(1, 0x0800, 0x0800)].into(), remote: [port(1, 0x0800, 0x0800)].into() };
    assert!(both_ways.admit_outbound(&echo) && both_ways.admit_inbound(&echo));
}

#[test]
fn any_protocol_admits_what_hides_its_protocol() {
    let hidden = ipv6(44, 0, &[60, 0, 0, 8, 0, 0, 0, 1, 9, 9, 9, 9]);
    let all = range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    assert!(only(all).admit_outbound(&summary(&hidden)));
    assert!(!only(Selector { protocol: 17, ..all }).admit_outbound(&summary(&hidden)));
}

#[test]
fn one_selector_of_each_side_suffices() {
    let selectors = Selectors {
        local: [range("10.9.0.0", "10.9.0.0"), range("10.1.0.0", "10.1.0.255")].into(),
        remote: [port(6, 0, 65535), port(17, 53, 53)].into(),
    };
    assert!(selectors.admit_outbound(&datagram()));
}
