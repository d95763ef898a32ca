"""Vendor IDs: what the two ends announce to each other before they can negotiate anything. RFC 2408, 3.16."""

from __future__ import annotations

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

_NAMES = {
    DPD: "DPD",
    NAT_T: "NAT-T (RFC 3947)",
    **dict.fromkeys(NAT_T_DRAFTS, "NAT-T (draft)"),
    USER_SPACE_UDP: "Isthmus",
    _of_text("strongSwan"): "strongSwan",
    bytes.fromhex("12f5f28c457168a9702d9fe274cc0100"): "Cisco Unity",
    bytes.fromhex("09002689dfd6b712"): "XAUTH",
}


def name_of(vendor: bytes) -> str | None:
    """Whose announcement it is, if we know it."""
    return "fragmentation" if vendor.startswith(FRAGMENTATION) else _NAMES.get(vendor)
