"""Messages as the RFC writes them, for transcripts: `IKE_SA_INIT request 0 { SAi1, KEi(group31), Ni }`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

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
)
from isthmus.wire.registry import ExchangeType, NotifyType, PayloadType

_SYMBOLS = {
    PayloadType.IDI: "IDi",
    PayloadType.IDR: "IDr",
    PayloadType.TSI: "TSi",
    PayloadType.TSR: "TSr",
    PayloadType.VENDOR_ID: "V",
}
_NOTIFICATIONS = {notify: f"N({notify.name})" for notify in NotifyType}
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
    side = "" if header is None else "r" if header.response else "i"
    exchange = header.exchange if header is not None else None
    listed = ", ".join([_symbol(payload, exchange, side) for payload in payloads])
    return f"{{ {listed} }}" if listed else "{}"


def _symbol(payload: Payload, exchange: ExchangeType | None, side: str) -> str:
    detailed = _DETAILED.get(type(payload))
    return _plain(payload.type, exchange, side) if detailed is None else detailed(payload, side)


def _key_exchange(payload: KeyExchange, side: str) -> str:
    row = algorithms.KEY_EXCHANGE_BY_ID.get(payload.method)
    return f"KE{side}({row.name if row else f'group{int(payload.method)}'})"


def _fragment(payload: EncryptedFragment, _side: str) -> str:
    return f"SKF {payload.number}/{payload.total} {{ {len(payload.body)} octets }}"


_DETAILED: dict[type[Payload], Callable[[Any, str], str]] = {
    KeyExchange: _key_exchange,
    Notify: lambda payload, _: _NOTIFICATIONS.get(payload.notify) or f"N({payload.notify.name})",
    Delete: lambda payload, _: f"D({payload.protocol.name})",
    Configuration: lambda payload, _: f"CP({payload.kind.name})",
    Eap: lambda payload, _: f"EAP({payload.code.name})",
    Encrypted: lambda payload, _: f"SK {{ {len(payload.body)} octets }}",
    EncryptedFragment: _fragment,
}
"""By class, as every message of a set-up is told: most payloads are known by their type alone."""


@lru_cache(256)
def _plain(kind: PayloadType, exchange: ExchangeType | None, side: str) -> str:
    match kind:
        case PayloadType.SA:
            number = _SA_NUMBER.get(exchange) if exchange is not None else None
            return f"SA{side}{number}" if number else "SA"
        case PayloadType.NONCE:
            return f"N{side}" if side else "Nonce"
        case _:
            return _SYMBOLS.get(kind, kind.name)
