"""One Child SA: an inbound and an outbound IPsec SA agreed together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from isthmus.engine.deadlines import Deadline
from isthmus.engine.installation import Installation
from isthmus.engine.ledger import Turn
from isthmus.engine.retry import rekey_after
from isthmus.engine.states import CHILD_LIFE, ChildLife, WrongTransition
from isthmus.engine.views import ChildView
from isthmus.events.child import ChildDeleted, ChildExpired
from isthmus.model.plan import ChildPlan, Lifetime, TunnelPlan
from isthmus.model.proposal import Suite
from isthmus.model.quantities import InboundSpi, Instant, OutboundSpi, Seconds
from isthmus.model.sa_spec import TrafficKeys
from isthmus.model.selectors import TrafficSelector

if TYPE_CHECKING:
    from isthmus.engine.ike_sa import IkeSa

_GRACE = Seconds(5.0)
"""How long a replaced inbound SA still receives after its delete was agreed: packets may be late."""


@dataclass(frozen=True, slots=True)
class ChildTerms:
    """What the two ends agreed."""

    suite: Suite
    spi_in: InboundSpi
    spi_out: OutboundSpi
    local_ts: tuple[TrafficSelector, ...]
    remote_ts: tuple[TrafficSelector, ...]
    keys_in: TrafficKeys
    keys_out: TrafficKeys
    nonces: tuple[bytes, bytes]
    """Of the exchange that made it: they decide between twins (RFC 7296, 2.8.1)."""
    began_here: bool
    """Whether we were the requester of that exchange."""
    lifetime: Lifetime | None = None
    """What IKEv1 agreed on; None: each end keeps to its own."""


class ChildSa:
    """Keeps the two IPsec SAs in the data plane in step with its life."""

    def __init__(
        self, ike: IkeSa, tunnel: TunnelPlan, plan: ChildPlan, terms: ChildTerms, *, confirmed: bool = True
    ) -> None:
        self.ike = ike
        self.tunnel = tunnel
        self.plan = plan
        self.terms = terms
        self.lifetime = terms.lifetime or tunnel.profile.lifetime
        self.life = ChildLife.INSTALLED if confirmed else ChildLife.INSTALLING
        self.established_at = ike.ledger.now
        self.rekeying = False
        """We have asked, or mean to ask, for a successor."""
        self.successor: ChildSa | None = None
        """Who takes over from it."""
        self.heir_of_peer: ChildSa | None = None
        """Whom the peer made its successor while our own attempt is not decided."""
        self.twin: ChildSa | None = None
        """The other one of two that were made for the same selectors at once, if the peer is to delete this one."""
        self.follower: ChildSa | None = None
        """One of another IKE SA for the same traffic: it sends once the peer uses it, or this one no longer does."""
        self.doubted = False
        """The peer may have lost it, together with the IKE SA under which it did not answer."""
        self.installation = Installation(self)
        ike.children[terms.spi_in] = self
        ike.ledger.children.enter(self)

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def udp(self) -> bool:
        """Whether it travels in UDP."""
        return self.ike.udp and self.tunnel.travels_in_udp

    @property
    def usable(self) -> bool:
        """Whether it carries traffic outward and nothing is about to end it."""
        return self.life is ChildLife.INSTALLED

    def _become(self, life: ChildLife) -> None:
        if life not in CHILD_LIFE[self.life]:
            raise WrongTransition(f"Child SA {self.life} -> {life}")
        self.life = life

    def due(self, what: Deadline) -> None:
        if what is Deadline.REKEY:
            self.rekey_wanted()
        elif what is Deadline.EXPIRE:
            self.expire("lifetime")
        elif what is Deadline.GRACE_ENDS:
            self.remove_now("replaced")
        elif what is Deadline.TWIN_ENDS:
            self._outlive_twin()
        elif what is Deadline.BEGIN_TO_SEND and self.usable:
            self.installation.send()

    def schedule(self, *, requester: bool) -> None:
        """Sets when it is renewed and when it ends. The replier asks a little later, so that it seldom collides."""
        ledger = self.ike.ledger
        lifetime = self.lifetime.time
        soft = rekey_after(lifetime, ledger.entropy) + (0.0 if requester else 0.02 * lifetime)
        ledger.agenda.set(self, Deadline.REKEY, Instant(ledger.now + soft))
        ledger.agenda.set(self, Deadline.EXPIRE, Instant(ledger.now + lifetime))

    def rekey_wanted(self) -> None:
        """Its soft limit is reached, of time, octets or packets."""
        if self.usable and not self.rekeying:
            self.ike.dialect.rekey_child(self)

    def retry_rekey(self) -> None:
        """A rekey failed: again later, while the lifetime lasts."""
        ledger = self.ike.ledger
        ends = ledger.agenda.at(self, Deadline.EXPIRE)
        if ends is not None and self.usable:
            ledger.agenda.set(self, Deadline.REKEY, Instant(ledger.now + max((ends - ledger.now) / 3, 1.0)))

    def expire(self, limit: str) -> None:
        """Its hard limit is reached: the peer hears of it, and upkeep makes a new one."""
        if self.life in (ChildLife.INSTALLED, ChildLife.REKEYED):
            self.ike.ledger.emit(
                ChildExpired(
                    **self.ike.label(),
                    child=self.name,
                    spi_in=self.terms.spi_in,
                    spi_out=self.terms.spi_out,
                    limit=limit,
                )
            )
            self.ike.dialect.delete_child(self, f"its {limit} ended")

    def take_over(self) -> None:
        """Sends from now on, in the place of those that it succeeds; they still receive what is under way."""
        if self.life is ChildLife.INSTALLING:
            self._become(ChildLife.INSTALLED)
        self.installation.send()
        for old in self.ike.ledger.children.named(self.name):
            if old.successor is self and old.life is ChildLife.INSTALLED:
                old.retire()
                old.installation.stop_sending()
                self.ike.ledger.agenda.cancel(old, Deadline.REKEY)

    def retire(self) -> None:
        """Another serves in its place."""
        self._become(ChildLife.REKEYED)

    def leave(self) -> None:
        """Begins its end: the peer is being told."""
        if self.life in (ChildLife.INSTALLING, ChildLife.INSTALLED, ChildLife.REKEYED):
            self._become(ChildLife.DELETING)
        self._stop_sending()

    def adopt(self, ike: IkeSa) -> None:
        """Passes to the IKE SA that replaces its own (RFC 7296, 2.8)."""
        del self.ike.children[self.terms.spi_in]
        self.ike = ike
        ike.children[self.terms.spi_in] = self

    def remove(self, reason: str) -> None:
        """Its delete is agreed. One that has a successor receives for a moment longer: packets may be late."""
        if self.life in (ChildLife.DRAINING, ChildLife.DELETED):
            return
        heir = self.successor if self.successor is not None else self.heir_of_peer
        ledger = self.ike.ledger
        if heir is None or not heir.usable:
            self.remove_now(reason)
            ledger.tell(self.ike.peer, Turn.CHILD_GONE, self.name, reason)
            return
        heir.take_over()
        self._become(ChildLife.DRAINING)
        self._stop_sending()
        ledger.agenda.forget(self)
        ledger.agenda.set(self, Deadline.GRACE_ENDS, Instant(ledger.now + _GRACE))

    def remove_now(self, reason: str) -> None:
        """Takes both IPsec SAs out of the data plane."""
        if self.life is ChildLife.DELETED:
            return
        self._stop_sending()
        self._become(ChildLife.DELETED)
        ledger, terms = self.ike.ledger, self.terms
        ledger.agenda.forget(self)
        self.installation.stop_receiving()
        ledger.children.leave(self)
        self.ike.children.pop(terms.spi_in, None)
        label = self.ike.label()
        ledger.emit(ChildDeleted(**label, child=self.name, spi_in=terms.spi_in, spi_out=terms.spi_out, reason=reason))

    def view(self) -> ChildView:
        agenda = self.ike.ledger.agenda
        terms = self.terms
        return ChildView(
            name=self.name,
            tunnel=self.tunnel.name,
            proxy_id=self.plan.proxy_id,
            peer=self.tunnel.peer,
            protocol=terms.suite.protocol,
            mode=self.tunnel.mode,
            udp=self.udp,
            state="rekeying" if self.usable and self.rekeying else str(self.life),
            spi_in=terms.spi_in,
            spi_out=terms.spi_out,
            inbound=self.installation.inbound_id,
            outbound=self.installation.outbound_id,
            suite=terms.suite,
            local_ts=terms.local_ts,
            remote_ts=terms.remote_ts,
            replay_window=self.tunnel.anti_replay.window if self.tunnel.anti_replay.enabled else 0,
            established_at=self.established_at,
            rekey_at=agenda.at(self, Deadline.REKEY),
            expires_at=agenda.at(self, Deadline.EXPIRE),
            sends=self.installation.sends,
        )

    def _stop_sending(self) -> None:
        follower, self.follower = self.follower, None
        if follower is not None and follower.usable:
            follower.installation.send()
        self.installation.stop_sending()

    def _outlive_twin(self) -> None:
        """The peer should have deleted this redundant twin and has not: it does not know the other one, which goes."""
        twin, self.twin = self.twin, None
        if twin is not None and twin.usable and self.usable:
            self.ike.dialect.delete_child(twin, "the peer does not know it")
