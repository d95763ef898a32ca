"""What an IKE SA knows only while it is being set up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from isthmus.crypto.kex import KeyShare
from isthmus.engine.ikev2.key_rounds import KeyRounds
from isthmus.engine.ikev2.octets import IntAuth
from isthmus.engine.refusal import Refusal
from isthmus.model.algorithms import KeyExchangeMethod
from isthmus.model.plan import PeerPlan
from isthmus.model.proposal import Proposal
from isthmus.model.quantities import Seconds
from isthmus.wire.registry import HashAlgorithm

if TYPE_CHECKING:
    from isthmus.engine.ike_sa import IkeSa
    from isthmus.engine.ikev2.child_setup import ChildSetup
    from isthmus.engine.ikev2.keys import IkeKeys
    from isthmus.engine.ikev2.ppk import PpkInUse


@dataclass(slots=True)
class Handshake:
    """Shared by the steps of IKE_SA_INIT, IKE_INTERMEDIATE and IKE_AUTH; dropped once the IKE SA stands."""

    sa: IkeSa
    candidates: tuple[PeerPlan, ...] = ()
    """Responder: the peers that it may be, fewer with every message."""
    offered: tuple[Proposal, ...] = ()
    method: KeyExchangeMethod | None = None
    """The key exchange that we guess the responder takes; INVALID_KE_PAYLOAD changes it."""
    share: KeyShare | None = None
    initiator_nonce: bytes = b""
    responder_nonce: bytes = b""
    shared: bytes = b""
    cookie: bytes = b""
    request: bytes = b""
    """The IKE_SA_INIT request, as it crossed the network."""
    response: bytes = b""
    rounds: KeyRounds | None = None
    """Additional key exchanges, if any were agreed."""
    int_auth: IntAuth = field(default_factory=IntAuth)
    keys: IkeKeys | None = None
    """The present ones: every round renews them, and a post-quantum pre-shared key is mixed in at last."""
    ppk: PpkInUse | None = None
    """The post-quantum pre-shared key that is mixed into `keys`."""
    ppk_answer: tuple[str, ...] = ()
    """What the peer said of such keys, for the journal."""
    peer_has_ppk: bool = False
    own_id_body: bytes = b""
    peer_id_body: bytes = b""
    child: ChildSetup | None = None
    child_refusal: Refusal | None = None
    """Why there is no first child, although one was wanted."""
    refused_here: bool = False
    """Whether it was we who could not accept the peer's answer: it believes in a child that is not."""
    peer_is_isthmus: bool = False
    peer_fragments: bool = False
    peer_knows_nat: bool = False
    peer_hashes: frozenset[HashAlgorithm] = frozenset()
    """What the peer takes under a signature."""
    childless: bool = False
    """Whether the responder takes an IKE_AUTH that asks for no child (RFC 6023)."""
    authenticated_for: Seconds | None = None
    """How long the responder takes our authentication as good, if it says so (RFC 4478)."""

    @property
    def nonces(self) -> bytes:
        return self.initiator_nonce + self.responder_nonce
