from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from isthmus.model import algorithms
from isthmus.model.algorithms import ENCRYPTION, INTEGRITY
from isthmus.model.plan import Encapsulation, Mode
from isthmus.model.proposal import Protocol
from isthmus.network.mtu import MINIMUM_MTU, Envelope, envelopes, tunnel_mtu
from tests.network.plans import esp, peer, tunnel

GCM = algorithms.ENCRYPTION_BY_NAME["aes-256-gcm"]
CBC = algorithms.ENCRYPTION_BY_NAME["aes-256-cbc"]
SHA512 = algorithms.INTEGRITY_BY_NAME["sha512"]


def esp_packet(envelope: Envelope, inner: int) -> int:
    """The length of the outer packet, by RFC 4303 section 2 as one would draw it."""
    block = max(envelope.encryption.block if envelope.encryption else 1, 4)
    plaintext = -(-(inner + 2) // block) * block
    iv = envelope.encryption.iv if envelope.encryption else 0
    icv = sum(row.icv for row in (envelope.encryption, envelope.integrity) if row)
    return (20 if envelope.version == 4 else 40) + (8 if envelope.udp else 0) + 8 + iv + plaintext + icv


ENVELOPES = st.builds(
    Envelope,
    version=st.sampled_from((4, 6)),
    udp=st.booleans(),
    encryption=st.sampled_from((*ENCRYPTION, None)),
    integrity=st.sampled_from((*INTEGRITY, None)),
)


@given(ENVELOPES, st.integers(700, 65535))
def test_a_packet_of_the_mtu_fits_and_one_octet_more_does_not(envelope: Envelope, outer: int) -> None:
    mtu = tunnel_mtu(outer, "eth0", [envelope]).mtu
    assert esp_packet(envelope, mtu) <= outer < esp_packet(envelope, mtu + 1)


@given(st.lists(ENVELOPES, min_size=1, max_size=5), st.integers(700, 65535))
def test_the_worst_envelope_decides(several: list[Envelope], outer: int) -> None:
    assert tunnel_mtu(outer, "eth0", several).mtu == min(tunnel_mtu(outer, "eth0", [one]).mtu for one in several)


def test_figures_that_operators_know() -> None:
    assert tunnel_mtu(1500, "eth0", [Envelope(4, True, GCM, None)]).mtu == 1438
    assert tunnel_mtu(1500, "eth0", [Envelope(4, False, GCM, None)]).mtu == 1446
    assert tunnel_mtu(1500, "eth0", [Envelope(6, True, GCM, None)]).mtu == 1418
    assert tunnel_mtu(1500, "eth0", [Envelope(4, True, CBC, SHA512)]).mtu == 1406


def test_the_reason_names_path_and_suite() -> None:
    because = tunnel_mtu(1500, "eth0", [Envelope(4, True, CBC, SHA512)]).because
    assert (
        because
        == "1500 of eth0 less 20 IPv4, 8 UDP, 8 ESP, 16 IV, 32 ICV, 2 trailer, padded to 16 (aes-256-cbc/sha512)"
    )


def test_a_path_that_is_too_narrow_gives_the_minimum() -> None:
    assert tunnel_mtu(600, "eth0", [Envelope(4, True, GCM, None)]).mtu == MINIMUM_MTU


def test_every_combination_of_a_profile_is_an_envelope() -> None:
    found = envelopes(peer(), tunnel(esp("aes-256-gcm"), esp("aes-256-cbc", "sha512")))
    assert {(e.encryption, e.integrity, e.udp) for e in found} == {(GCM, None, True), (CBC, SHA512, True)}


def test_only_plain_esp_by_configuration_saves_the_udp_header() -> None:
    for encapsulation in Encapsulation:
        found = envelopes(peer(encapsulation=encapsulation), tunnel())
        assert [e.udp for e in found] == [encapsulation is not Encapsulation.ESP]


def test_an_outer_ipv6_path_is_counted_as_such() -> None:
    assert [e.version for e in envelopes(peer(local="2001:db8::1"), tunnel())] == [6]


def ah_packet(envelope: Envelope, inner: int) -> int:
    """By RFC 4302 section 2; in transport mode the header is one of the inner octets."""
    unit, header = (4, 20) if envelope.version == 4 else (8, 40)
    icv = envelope.integrity.icv if envelope.integrity else 0
    outer = header if envelope.mode is Mode.TUNNEL else 0
    return outer + -(-(12 + icv) // unit) * unit + inner


@given(
    st.builds(
        Envelope,
        version=st.sampled_from((4, 6)),
        udp=st.just(False),
        encryption=st.none(),
        integrity=st.sampled_from(INTEGRITY),
        protocol=st.just(Protocol.AH),
        mode=st.sampled_from(Mode),
    ),
    st.integers(700, 65535),
)
def test_an_ah_packet_of_the_mtu_fits_and_one_octet_more_does_not(envelope: Envelope, outer: int) -> None:
    mtu = tunnel_mtu(outer, "eth0", [envelope]).mtu
    assert ah_packet(envelope, mtu) <= outer < ah_packet(envelope, mtu + 1)


@given(ENVELOPES, st.integers(700, 65535))
def test_in_transport_mode_the_header_is_there_once(envelope: Envelope, outer: int) -> None:
    header = 20 if envelope.version == 4 else 40
    mtu = tunnel_mtu(outer, "eth0", [replace(envelope, udp=False, mode=Mode.TRANSPORT)]).mtu
    assert mtu == tunnel_mtu(outer, "eth0", [replace(envelope, udp=False)]).mtu + header


def test_the_reason_names_ah() -> None:
    envelope = Envelope(6, False, None, SHA512, Protocol.AH)
    assert tunnel_mtu(1500, "eth0", [envelope]).because == "1500 of eth0 less 40 IPv6, 48 AH (sha512)"
