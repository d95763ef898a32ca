"""Messages as the RFC writes them, for transcripts: `IKE_SA_INIT request 0 { SAi1, KEi(group31), Ni }`."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.model import algorithms
from isthmus.wire.ikev2.header import Header
from isthmus.wire.ikev2.message import Message
from isthmus.wire.ikev2.payloads import (
    Configuration,
    Delete,
    Eap,
    Encrypted,
    EncryptedFragment,
    KeyExchange,
    Notify,
    Payload,
    UnknownPayload,
)
from isthmus.wire.registry import ExchangeType, PayloadType

_SYMBOLS = {
    PayloadType.IDI: "IDi",
    PayloadType.IDR: "IDr",
    PayloadType.TSI: "TSi",
    PayloadType.TSR: "TSr",
    PayloadType.VENDOR_ID: "V",
}
_SA_NUMBER = {ExchangeType.IKE_SA_INIT: "1", ExchangeType.IKE_AUTH: "2"}
"""RFC 7296, 1.2: SAi1 and SAr1 are for the IKE SA, SAi2 and SAr2 for the first Child SA."""


def notation(subject: Message | Iterable[Payload], header: Header | None = None) -> str:
    """A message on one line. Payloads alone are `{ ... }`; with the header of their message, what it held."""
    if isinstance(subject, Message):
        return f"{_title(subject.header)} {_braces(subject.payloads, subject.header)}"
    payloads = tuple(subject)
    if header is None:
        return _braces(payloads, None)
    seal = "" if header.exchange == ExchangeType.IKE_SA_INIT else "SK "
    return f"{_title(header)} {seal}{_braces(payloads, header)}"


def _title(header: Header) -> str:
    return f"{header.exchange.name} {'response' if header.response else 'request'} {header.message_id}"


def _braces(payloads: Iterable[Payload], header: Header | None) -> str:
    listed = ", ".join(_symbol(payload, header) for payload in payloads)
    return f"{{ {listed} }}" if listed else "{}"


def _symbol(payload: Payload, header: Header | None) -> str:
    side = "" if header is None else "r" if header.response else "i"
    match payload:
        case KeyExchange(method=method):
            row = algorithms.KEY_EXCHANGE_BY_ID.get(method)
            return f"KE{side}({row.name if row else f'group{int(method)}'})"
        case Notify(notify=notify):
            return f"N({notify.name})"
        case Delete(protocol=protocol):
            return f"D({protocol.name})"
        case Configuration(kind=kind):
            return f"CP({kind.name})"
        case Eap(code=code):
            return f"EAP({code.name})"
        case Encrypted(body=body):
            return f"SK {{ {len(body)} octets }}"
        case EncryptedFragment(number=number, total=total, body=body):
            return f"SKF {number}/{total} {{ {len(body)} octets }}"
        case UnknownPayload(kind=kind):
            return kind.name
        case _:
            return _plain(payload.type, header, side)


def _plain(kind: PayloadType, header: Header | None, side: str) -> str:
    match kind:
        case PayloadType.SA:
            number = _SA_NUMBER.get(header.exchange) if header else None
            return f"SA{side}{number}" if number else "SA"
        case PayloadType.NONCE:
            return f"N{side}" if side else "Nonce"
        case _:
            return _SYMBOLS.get(kind, kind.name)
