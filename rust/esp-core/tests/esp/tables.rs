//! Which SA carries a packet: policies, selectors, and the order of installation.

use std::net::IpAddr;
use std::sync::Arc;

use esp_core::{
    Direction, Limits, Millis, Mode, Notice, OutboundConfig, OutboundSa, Outer, Policy, Protocol, SaKey, Sad,
    Selectors, Spd, Summary, Trigger,
};

use crate::stage::{any, endpoint, ipv4, keys, outer, range, suite, udp};

fn towards(start: &str, end: &str) -> Selectors {
    Selectors { local: any(), remote: [range(start, end)].into() }
}

fn policy(child: &str, order: u32, selectors: Selectors) -> Policy {
    Policy { child: child.into(), interface: "tunnel.1".into(), order, selectors }
}

fn outbound(spi: u32, child: &str, selectors: Selectors) -> Arc<OutboundSa> {
    let config = OutboundConfig {
        spi,
        child: child.into(),
        interface: "tunnel.1".into(),
        selectors,
        mode: Mode::Tunnel,
        esn: false,
        limits: Limits::default(),
        copy_dscp: false,
    };
    Arc::new(OutboundSa::new(config, keys(suite("aes-128-gcm", None)), outer()))
}

fn outbound_key(spi: u32, remote: IpAddr) -> SaKey {
    SaKey { direction: Direction::Outbound, protocol: Protocol::Esp, spi, remote }
}

fn packet() -> Summary {
    Summary::of(&ipv4(17, 0, &udp(8))).unwrap()
}

fn everywhere() -> Selectors {
    towards("0.0.0.0", "255.255.255.255")
}

struct Look {
    spi: Result<u32, Trigger>,
    notices: Vec<Notice>,
}

fn look(spd: &Spd, now: u64) -> Look {
    let interface = spd.interface("tunnel.1");
    let routes = interface.load();
    let mut notices = Vec::new();
    let found = routes.outbound(&packet(), &Millis(now), &mut notices);
    Look { spi: found.map(|sa| sa.config.spi), notices }
}

#[test]
fn without_a_policy_nothing_leaves() {
    let spd = Spd::default();
    spd.install(outbound(1000, "a", everywhere()));
    let look = look(&spd, 0);
    assert_eq!(look.spi, Err(Trigger::NoPolicy));
    assert!(look.notices.is_empty());
}

#[test]
fn the_first_policy_in_order_decides_even_without_an_sa() {
    let spd = Spd::default();
    spd.install_policy(policy("second", 2, everywhere()));
    spd.install_policy(policy("first", 1, everywhere()));
    spd.install(outbound(1000, "second", everywhere()));
    assert_eq!(look(&spd, 0).spi, Err(Trigger::NoSa));
    spd.install(outbound(1001, "first", everywhere()));
    assert_eq!(look(&spd, 0).spi, Ok(1001));
    spd.remove_policy("first");
    assert_eq!(look(&spd, 0).spi, Ok(1000));
}

#[test]
fn a_policy_that_does_not_admit_the_packet_is_passed_over() {
    let spd = Spd::default();
    spd.install_policy(policy("elsewhere", 1, towards("10.9.0.0", "10.9.255.255")));
    spd.install_policy(policy("here", 2, everywhere()));
    spd.install(outbound(1000, "here", everywhere()));
    assert_eq!(look(&spd, 0).spi, Ok(1000));
}

#[test]
fn of_a_childs_sas_the_newest_that_admits_the_packet_carries_it() {
    let spd = Spd::default();
    spd.install_policy(policy("a", 1, everywhere()));
    spd.install(outbound(1000, "a", everywhere()));
    spd.install(outbound(1001, "a", everywhere()));
    spd.install(outbound(1002, "a", towards("10.9.0.0", "10.9.255.255")));
    assert_eq!(look(&spd, 0).spi, Ok(1001));
    let newest = spd.find(&outbound_key(1001, outer().remote.ip())).unwrap();
    spd.remove(&newest);
    assert_eq!(look(&spd, 0).spi, Ok(1000));
}

#[test]
fn a_missing_sa_is_asked_for_once_a_second() {
    let spd = Spd::default();
    spd.install_policy(policy("a", 1, everywhere()));
    let asked: Vec<usize> = [0, 1, 999, 1000, 1500, 2000].map(|now| look(&spd, now).notices.len()).to_vec();
    assert_eq!(asked, [1, 0, 0, 1, 0, 1]);
    // The rate is the child's, whatever becomes of its policy meanwhile.
    spd.install_policy(policy("a", 5, everywhere()));
    assert!(look(&spd, 2100).notices.is_empty());
    let acquire = look(&spd, 9000).notices;
    assert_eq!(acquire, [Notice::Acquire { child: "a".into(), packet: packet() }]);
}

#[test]
fn a_policy_that_moves_to_another_interface_leaves_the_first() {
    let spd = Spd::default();
    spd.install_policy(policy("a", 1, everywhere()));
    spd.install_policy(Policy { interface: "tunnel.2".into(), ..policy("a", 1, everywhere()) });
    assert_eq!(look(&spd, 0).spi, Err(Trigger::NoPolicy));
}

#[test]
fn equal_spis_of_two_peers_are_two_sas() {
    let spd = Spd::default();
    let (one, other) = (outbound(1000, "a", everywhere()), outbound(1000, "b", everywhere()));
    other.relocate(Outer { remote: endpoint("203.0.113.9:4500"), ..outer() });
    spd.install(one.clone());
    spd.install(other.clone());
    assert!(Arc::ptr_eq(&spd.find(&outbound_key(1000, outer().remote.ip())).unwrap(), &one));
    assert!(Arc::ptr_eq(&spd.find(&outbound_key(1000, endpoint("203.0.113.9:0").ip())).unwrap(), &other));
    spd.remove(&one);
    assert!(spd.find(&outbound_key(1000, outer().remote.ip())).is_none());
}

#[test]
fn a_snapshot_outlives_the_change_of_its_table() {
    let sad = Sad::default();
    let ends = crate::stage::Ends::new(&crate::stage::Knobs::default());
    let spi = ends.inbound.config.spi;
    sad.install(Arc::new(ends.inbound));
    let before = sad.load();
    sad.remove(spi);
    assert!(before.contains_key(&spi));
    assert!(sad.find(spi).is_none());
}

#[test]
fn clearing_leaves_nothing_that_could_send() {
    let spd = Spd::default();
    spd.install_policy(policy("a", 1, everywhere()));
    spd.install(outbound(1000, "a", everywhere()));
    spd.clear();
    assert_eq!(look(&spd, 0).spi, Err(Trigger::NoPolicy));
    assert!(spd.find(&outbound_key(1000, outer().remote.ip())).is_none());
}

#[test]
fn of_many_policies_the_first_that_admits_a_packet_carries_it() {
    let spd = Spd::default();
    let site = |number: u32| std::net::Ipv4Addr::from_bits(0x0a00_0000 + number * 256);
    for number in 0..1000 {
        let child = format!("site{number}");
        let (first, last) = (site(number).to_string(), site(number + 2).to_string());
        // They overlap, and the later ones come first.
        spd.install_policy(policy(&child, 1000 - number, towards(&first, &last)));
        spd.install(outbound(256 + number, &child, everywhere()));
    }
    let interface = spd.interface("tunnel.1");
    let routes = interface.load();
    let carried = |destination: IpAddr| {
        let packet = Summary { destination, ..packet() };
        routes.outbound(&packet, &Millis(0), &mut Vec::new()).map(|sa| sa.config.spi - 256)
    };
    for number in 0..1000 {
        assert_eq!(carried(site(number).into()), Ok(number));
    }
    assert_eq!(carried(site(1001).into()), Ok(999));
    assert_eq!(carried("9.255.255.255".parse().unwrap()), Err(Trigger::NoPolicy));
    assert_eq!(carried("fd00::1".parse().unwrap()), Err(Trigger::NoPolicy));
}
