"""One IKE SA, whatever its version: who, where, since when, and which children."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypedDict

from isthmus.engine.child_sa import ChildSa
from isthmus.engine.deadlines import Deadline
from isthmus.engine.dialect import Dialect
from isthmus.engine.ledger import Ledger, Turn
from isthmus.engine.mobility import Mobility
from isthmus.engine.nat import NatSituation
from isthmus.engine.rivalry import Rivalry
from isthmus.engine.states import IKE_LIFE, IkeLife, WrongTransition
from isthmus.engine.views import IkeSaView
from isthmus.events.ike import IkeDeleted
from isthmus.model.address import Address, Endpoint
from isthmus.model.identity import Identity
from isthmus.model.plan import Mode, PeerPlan, Version
from isthmus.model.proposal import Suite
from isthmus.model.quantities import NO_SPI, IkeSpi, InboundSpi, Instant, Seconds
from isthmus.model.sa_spec import UpdateSa

_LINGER = Seconds(10.0)
"""How long a deleted IKE SA still repeats its last answer, for a peer that lost it."""

_HALF_A_BEAT = Seconds(0.5)
"""The data plane tells once a second which SAs were used."""


class Label(TypedDict):
    """What every event about an IKE SA says of it."""

    at: Instant
    peer: str | None
    ike: str | None


class IkeSa:
    """Holds state and keeps it consistent; the dialect speaks."""

    dialect: Dialect

    def __init__(self, ledger: Ledger, our_spi: IkeSpi, local: Endpoint, remote: Endpoint, *, began_here: bool) -> None:
        self.ledger = ledger
        self.our_spi = our_spi
        self.their_spi = NO_SPI
        self._named_for: IkeSpi | None = None
        self._name = ""
        """As events name it; made anew once the peer's SPI is known."""
        self.began_here = began_here
        self.local = local
        self.remote = remote
        self._peer: PeerPlan | None = None
        self.version = Version.IKEV2
        self.life = IkeLife.CONNECTING
        self.suite: Suite | None = None
        self.nat = NatSituation()
        self.mobility = Mobility()
        self.udp = False
        """Whether its children are UDP-encapsulated."""
        self.local_id: Identity | None = None
        self.remote_id: Identity | None = None
        self.vendors: tuple[str, ...] = ()
        """What the peer announced, by name where we know it."""
        self.children: dict[InboundSpi, ChildSa] = {}
        self.released: Callable[[], None] | None = None
        """Called once when it is no longer half-open."""
        self.first_request: tuple[Address, IkeSpi] | None = None
        """Responder: what a repeated IKE_SA_INIT request is recognised by."""
        self.begun_at = ledger.now
        self.redirected_by: Address | None = None
        """Initiator: the gateway that sent us to this one."""
        self.alternative = False
        """Initiator: whether the other version has its turn if nobody answers the first message."""
        self.child_wanted = True
        """Initiator: whether somebody waits for a child, so that IKE_AUTH has to bring one."""
        self.rivalry = Rivalry(self)
        self.nonces: tuple[bytes, bytes] = (b"", b"")
        """Of the exchange that made it: they decide between twins (RFC 7296, 2.8.1)."""
        self.established_at: Instant | None = None
        self.heard_at = ledger.now
        self.age: Final = ledger.ike_sas.enter(self)

    @property
    def peer(self) -> PeerPlan | None:
        """None while a responder does not know yet who speaks."""
        return self._peer

    @peer.setter
    def peer(self, peer: PeerPlan | None) -> None:
        table = self.ledger.ike_sas
        table.part(self)
        self._peer = peer
        table.join(self)

    @property
    def initiator_spi(self) -> IkeSpi:
        return self.our_spi if self.began_here else self.their_spi

    @property
    def responder_spi(self) -> IkeSpi:
        return self.their_spi if self.began_here else self.our_spi

    @property
    def role(self) -> str:
        return "initiator" if self.began_here else "responder"

    @property
    def alive(self) -> bool:
        return self.life in (IkeLife.CONNECTING, IkeLife.ESTABLISHED)

    @property
    def established(self) -> bool:
        return self.life is IkeLife.ESTABLISHED

    def label(self) -> Label:
        if self._named_for is not self.their_spi:
            self._named_for = self.their_spi
            self._name = f"{self.initiator_spi.hex()}:{self.responder_spi.hex()}"
        peer = self._peer
        return {"at": self.ledger.now, "peer": peer.name if peer else None, "ike": self._name}

    def hear(self, *, message: bool) -> None:
        """An authentic message came from the peer: it lives, and knows this IKE SA. Or authentic ESP within the last
        second, which may be older than a doubt and so removes none."""
        if message:
            self.heard_at = self.ledger.now
            self.rivalry.reassure()
        else:
            self.heard_at = max(self.heard_at, Instant(self.ledger.now - _HALF_A_BEAT))

    def become(self, life: IkeLife) -> None:
        if life not in IKE_LIFE[self.life]:
            raise WrongTransition(f"IKE SA {self.life} -> {life}")
        failed = self.life is IkeLife.CONNECTING and life is IkeLife.DELETED
        self.life = life
        if not failed:  # else it keeps its place until it is forgotten, so that guessing is slow (RFC 8019, 4.4)
            self._release()

    def due(self, what: Deadline) -> None:
        if what is Deadline.GRACE_ENDS:
            self.forget()
        elif what is Deadline.REAUTHENTICATE:
            self.ledger.tell(self.peer, Turn.REAUTHENTICATION_DUE)
        elif what is Deadline.AUTHENTICATION_ENDS:
            self.dialect.delete_ike("its peer was not authenticated anew in time")
        elif what is Deadline.TWIN_ENDS:
            self.rivalry.decide()
        else:
            self.dialect.due(what)

    def move(self, local: Endpoint, remote: Endpoint) -> None:
        """Follows a change of endpoints that was proved authentic; its children move along."""
        if (local, remote) != (self.local, self.remote):
            self.roam(local, remote)
            self.mobility.unproved = False
            self.take_children_along()

    def roam(self, local: Endpoint, remote: Endpoint) -> None:
        """IKE goes on between these endpoints; the children stay where they were until they are taken along."""
        self.local, self.remote = local, remote

    def take_children_along(self) -> None:
        for child in tuple(self.children.values()):
            if child.tunnel.mode is Mode.TRANSPORT and child.installation.remote.address != self.remote.address:
                self.dialect.delete_child(child, "its address is gone: transport mode does not move (RFC 4555, 1.1)")
            elif self.nat.found and not child.tunnel.travels_in_udp:
                self.dialect.delete_child(child, "there is a NAT on the way now, which it does not pass")
            else:
                child.installation.move(self.local, self.remote)

    @property
    def follows(self) -> bool:
        """Whether authentic packets from elsewhere tell where the peer is (RFC 7296, 2.23).

        Not for an end behind a NAT; and with MOBIKE the peer says it itself, unless a NAT moves it unawares.
        """
        return not self.nat.local and (self.nat.remote or not self.mobility.agreed)

    def follow_traffic(self, child: ChildSa, remote: Endpoint) -> None:
        """Authentic ESP came from a new place: a mapping changed, unless we are the one behind (RFC 7296, 2.23)."""
        if self.mobility.unproved:
            return
        if self.udp and self.follows and remote != self.remote:
            self.move(self.local, remote)
        elif child.installation.remote != self.remote:
            self.ledger.program(UpdateSa(child.installation.outbound_id, self.local, self.remote, child.udp))

    def delete_silently(self, reason: str) -> None:
        """Ends it and its children here and now, without a word to the peer."""
        if self.life is IkeLife.DELETED:
            return
        for child in tuple(self.children.values()):
            child.remove_now(reason)
        was = self.life
        self.become(IkeLife.DELETED)
        agenda = self.ledger.agenda
        agenda.forget(self)
        agenda.set(self, Deadline.GRACE_ENDS, Instant(self.ledger.now + _LINGER))
        self.dialect.retire(wipe=True)
        if was is not IkeLife.CONNECTING:
            self.ledger.emit(IkeDeleted(**self.label(), reason=reason))
            self.ledger.tell(self.peer, Turn.IKE_GONE, reason=reason)

    def forget(self) -> None:
        """Leaves the tables for good."""
        self._release()
        if self.first_request is not None:
            self.ledger.first_requests.pop(self.first_request, None)
        self.ledger.agenda.forget(self)
        self.ledger.ike_sas.leave(self)

    def view(self) -> IkeSaView:
        agenda = self.ledger.agenda
        return IkeSaView(
            peer=self.peer.name if self.peer else None,
            version=self.version,
            role=self.role,
            state=self._state(),
            local=self.local,
            remote=self.remote,
            local_id=str(self.local_id) if self.local_id else None,
            remote_id=str(self.remote_id) if self.remote_id else None,
            initiator_spi=self.initiator_spi,
            responder_spi=self.responder_spi,
            suite=self.suite,
            nat=str(self.nat),
            established_at=self.established_at,
            rekey_at=agenda.at(self, Deadline.REKEY),
            reauth_at=agenda.at(self, Deadline.REAUTHENTICATE),
            children=tuple(child.view() for child in self.children.values()),
            vendors=self.vendors,
        )

    def _release(self) -> None:
        if self.released is not None:
            self.released()
            self.released = None

    def _state(self) -> str:
        match self.life:
            case IkeLife.ESTABLISHED:
                return "rekeying" if self.dialect.rekeying else "established"
            case IkeLife.REKEYED | IkeLife.DELETED:
                return "deleting"
            case life:
                return str(life)
