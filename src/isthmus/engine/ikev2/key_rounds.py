"""Key exchanges after the first, one after the other. RFC 9370, 2.2.2 and 2.2.4."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from isthmus.crypto import kex
from isthmus.crypto.kex import KeyShare
from isthmus.engine.surroundings import Surroundings
from isthmus.model.algorithms import KeyExchangeMethod
from isthmus.model.proposal import Suite
from isthmus.wire.ikev2.payloads import Payload

_LINK_SIZE = 8


class KeyRounds:
    """What one end knows of a series. Each round is an exchange of its own, and this is its context."""

    def __init__(self, suite: Suite, surroundings: Surroundings, link: bytes | None = None) -> None:
        self.surroundings = surroundings
        self.entropy = surroundings.entropy
        self.link = link
        """Ties the rounds of IKE_FOLLOWUP_KE together, in the replier's words; None in IKE_INTERMEDIATE."""
        self.share: KeyShare | None = None
        self.reply = b""
        self.written: Sequence[Payload] = ()
        """Our message of the present round."""
        self._methods = deque(row for _, row in suite.additional)
        self._secrets: list[bytes] = []

    @property
    def method(self) -> KeyExchangeMethod | None:
        """The present round's; None: all are done."""
        return self._methods[0] if self._methods else None

    @property
    def last(self) -> bool:
        return len(self._methods) == 1

    @property
    def additional(self) -> bytes:
        """SK(1) | ... | SK(n)."""
        return b"".join(self._secrets)

    def offer(self) -> bytes:
        """As requester: our public value for the present round."""
        if self.share is None:
            self.share = kex.offer(self._methods[0], self.entropy.octets)
        return self.share.public

    def answer(self, peer: bytes) -> bytes:
        """As replier, to the requester's public value: the present round's secret."""
        method, draw = self._methods[0], self.surroundings
        self.reply, shared = kex.answer(method, draw.entropy.octets, peer, draw.encapsulate)
        return shared

    def agreed(self, shared: bytes) -> None:
        """The present round's secret."""
        self._secrets.append(shared)

    def advance(self) -> bytes:
        """The present round is over, at both ends; its secret."""
        self._methods.popleft()
        self.share, self.reply = None, b""
        return self._secrets[-1]

    def renew_link(self) -> bytes:
        """As replier: what the request of the next round must show."""
        self.link = self.entropy.octets(_LINK_SIZE)
        return self.link
