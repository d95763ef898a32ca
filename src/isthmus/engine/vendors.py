"""Vendor IDs: what the two ends announce to each other before they can negotiate anything. RFC 2408, 3.16."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.crypto.digest import digest
from isthmus.engine.nat import USER_SPACE_UDP


def _of_text(text: str) -> bytes:
    return digest("md5", text.encode())


DPD = bytes.fromhex("afcad71368a1f1c96b8696fc77570100")
"""RFC 3706, 5: with the version in the last two octets."""
FRAGMENTATION = _of_text("FRAGMENTATION")
"""The vendors' convention; some append flags, so it is compared by its beginning."""
NAT_T = _of_text("RFC 3947")
NAT_T_DRAFTS = (
    _of_text("draft-ietf-ipsec-nat-t-ike-03"),
    _of_text("draft-ietf-ipsec-nat-t-ike-02\n"),
    _of_text("draft-ietf-ipsec-nat-t-ike-02"),
)
"""Old peers know these only; the line feed is in the second one by an accident that became the rule."""

_UNSPOKEN_DRAFTS = tuple(_of_text(f"draft-ietf-ipsec-nat-t-ike-{number:02}") for number in (0, 1, 4, 5, 6, 7, 8, 9))
"""Nobody announces these alone. The first two put ESP on port 500, behind a marker of their own."""

_NAMES = {
    DPD: "DPD",
    NAT_T: "NAT-T (RFC 3947)",
    **dict.fromkeys(NAT_T_DRAFTS, "NAT-T (draft)"),
    **dict.fromkeys(_UNSPOKEN_DRAFTS, "NAT-T (another draft)"),
    USER_SPACE_UDP: "Isthmus",
    _of_text("strongSwan"): "strongSwan",
    _of_text("KAME/racoon"): "racoon",
    bytes.fromhex("09002689dfd6b712"): "XAUTH",
    bytes.fromhex("486561727442656174204e6f74696679"): "heartbeat",
}
_BEGINNINGS = {
    FRAGMENTATION: "fragmentation",
    _of_text("CISCO-UNITY")[:14]: "Cisco Unity",
    bytes.fromhex("1f07f70eaa6514d3b0fa96542a"): "Cisco VPN Concentrator",
    bytes.fromhex("8299031757a36082c6a621de"): "FortiGate",
    bytes.fromhex("f4ed19e0c114eb516faaac0ee37daf2807b4381f"): "Check Point",
    bytes.fromhex("1e2b516905991c7d7c96fcbfb587e461"): "Windows",
}
"""Behind these a version or flags follow."""


def name_of(vendor: bytes) -> str | None:
    """Whose announcement it is, if we know it."""
    return _NAMES.get(vendor) or next((name for start, name in _BEGINNINGS.items() if vendor.startswith(start)), None)


def names_of(announced: Iterable[bytes]) -> tuple[str, ...]:
    """Each by name where we know it, else in hex."""
    return tuple(dict.fromkeys(name_of(vendor) or vendor.hex() for vendor in announced))
