"""Messages as the RFC writes them, for transcripts: `Quick Mode 9f3c12aa HDR* { HASH, SA, Nonce, ID, ID }`."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.wire.ikev1.header import Header
from isthmus.wire.ikev1.payloads import Delete, Fragment, Notify, Payload
from isthmus.wire.ikev1.registry import PayloadType
from isthmus.wire.registry import ExchangeTypeV1

_EXCHANGES = {
    ExchangeTypeV1.IDENTITY_PROTECTION: "Main Mode",
    ExchangeTypeV1.AGGRESSIVE: "Aggressive Mode",
    ExchangeTypeV1.QUICK_MODE: "Quick Mode",
    ExchangeTypeV1.INFORMATIONAL: "Informational",
}
_SYMBOLS = {PayloadType.NONCE: "Nonce", PayloadType.VENDOR_ID: "V", PayloadType.NAT_D_DRAFT: "NAT_D"}


def notation(header: Header, payloads: Iterable[Payload]) -> str:
    name = _EXCHANGES.get(header.exchange, header.exchange.name)
    number = f" {header.message_id:08x}" if header.message_id else ""
    listed = ", ".join(map(_symbol, payloads))
    return f"{name}{number} HDR{'*' if header.encrypted else ''} {{ {listed} }}"


def _symbol(payload: Payload) -> str:
    match payload:
        case Notify(notify=notify):
            return f"N({notify.name})"
        case Delete(protocol=protocol):
            return f"D({protocol.name})"
        case Fragment(number=number):
            return f"FRAGMENT {number}"
        case _:
            return _SYMBOLS.get(payload.type, payload.type.name)
