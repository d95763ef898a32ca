"""Child SAs after the first: created, rekeyed and deleted, from either end and at once. RFC 7296, 1.3, 2.8, 2.25.1."""

from __future__ import annotations

from abc import abstractmethod

from isthmus.engine.child_sa import ChildSa
from isthmus.engine.exchange import Inbound, Run
from isthmus.engine.ikev2.child_setup import ChildSetup
from isthmus.engine.ikev2.established import install
from isthmus.engine.ikev2.exchanges import CREATE_CHILD, INFORMATIONAL
from isthmus.engine.ikev2.farewell import DeleteUnborn
from isthmus.engine.ikev2.follow_up import Creation, Unfinished, replacing
from isthmus.engine.ikev2.intention import Intention
from isthmus.engine.ikev2.method_guess import MethodGuess
from isthmus.engine.ikev2.party import Party
from isthmus.engine.ikev2.steps.child import what_we_said
from isthmus.engine.ikev2.steps.inform import Notice
from isthmus.engine.ikev2.succession import crossed, inherit, outdone, outlast, wait_for_takeover
from isthmus.engine.passage import stopped_by_nat
from isthmus.engine.refusal import Refusal, Report, malformed, reason_of
from isthmus.engine.states import ChildLife
from isthmus.model.plan import ChildPlan, TunnelPlan
from isthmus.model.proposal import Protocol
from isthmus.model.selectors import TrafficSelector
from isthmus.wire.ikev2.payloads import Notify
from isthmus.wire.registry import NotifyType

_SPI_SIZE = 4


class AskForChild(Creation):
    """CREATE_CHILD_SA: what making a child and replacing one have in common."""

    def __init__(self, party: Party, tunnel: TunnelPlan, child: ChildPlan) -> None:
        self.party = party
        self.tunnel = tunnel
        self.child = child
        self.setup: ChildSetup | None = None
        self._guess = MethodGuess(tunnel.profile.proposals)

    @abstractmethod
    def wanted(self) -> bool:
        """Whether it still makes sense."""

    @abstractmethod
    def prepare(self, setup: ChildSetup) -> None:
        """What this kind of request adds."""

    @abstractmethod
    def stands(self, child: ChildSa) -> None:
        """The exchange made this child."""

    def begin(self) -> Run[ChildSetup] | None:
        if not self.wanted():
            return None
        obstacle = stopped_by_nat(self.party.sa, self.tunnel)
        if obstacle is not None:
            self.failed(obstacle)
            return None
        setup = ChildSetup(self.party.sa, fresh=True, began_here=True, tunnel=self.tunnel, child=self.child)
        setup.offered, setup.method = self._guess.offered, self._guess.method
        self.setup = setup
        self.prepare(self.setup)
        return Run(CREATE_CHILD, self.setup)

    def succeeded(self, message: Inbound) -> None:
        self.party.yields = 0
        if self.setup is not None and not self.gives_way(self.setup):
            self.go_on(self.setup.rounds)

    def finished(self) -> None:
        if self.setup is not None:
            self.stands(make(self.party, self.setup))

    def gives_way(self, setup: ChildSetup) -> bool:
        """Whether the peer's own exchange, which crossed this one, decides that nothing comes of it."""
        return False

    def refused(self, notify: Notify) -> None:
        if notify.notify == NotifyType.INVALID_KE_PAYLOAD and self._guess.corrected(notify.data):
            self.party.requests.want(self, first=True)
        elif notify.notify == NotifyType.TEMPORARY_FAILURE and self.wanted():
            # RFC 7296, 2.25: the peer is busy with what crossed our request.
            self.party.yield_to_peer()
            self.party.requests.want(self)
        else:
            said = what_we_said(notify.notify, self.setup) if self.setup is not None else ()
            self.failed(Report(reason_of(notify.notify), (notify.notify.name,), said))

    def rejected(self, refusal: Refusal) -> None:
        if self.setup is not None:
            self.party.requests.want(DeleteUnborn(self.party, self.setup.protocol, self.setup.spi_in), first=True)
        self.failed(refusal.report)

    def silent(self, attempts: int) -> None:
        self.party.lose_peer()

    def failed(self, report: Report) -> None:
        """There will be none."""
        self.party.fail_child(self.child.name, CREATE_CHILD.name, "initiator", report)


class CreateChild(AskForChild):
    """A child that succeeds nobody; `packet` is what an on-demand packet looks like."""

    def __init__(
        self,
        party: Party,
        tunnel: TunnelPlan,
        child: ChildPlan,
        packet: tuple[TrafficSelector, TrafficSelector] | None = None,
    ) -> None:
        super().__init__(party, tunnel, child)
        self.packet = packet

    def wanted(self) -> bool:
        return self.party.sa.established and (self.packet is not None or not self._stands_already())

    def prepare(self, setup: ChildSetup) -> None:
        setup.packet = self.packet

    def stands(self, child: ChildSa) -> None:
        install(child)

    def _stands_already(self) -> bool:
        return any(c.usable and c.plan == self.child for c in self.party.sa.children.values())


class RekeyChild(AskForChild):
    """A successor for a child."""

    def __init__(self, party: Party, old: ChildSa) -> None:
        super().__init__(party, old.tunnel, old.plan)
        self.old = old

    @property
    def replaces(self) -> ChildSa:
        return self.old

    def wanted(self) -> bool:
        wanted = self.party.sa.established and self.old.usable and self.party.unfinished_for(self.old) is None
        self.old.rekeying = wanted
        return wanted

    def prepare(self, setup: ChildSetup) -> None:
        setup.replaces = self.old

    def gives_way(self, setup: ChildSetup) -> bool:
        # RFC 9370, 2.2.4: with key exchanges to follow it is decided before there is anything to delete.
        old, rival = self.old, self.party.unfinished_for(self.old)
        heir = old.heir_of_peer if setup.rounds is not None else None
        if heir is not None and heir.life is ChildLife.INSTALLED:
            theirs = heir.terms.nonces
        elif rival is not None:
            heir, theirs = None, rival.nonces
        else:
            return False
        lost = outdone(old, setup.nonces, theirs)
        if lost:
            old.rekeying = False
            if setup.rounds is None:
                self.party.requests.want(DeleteUnborn(self.party, setup.protocol, setup.spi_in), first=True)
        if heir is not None:
            old.heir_of_peer = None
            (wait_for_takeover if lost else outlast)(old, heir)
        elif rival is not None and not lost:
            rival.drop()
        return lost

    def refused(self, notify: Notify) -> None:
        if self.party.unfinished_for(self.old) is not None and notify.notify == NotifyType.TEMPORARY_FAILURE:
            self.old.rekeying = False  # the peer is about to replace it
        else:
            super().refused(notify)

    def stands(self, child: ChildSa) -> None:
        self.old.rekeying = False
        if crossed(self.old, child):
            return
        child.installation.receive()
        inherit(self.old, child)
        if self.old.life is ChildLife.REKEYED:
            self.party.requests.want(DeleteChild(self.party, self.old, "rekeyed"), first=True)

    def failed(self, report: Report) -> None:
        self.old.rekeying = False
        heir = self.old.heir_of_peer
        if heir is not None:
            wait_for_takeover(self.old, heir)  # ours came to nothing, the peer's stands
        elif report.reason is reason_of(NotifyType.CHILD_SA_NOT_FOUND):
            # RFC 7296, 2.25.1: the peer has none; ours is of no use any more.
            self.old.remove("the peer does not know it")
        else:
            super().failed(report)
            self.old.retry_rekey()


class DeleteChild(Intention):
    """INFORMATIONAL with a Delete for one child."""

    def __init__(self, party: Party, child: ChildSa, reason: str) -> None:
        self.party = party
        self.child = child
        self.reason = reason

    def begin(self) -> Run[Notice] | None:
        child = self.child
        if child.life in (ChildLife.DRAINING, ChildLife.DELETED) or child.ike is not self.party.sa:
            return None
        child.leave()
        return Run(INFORMATIONAL, Notice(self.party.sa, ((child.terms.suite.protocol, child.terms.spi_in),)))

    def succeeded(self, message: Inbound) -> None:
        self.child.remove(self.reason)

    def refused(self, notify: Notify) -> None:
        self.child.remove(self.reason)

    def rejected(self, refusal: Refusal) -> None:
        self.child.remove(self.reason)

    def silent(self, attempts: int) -> None:
        self.party.lose_peer()


class AnswerCreateChild:
    """CREATE_CHILD_SA for a child, as replier: a new one, or a successor of `old`."""

    def __init__(self, party: Party, old: ChildSa | None) -> None:
        self.party = party
        self.old = old
        self.setup = ChildSetup(party.sa, fresh=True, began_here=False, replaces=old)

    def begin(self) -> Run[ChildSetup]:
        if self.old is not None and replacing(self.party, self.old):
            # RFC 9370, 2.2.4: our own request to replace it is agreed, and its key exchanges are under way.
            raise Refusal(NotifyType.TEMPORARY_FAILURE)
        return Run(CREATE_CHILD, self.setup)

    def agreed(self, response: tuple[bytes, ...]) -> None:
        setup = self.setup
        if setup.rounds is None:
            self._stands()
        else:
            Unfinished(self.party, setup.rounds, setup.nonces, self.old, finish=self._stands, abandon=self._abandoned)

    def _stands(self) -> None:
        child = make(self.party, self.setup)
        if self.old is None or self.old.life in (ChildLife.DRAINING, ChildLife.DELETED):
            install(child)
            return
        child.installation.receive()
        if self.old.rekeying and self.party.requests.wanted(RekeyChild):
            self.old.heir_of_peer = child  # crossed: decided when our own request is answered
        else:
            wait_for_takeover(self.old, child)

    def _abandoned(self) -> None:
        if self.old is not None and not self.old.rekeying:
            self.old.retry_rekey()

    def refused(self, refusal: Refusal) -> None:
        if refusal.notify not in (NotifyType.INVALID_KE_PAYLOAD, NotifyType.TEMPORARY_FAILURE):
            name = self.setup.child.name if self.setup.child else None
            self.party.fail_child(name, CREATE_CHILD.name, "responder", refusal.report)


def find_replaced(party: Party, inbound: Inbound) -> ChildSa | None:
    """The child that a request with REKEY_SA means. The SPI is the one that the peer receives on."""
    notify = inbound.notify(NotifyType.REKEY_SA)
    if notify is None:
        return None
    if len(notify.spi) != _SPI_SIZE or notify.protocol not in (Protocol.ESP, Protocol.AH):
        raise malformed("REKEY_SA names no Child SA")
    spi = int.from_bytes(notify.spi, "big")
    for child in party.sa.children.values():
        if child.terms.spi_out == spi:
            if child.life is not ChildLife.INSTALLED:
                # RFC 7296, 2.25.1: one that we are closing gets no successor.
                raise Refusal(NotifyType.TEMPORARY_FAILURE)
            return child
    raise Refusal(NotifyType.CHILD_SA_NOT_FOUND)


def make(party: Party, setup: ChildSetup) -> ChildSa:
    """The child that a CREATE_CHILD_SA exchange agreed on, with keys from its own nonces."""
    return setup.make(party.prf, party.sk_d, setup.nonces)
