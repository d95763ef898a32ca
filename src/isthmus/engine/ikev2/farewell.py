"""Deleting an IKE SA politely, and asking whether the peer lives. RFC 7296, 1.4 and 2.4."""

from __future__ import annotations

from isthmus.engine.exchange import Inbound, Run
from isthmus.engine.ikev2.exchanges import INFORMATIONAL
from isthmus.engine.ikev2.intention import Intention
from isthmus.engine.ikev2.party import Party
from isthmus.engine.ikev2.steps.inform import Notice
from isthmus.engine.refusal import Refusal
from isthmus.engine.states import IkeLife
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import InboundSpi
from isthmus.wire.ikev2.payloads import Notify
from isthmus.wire.registry import NotifyType


class DeleteIke(Intention):
    """The IKE SA goes, and with it its children; whatever the peer answers, it is gone."""

    def __init__(self, party: Party, reason: str, error: NotifyType | None = None) -> None:
        self.party = party
        self.reason = reason
        self.error = error

    def begin(self) -> Run[Notice] | None:
        sa = self.party.sa
        if sa.life in (IkeLife.ESTABLISHED, IkeLife.REKEYED):
            sa.become(IkeLife.DELETING)
        for child in sa.children.values():
            child.leave()
        return Run(INFORMATIONAL, Notice(sa, ends_ike=True, error=self.error))

    def succeeded(self, message: Inbound) -> None:
        self._gone()

    def refused(self, notify: Notify) -> None:
        self._gone()

    def rejected(self, refusal: Refusal) -> None:
        self._gone()

    def silent(self, attempts: int) -> None:
        self._gone()

    def _gone(self) -> None:
        self.party.sa.delete_silently(self.reason)


class DeleteUnborn(Intention):
    """A child that only the peer believes in, as we could not accept its answer: it is told to forget it."""

    def __init__(self, party: Party, protocol: Protocol, spi: InboundSpi) -> None:
        self.party = party
        self.deletes = ((protocol, spi),)

    def begin(self) -> Run[Notice] | None:
        return Run(INFORMATIONAL, Notice(self.party.sa, self.deletes))

    def succeeded(self, message: Inbound) -> None:
        pass

    def refused(self, notify: Notify) -> None:
        pass

    def rejected(self, refusal: Refusal) -> None:
        pass

    def silent(self, attempts: int) -> None:
        self.party.lose_peer()


class Probe(Intention):
    """An empty INFORMATIONAL: any authentic answer proves that the peer lives."""

    def __init__(self, party: Party) -> None:
        self.party = party

    def begin(self) -> Run[Notice] | None:
        return Run(INFORMATIONAL, Notice(self.party.sa)) if self.party.sa.established else None

    def succeeded(self, message: Inbound) -> None:
        pass

    def refused(self, notify: Notify) -> None:
        pass

    def rejected(self, refusal: Refusal) -> None:
        pass

    def silent(self, attempts: int) -> None:
        self.party.lose_peer()
