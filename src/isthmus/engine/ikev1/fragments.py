"""Messages in pieces, by the vendors' convention. The pieces prove nothing: what they may make us keep is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from isthmus.wire.ikev1.header import Header
from isthmus.wire.ikev1.message import encode
from isthmus.wire.ikev1.payloads import Fragment

MAX_FRAGMENTS = 32
MAX_OCTETS = 65535
_LAST = 1
_HEADERS = 28 + 4 + 4
_IP_AND_UDP = {4: 20 + 8, 6: 40 + 8}
_MARKER = 4


class BadFragment(Exception):
    """A fragment that cannot belong to any message."""


class Reassembly:
    """The pieces of one message. A piece of another one displaces them all."""

    def __init__(self) -> None:
        self._identifier = 0
        self._last = 0
        self._pieces: dict[int, bytes] = {}

    def add(self, fragment: Fragment) -> bytes | None:
        """Takes one piece; the whole message once none is missing. Raises `BadFragment`."""
        if not 1 <= fragment.number <= MAX_FRAGMENTS or not fragment.data:
            raise BadFragment(f"fragment {fragment.number}, {len(fragment.data)} octets")
        if fragment.identifier != self._identifier:
            self.clear()
            self._identifier = fragment.identifier
        if fragment.last:
            if self._last not in (0, fragment.number) or any(n > fragment.number for n in self._pieces):
                raise BadFragment(f"fragment {fragment.number} is not the last one")
            self._last = fragment.number
        elif self._last and fragment.number >= self._last:
            raise BadFragment(f"fragment {fragment.number} behind the last one")
        self._pieces.setdefault(fragment.number, fragment.data)
        if sum(map(len, self._pieces.values())) > MAX_OCTETS:
            self.clear()
            raise BadFragment(f"more than {MAX_OCTETS} octets")
        if not self._last or len(self._pieces) < self._last:
            return None
        whole = b"".join(self._pieces[n] for n in range(1, self._last + 1))
        self.clear()
        return whole

    def clear(self) -> None:
        self._last = 0
        self._pieces = {}


def cut(header: Header, octets: bytes, packet: int, ip_version: int, identifier: int) -> Iterator[bytes]:
    """A whole message as datagrams that make IP packets of no more than `packet` octets."""
    room = packet - _IP_AND_UDP[ip_version] - _MARKER
    if len(octets) <= room:
        yield octets
        return
    size = max(room - _HEADERS, 64)
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    bare = replace(header, encrypted=False, commit=False)
    for number, piece in enumerate(pieces, 1):
        flags = _LAST if number == len(pieces) else 0
        yield encode(bare, [Fragment(identifier, number, flags, piece)])
