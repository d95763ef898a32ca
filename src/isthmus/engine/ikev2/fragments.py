"""Putting IKE fragments together again. RFC 7383, 2.6: each is authentic before it takes any memory."""

from __future__ import annotations

from isthmus.engine.ikev2.sealing import Opened
from isthmus.model.quantities import MessageId
from isthmus.wire.ikev2.payloads import EncryptedFragment
from isthmus.wire.registry import PayloadType

MAX_FRAGMENTS = 64
"""More than any certificate chain needs at the smallest size; it bounds what one peer may make us keep."""

MAX_OCTETS = 65535
"""What a message could have as one datagram; in fragments it may not have more."""


class BadFragment(Exception):
    """A fragment that cannot belong to any message."""


class Reassembly:
    """The fragments of one message, in one direction of one IKE SA. A newer message displaces an older one."""

    def __init__(self) -> None:
        self._message_id: MessageId | None = None
        self._total = 0
        self._first = PayloadType.NONE
        self._parts: dict[int, bytes] = {}
        self._octets = 0

    def add(self, message_id: MessageId, fragment: EncryptedFragment, opened: Opened) -> Opened | None:
        """Takes one authentic fragment; the whole message once the last has come. Raises `BadFragment`."""
        number, total = fragment.number, fragment.total
        if not 1 <= number <= total <= MAX_FRAGMENTS:
            raise BadFragment(f"fragment {number} of {total}")
        if message_id != self._message_id or total > self._total:
            # A larger total: the sender cut the message smaller because larger pieces did not arrive.
            self.clear()
            self._message_id, self._total = message_id, total
        elif total < self._total:
            raise BadFragment(f"total went down from {self._total} to {total}")
        if number == 1:
            self._first = opened.first
        if number not in self._parts:
            self._parts[number] = opened.octets
            self._octets += len(opened.octets)
        if self._octets > MAX_OCTETS:
            self.clear()
            raise BadFragment(f"more than {MAX_OCTETS} octets")
        if len(self._parts) < self._total:
            return None
        whole = Opened(self._first, b"".join(self._parts[n] for n in range(1, self._total + 1)))
        self.clear()
        return whole

    def __len__(self) -> int:
        """The fragments that wait for others."""
        return len(self._parts)

    def clear(self) -> None:
        self._message_id = None
        self._total = self._octets = 0
        self._parts = {}
