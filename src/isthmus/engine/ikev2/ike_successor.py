"""What the successor of an IKE SA is before it stands. RFC 7296, 1.3.2 and 2.18."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.crypto.kex import KeyShare
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev2.key_rounds import KeyRounds
from isthmus.model.algorithms import KeyExchangeMethod
from isthmus.model.proposal import Proposal, Suite
from isthmus.model.quantities import NO_SPI, IkeSpi


@dataclass(slots=True)
class IkeSuccessor:
    """Shared by the steps of the exchange that rekeys an IKE SA."""

    old: IkeSa
    began_here: bool
    offered: tuple[Proposal, ...] = ()
    our_spi: IkeSpi = NO_SPI
    their_spi: IkeSpi = NO_SPI
    method: KeyExchangeMethod | None = None
    share: KeyShare | None = None
    initiator_nonce: bytes = b""
    responder_nonce: bytes = b""
    shared: bytes = b""
    suite: Suite | None = None
    rounds: KeyRounds | None = None
    """Additional key exchanges, if any were agreed."""

    @property
    def sa(self) -> IkeSa:
        """Under whose protection it is agreed."""
        return self.old

    @property
    def nonces(self) -> tuple[bytes, bytes]:
        return self.initiator_nonce, self.responder_nonce
