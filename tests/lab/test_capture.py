from __future__ import annotations

from ipaddress import ip_address, ip_interface
from pathlib import Path

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6ND_NS, IPv6
from scapy.layers.ipsec import ESP
from scapy.layers.l2 import ARP
from scapy.packet import Packet, Raw
from scapy.utils import rdpcap

from isthmus.lab.capture import Capture, Kind, Seen, judge, write_pcap
from isthmus.lab.namespaces import Playground
from isthmus.lab.traffic import ping

_OUTER = {"src": "192.0.2.1", "dst": "198.51.100.2"}
_INNER = frozenset({ip_address("10.1.0.2"), ip_address("10.2.0.2"), ip_address("fd00::2")})


def _seen(packet: Packet, ethertype: int = 0x0800) -> Seen:
    return Seen(0.0, ethertype, bytes(packet))


def _kind(packet: Packet, ethertype: int = 0x0800) -> Kind:
    ((kind, _),) = judge([_seen(packet, ethertype)], _INNER, []).kinds.items()
    return kind


def test_what_may_cross_is_told_apart() -> None:
    ip = IP(**_OUTER)
    assert _kind(ip / UDP(sport=500, dport=500) / Raw(b"x" * 28)) is Kind.IKE
    assert _kind(ip / UDP(sport=4500, dport=1024) / Raw(bytes(4) + b"x" * 28)) is Kind.IKE
    assert _kind(ip / UDP(sport=1024, dport=4500) / Raw(b"\x01" * 40)) is Kind.ESP_IN_UDP
    assert _kind(ip / UDP(sport=4500, dport=4500) / Raw(b"\xff")) is Kind.KEEP_ALIVE
    assert _kind(ip / ESP(spi=1, seq=1, data=b"x" * 40)) is Kind.ESP
    assert _kind(ARP(), 0x0806) is Kind.LINK
    assert _kind(IPv6(src="fe80::1", dst="ff02::1:ff00:2") / ICMPv6ND_NS(tgt="fe80::2"), 0x86DD) is Kind.LINK


def test_an_icmp_error_is_judged_by_what_it_quotes() -> None:
    error = IP(src="198.51.100.2", dst="192.0.2.1") / ICMP(type=3, code=3)
    assert _kind(error / IP(**_OUTER) / UDP(sport=500, dport=500) / Raw(b"x" * 28)) is Kind.ICMP_ERROR
    assert _kind(error / IP(src="10.1.0.2", dst="10.2.0.2") / UDP(sport=1, dport=53) / Raw(b"x")) is Kind.OTHER
    assert _kind(IP(**_OUTER) / ICMP(type=8) / Raw(b"x" * 64)) is Kind.OTHER
    outer6 = {"src": "2001:db8::1", "dst": "2001:db8::2"}
    quoted = IPv6(**outer6) / UDP(sport=500, dport=500) / Raw(b"x" * 28)
    assert _kind(IPv6(**outer6) / ICMPv6DestUnreach() / quoted, 0x86DD) is Kind.ICMP_ERROR


def test_a_packet_in_the_clear_breaks_the_seal() -> None:
    verdict = judge([_seen(IP(src="10.1.0.2", dst="10.2.0.2") / ICMP())], _INNER, [])
    assert not verdict.sealed
    assert set(verdict.exposed) == {"address 10.1.0.2", "address 10.2.0.2"}


def test_an_ipv6_packet_in_the_clear_breaks_the_seal() -> None:
    packet = IPv6(src="2001:db8::1", dst="fd00::2") / UDP(dport=53) / Raw(b"question")
    assert not judge([_seen(packet, 0x86DD)], _INNER, []).sealed


def test_readable_traffic_breaks_the_seal_even_inside_esp() -> None:
    packet = IP(**_OUTER) / ESP(spi=1, seq=1, data=b"..the marker..")
    assert judge([_seen(packet)], _INNER, [b"the marker"]).exposed == ("'the marker'",)
    assert judge([_seen(packet)], _INNER, [b"another"]).sealed


def test_a_capture_sees_both_directions_once(playground: Playground, tmp_path: Path) -> None:
    left, middle, right = (playground.namespace(name) for name in ("left", "middle", "right"))
    middle.forward()
    for end, port, net in ((left, "a", "10.1.0"), (right, "b", "10.2.0")):
        end.cable("eth0", middle, port)
        end.address("eth0", ip_interface(f"{net}.2/24"))
        middle.address(port, ip_interface(f"{net}.1/24"))
        end.route(ip_interface("0.0.0.0/0").network, "eth0", via=ip_address(f"{net}.1"))
    with Capture(middle) as capture:
        times = ping(left, ip_address("10.1.0.2"), ip_address("10.2.0.2"), 3)
        seen = capture.stop()
    assert len(times) == 3
    assert capture.missed == 0
    verdict = judge(seen, _INNER, [])
    assert verdict.kinds[Kind.OTHER] == 6
    assert not verdict.sealed
    write_pcap(seen, tmp_path / "wire.pcap")
    assert sum(ICMP in packet for packet in rdpcap(str(tmp_path / "wire.pcap"))) == 6
