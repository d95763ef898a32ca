"""IKE_INTERMEDIATE: one additional key exchange each, between IKE_SA_INIT and IKE_AUTH. RFC 9242; RFC 9370, 2.2.2."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from isthmus.engine import retry
from isthmus.engine.deadlines import Deadline
from isthmus.engine.exchange import Inbound, Run
from isthmus.engine.ikev2.exchanges import IKE_INTERMEDIATE
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.intention import Intention
from isthmus.engine.ikev2.key_rounds import KeyRounds
from isthmus.engine.ikev2.keys import ike_keys, intermediate_seed
from isthmus.engine.ikev2.octets import intermediate_octets
from isthmus.engine.ikev2.party import Party
from isthmus.engine.refusal import Refusal, Report, malformed, reason_of
from isthmus.engine.states import IkeLife
from isthmus.events.ike import FailureReason
from isthmus.model.plan import ChildPlan
from isthmus.model.quantities import Instant, MessageId, Seconds
from isthmus.wire.ikev2.header import HEADER_SIZE
from isthmus.wire.ikev2.message import encode_payloads
from isthmus.wire.ikev2.payloads import Notify, Payload

_NEXT_ROUND = Seconds(30.0)
"""How long a responder waits for what follows: long enough for the initiator's repeated requests."""


class Intermediate(Intention):
    """One round, as initiator; then the next, and after the last of them what was to come in any case."""

    def __init__(self, party: Party, child: ChildPlan | None, then: Callable[[], None]) -> None:
        self.party = party
        self.child = child
        """The first child, for which the IKE SA is set up."""
        self._then = then
        self._request = b""

    @property
    def longest_wait(self) -> Seconds:
        return retry.HALF_OPEN_PACE

    def begin(self) -> Run[KeyRounds] | None:
        return Run(IKE_INTERMEDIATE, require_rounds(self.party))

    def sent(self, datagrams: tuple[bytes, ...]) -> None:
        self._request = _own_octets(datagrams, require_rounds(self.party).written)

    def succeeded(self, message: Inbound) -> None:
        renew_keys(self.party, self._request, _heard_octets(message))
        if require_rounds(self.party).method is None:
            self._then()
        else:
            self.party.requests.want(Intermediate(self.party, self.child, self._then), first=True)

    def refused(self, notify: Notify) -> None:
        self.party.fail(IKE_INTERMEDIATE.name, Report(reason_of(notify.notify), (notify.notify.name,)))

    def rejected(self, refusal: Refusal) -> None:
        self.party.fail(IKE_INTERMEDIATE.name, refusal.report)

    def silent(self, attempts: int) -> None:
        detail = f"IKE_SA_INIT was answered, IKE_INTERMEDIATE to {self.party.sa.remote} was not"
        self.party.fail(IKE_INTERMEDIATE.name, Report(FailureReason.NO_ANSWER, detail=detail))


class AnswerIntermediate:
    """One round, as responder."""

    def __init__(self, party: Party, request: Inbound) -> None:
        self.party = party
        self._request = _heard_octets(request)

    def begin(self) -> Run[KeyRounds]:
        return Run(IKE_INTERMEDIATE, require_rounds(self.party))

    def agreed(self, response: tuple[bytes, ...]) -> None:
        sa = self.party.sa
        renew_keys(self.party, self._request, _own_octets(response, require_rounds(self.party).written))
        sa.ledger.agenda.set(sa, Deadline.HALF_OPEN_ENDS, Instant(sa.ledger.now + _NEXT_ROUND))

    def refused(self, refusal: Refusal) -> None:
        self.party.fail(IKE_INTERMEDIATE.name, refusal.report)


def require_rounds(party: Party) -> KeyRounds:
    """The key exchanges that are due now."""
    handshake = party.handshake
    if party.sa.life is not IkeLife.CONNECTING or handshake is None or handshake.rounds is None:
        raise malformed("no additional key exchange was agreed")
    return handshake.rounds


def renew_keys(party: Party, request: bytes, response: bytes) -> None:
    """A round is over: it is signed with the keys that protected it, and the next ones grow from them."""
    sa, handshake = party.sa, party.handshake
    if handshake is None or handshake.rounds is None or handshake.keys is None:
        raise ValueError("no set-up is under way")
    if sa.suite is None or sa.suite.encryption is None:
        raise ValueError("no suite is agreed")
    keys = handshake.keys
    handshake.int_auth.add(party.prf, keys.pi, keys.pr, request, response)
    seed = intermediate_seed(party.prf, keys.d.reveal(), handshake.rounds.advance(), handshake.nonces)
    spis = sa.initiator_spi + sa.responder_spi
    handshake.keys = ike_keys(party.prf, seed, handshake.nonces, spis, sa.suite.encryption, sa.suite.integrity)
    party.channel.renew(handshake.keys, MessageId(handshake.int_auth.exchanges))


def refuse_unfinished(handshake: Handshake) -> None:
    """IKE_AUTH comes after the last round, never before it."""
    if handshake.rounds is not None and handshake.rounds.method is not None:
        raise malformed(f"IKE_AUTH before the key exchange {handshake.rounds.method.name}")


def _own_octets(datagrams: tuple[bytes, ...], payloads: Sequence[Payload]) -> bytes:
    return intermediate_octets(datagrams[0][:HEADER_SIZE], *encode_payloads(payloads))


def _heard_octets(message: Inbound) -> bytes:
    return intermediate_octets(message.outer, message.first, message.octets)
