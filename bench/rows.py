"""The set-ups that are measured: one key exchange each, spelt for the crowd, for ours and for strongSwan."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from isthmus.model.address import Address

RESPONDER = ip_address("192.0.2.2")
CROWD = ip_network("10.64.0.0/16")
"""Where the initiators are."""
BEHIND = ip_network("10.2.0.0/16")
"""What the responder protects."""
THEIRS = ip_network("10.128.0.0/16")
"""What the initiators protect, a host each."""
KEY = "a key of thirty-two octets, or so"


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    ike: str
    """As the simulation's parties write it."""
    profile: str
    """The same in our configuration."""
    theirs: str | None
    """The same in swanctl.conf; None: strongSwan 5.9.8 has it not."""
    esp: str = "aes-128-gcm"
    version: int = 2
    promised: float | None = None
    """Milliseconds: strongSwan 6.0.6 on another machine."""


_GCM = "encryption: [aes-128-gcm], hash: [sha256], dh-group: "
_CBC = "encryption: [aes-128-cbc], hash: [sha256], dh-group: "

ROWS = (
    Row("x25519", "aes-128-gcm/sha256/group31", f"{_GCM}[group31]", "aes128gcm16-prfsha256-x25519", promised=0.50),
    Row("ecp256", "aes-128-gcm/sha256/group19", f"{_GCM}[group19]", "aes128gcm16-prfsha256-ecp256", promised=0.62),
    Row("modp2048", "aes-128-gcm/sha256/group14", f"{_GCM}[group14]", "aes128gcm16-prfsha256-modp2048", promised=3.5),
    Row(
        "x25519 and ML-KEM-768",
        "aes-128-gcm/sha256/group31/+ml-kem-768",
        f"{_GCM}[group31], additional-key-exchange: [[ml-kem-768]]",
        None,
        promised=2.6,
    ),
    Row(
        "IKEv1, modp2048",
        "aes-128-cbc/sha256/sha256/group14",
        f"{_CBC}[group14]",
        "aes128-sha256-modp2048",
        version=1,
        promised=3.4,
    ),
)


def address_of(number: int) -> Address:
    """Where one of the initiators is."""
    return CROWD[number + 1]


def host_of(number: int) -> Address:
    """What one of them protects."""
    return THEIRS[number + 1]


def name_of(number: int) -> str:
    return f"i{number}"
