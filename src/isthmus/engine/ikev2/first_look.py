"""As much of an IKE_SA_INIT request as admission needs, without decoding the rest. RFC 7296, 2.6."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from isthmus.wire.ikev2.header import HEADER_SIZE, Header
from isthmus.wire.ikev2.message import MAX_PAYLOADS
from isthmus.wire.registry import NotifyType, PayloadType

_GENERIC = struct.Struct(">BBH")
_NOTIFY = struct.Struct(">BBH")
_NONE, _NONCE, _NOTIFY_PAYLOAD = int(PayloadType.NONE), int(PayloadType.NONCE), int(PayloadType.NOTIFY)
_COOKIE = int(NotifyType.COOKIE)


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What a cookie is bound to, and the cookie that was brought."""

    nonce: bytes
    cookie: bytes


def first_look(header: Header, octets: bytes) -> FirstLook | None:
    """Steps from payload to payload by their lengths alone; None if there is no nonce, or a length leads astray."""
    kind, at, end = int(header.next_payload), HEADER_SIZE, len(octets)
    cookie = b""
    for place in range(MAX_PAYLOADS):
        if kind == _NONE or at + _GENERIC.size > end:
            return None
        following, _, length = _GENERIC.unpack_from(octets, at)
        body = at + _GENERIC.size
        at += length
        if length < _GENERIC.size or at > end:
            return None
        if kind == _NONCE:
            return FirstLook(octets[body:at], cookie)
        if place == 0 and kind == _NOTIFY_PAYLOAD:
            # RFC 7296, 2.6: the cookie comes back as the first payload.
            cookie = _cookie(octets[body:at])
        kind = following
    return None


def _cookie(body: bytes) -> bytes:
    if len(body) < _NOTIFY.size:
        return b""
    _, spi_size, kind = _NOTIFY.unpack_from(body)
    return body[_NOTIFY.size + spi_size :] if kind == _COOKIE else b""
