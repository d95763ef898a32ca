"""Which key exchange the replier will take, and what INVALID_KE_PAYLOAD says of it. RFC 7296, 1.2 and 1.3."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.model import algorithms
from isthmus.model.algorithms import KeyExchangeMethod
from isthmus.model.proposal import Proposal
from isthmus.negotiate import select

_DATA_SIZE = 2


class MethodGuess:
    """Begins with the first that we offer. Corrected only to what we offered, and to each method once."""

    def __init__(self, offered: Sequence[Proposal]) -> None:
        self.offered = tuple(offered)
        self.method: KeyExchangeMethod | None = select.first_method(offered)
        self._tried = {self.method.ikev2} if self.method else set()

    def corrected(self, data: bytes) -> KeyExchangeMethod | None:
        """The method that the replier asks for, if it may be tried: nobody leads us in circles, or to what is weaker
        than we offered."""
        number = int.from_bytes(data, "big") if len(data) == _DATA_SIZE else 0
        row = algorithms.KEY_EXCHANGE_BY_ID.get(number)
        if row is None or number in self._tried or not select.offers_method(self.offered, number):
            return None
        self._tried.add(number)
        self.method = row
        return row
