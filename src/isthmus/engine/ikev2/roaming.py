"""Following an end that has a new address. RFC 4555, 3.5 to 3.7."""

from __future__ import annotations

from abc import abstractmethod

from isthmus.engine import keep_alive
from isthmus.engine.exchange import Inbound, Run
from isthmus.engine.ikev2.exchanges import INFORMATIONAL
from isthmus.engine.ikev2.farewell import DeleteIke
from isthmus.engine.ikev2.intention import Intention
from isthmus.engine.ikev2.party import Party
from isthmus.engine.ikev2.steps.inform import Notice
from isthmus.engine.nat import NatSituation
from isthmus.engine.refusal import Refusal
from isthmus.engine.states import IkeLife
from isthmus.events.ike import IkeMoved
from isthmus.model.address import Address, Endpoint
from isthmus.model.plan import Encapsulation
from isthmus.wire.ikev2.payloads import Notify

_COOKIE_SIZE = 16


class _Roaming(Intention):
    """An INFORMATIONAL about a pair of endpoints, which holds as long as they are still the ones in use."""

    def __init__(self, party: Party) -> None:
        self.party = party
        self.path: tuple[Endpoint, Endpoint] | None = None
        self.notice = Notice(party.sa)

    def begin(self) -> Run[Notice] | None:
        sa = self.party.sa
        if not sa.established or not sa.mobility.agreed:
            return None
        self.path = sa.local, sa.remote
        self.notice = self.word()
        return Run(INFORMATIONAL, self.notice)

    @abstractmethod
    def word(self) -> Notice:
        """What it says."""
        ...

    def succeeded(self, message: Inbound) -> None:
        sa = self.party.sa
        if self.notice.cookie and not self.notice.cookie_came_back:
            # RFC 4555, 4.2.5: somebody answers who has not read the request; the IKE SA must be closed.
            self.party.requests.want(DeleteIke(self.party, "COOKIE2 did not come back as it was"), first=True)
        elif self.path == (sa.local, sa.remote):
            self.arrived()

    def arrived(self) -> None:
        """The peer has answered, and nobody has moved meanwhile."""

    def refused(self, notify: Notify) -> None:
        reason = f"the peer refuses the address: {notify.notify.name}"
        self.party.requests.want(DeleteIke(self.party, reason), first=True)

    def rejected(self, refusal: Refusal) -> None:
        self.party.requests.want(DeleteIke(self.party, str(refusal.report.reason)), first=True)

    def silent(self, attempts: int) -> None:
        self.party.lose_peer()


class UpdateAddresses(_Roaming):
    """The original initiator says which addresses are used from now on (RFC 4555, 3.5)."""

    def word(self) -> Notice:
        sa = self.party.sa
        return Notice(sa, moves=True, detects_nat=True, cookie=sa.ledger.entropy.octets(_COOKIE_SIZE))

    def arrived(self) -> None:
        settle(self.party, self.notice.nat)


class TellAddresses(_Roaming):
    """The original responder says where it may be found; the initiator decides (RFC 4555, 3.6)."""

    def word(self) -> Notice:
        return Notice(self.party.sa, addresses=(self.party.sa.local.address,))


class CheckRoute(_Roaming):
    """Return routability: whoever claims an address must read what is sent there (RFC 4555, 3.7)."""

    def word(self) -> Notice:
        return Notice(self.party.sa, cookie=self.party.sa.ledger.entropy.octets(_COOKIE_SIZE))

    def arrived(self) -> None:
        settle(self.party, None)


def relocate(party: Party, local: Address) -> None:
    """Our own address towards the peer is another one now."""
    sa = party.sa
    if sa.life is IkeLife.CONNECTING:
        sa.delete_silently("our address changed")
        return
    sa.roam(Endpoint(local, sa.local.port), sa.remote)
    if not sa.established:
        party.requests.repeat_now()
    elif sa.mobility.agreed:
        # Where we are is for us to know: what we send leaves from there at once.
        sa.take_children_along()
        party.requests.repeat_now()
        party.requests.want(UpdateAddresses(party) if sa.began_here else TellAddresses(party), first=True)
    else:
        sa.dialect.delete_ike("our address changed, and the peer knows no MOBIKE")


def follow(party: Party, notice: Notice) -> None:
    """The peer has said in a request where it is."""
    sa = party.sa
    if notice.addresses is not None:
        sa.mobility.peer_addresses = notice.addresses
    if notice.path is None or not sa.established:
        return
    if notice.moves and notice.path != (sa.local, sa.remote):
        sa.roam(*notice.path)
        sa.mobility.unproved = True
        if notice.nat is not None:
            sa.nat = notice.nat
        party.requests.repeat_now()
        party.requests.want(CheckRoute(party), first=True)
    elif notice.addresses and sa.began_here and notice.path[1] != sa.remote:
        # The responder can be found elsewhere now: it hears from us that it will be.
        sa.roam(sa.local, notice.path[1])
        sa.mobility.unproved = True
        party.requests.repeat_now()
        party.requests.want(UpdateAddresses(party), first=True)


def settle(party: Party, nat: NatSituation | None) -> None:
    """Both ends know where they are: the children go along."""
    sa = party.sa
    sa.mobility.unproved = False
    sa.nat = nat or sa.nat
    if sa.nat.found and sa.peer is not None and sa.peer.encapsulation is not Encapsulation.ESP:
        sa.udp = True
    sa.take_children_along()
    keep_alive.schedule(party.sa)
    sa.ledger.emit(IkeMoved(**sa.label(), local=sa.local, remote=sa.remote, nat=str(sa.nat)))
