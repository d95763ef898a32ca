"""What a protocol version must offer to the version-neutral shell: how to ask and how to answer."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from isthmus.engine.deadlines import Deadline
from isthmus.model.address import Address, Datagram
from isthmus.model.plan import ChildPlan, TunnelPlan
from isthmus.model.quantities import Seconds
from isthmus.model.selectors import TrafficSelector

if TYPE_CHECKING:
    from isthmus.engine.child_sa import ChildSa


class Progress(Enum):
    UNANSWERED = auto()
    ANSWERED = auto()
    COMMITTED = auto()
    """The peer may take the IKE SA for established, although we do not know yet."""


class Dialect(Protocol):
    """Intentions are queued: one request is outstanding at a time, and each is checked again before it is begun."""

    @property
    def rekeying(self) -> bool:
        """Whether a successor of the IKE SA is being agreed."""
        ...

    @property
    def progress(self) -> Progress:
        """How far the set-up that we began has come."""
        ...

    def ask_again(self) -> Seconds:
        """Repeats what the peer has not answered; how long its answer may take."""
        ...

    def establish(self, tunnel: TunnelPlan | None, child: ChildPlan | None) -> None:
        """Sets up the IKE SA, as initiator, and with it a first child."""
        ...

    def create_child(
        self, tunnel: TunnelPlan, child: ChildPlan, packet: tuple[TrafficSelector, TrafficSelector] | None = None
    ) -> None:
        """Asks for a child; `packet` is the local and remote selector of the packet that wants it."""
        ...

    def intends(self, child: ChildPlan) -> bool:
        """Whether a configured child is already being asked for."""
        ...

    def rekey_child(self, child: ChildSa) -> None: ...

    def delete_child(self, child: ChildSa, reason: str) -> None: ...

    def rekey_ike(self) -> None: ...

    def delete_ike(self, reason: str) -> None: ...

    def relocate(self, local: Address) -> None:
        """Our address towards the peer is this one now."""
        ...

    def receive(self, datagram: Datagram) -> None:
        """A datagram with one of our SPIs."""
        ...

    def retire(self, *, wipe: bool) -> None:
        """What has not begun yet is dropped: another IKE SA has taken over, or this one is gone.

        Then the keys are wiped, and what may still be repeated is kept as octets.
        """
        ...

    def due(self, what: Deadline) -> None: ...
