"""The SAs of a gateway, found in one step by what arrives on the wire and by what the configuration calls them."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from isthmus.model.quantities import IkeSpi, InboundSpi

if TYPE_CHECKING:
    from isthmus.engine.child_sa import ChildSa
    from isthmus.engine.ike_sa import IkeSa


class IkeTable(dict[IkeSpi, "IkeSa"]):
    """By the SPI that we chose, oldest first. A responder learns who the peer is later than it enters."""

    def __init__(self) -> None:
        super().__init__()
        self._ages = count()
        self._of_peer: dict[str, dict[int, IkeSa]] = {}

    def enter(self, sa: IkeSa) -> int:
        """Its age: greater for whoever entered later."""
        self[sa.our_spi] = sa
        return next(self._ages)

    def leave(self, sa: IkeSa) -> None:
        self.pop(sa.our_spi, None)
        self.part(sa)

    def join(self, sa: IkeSa) -> None:
        """Its peer is known now."""
        if sa.peer is not None and self.get(sa.our_spi) is sa:
            self._of_peer.setdefault(sa.peer.name, {})[sa.age] = sa

    def part(self, sa: IkeSa) -> None:
        """Its peer is no longer this one."""
        if sa.peer is None:
            return
        others = self._of_peer.get(sa.peer.name, {})
        others.pop(sa.age, None)
        if not others:
            self._of_peer.pop(sa.peer.name, None)

    def with_peer(self, name: str) -> tuple[IkeSa, ...]:
        """The IKE SAs with a configured peer, oldest first."""
        found = self._of_peer.get(name)
        if found is None:
            return ()
        return tuple(found.values()) if len(found) == 1 else tuple(found[age] for age in sorted(found))


class ChildTable(dict[InboundSpi, "ChildSa"]):
    """By the SPI that we chose, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self._of_name: dict[str, dict[InboundSpi, ChildSa]] = {}

    def enter(self, child: ChildSa) -> None:
        self[child.terms.spi_in] = child
        self._of_name.setdefault(child.name, {})[child.terms.spi_in] = child

    def leave(self, child: ChildSa) -> None:
        self.pop(child.terms.spi_in, None)
        others = self._of_name.get(child.name, {})
        others.pop(child.terms.spi_in, None)
        if not others:
            self._of_name.pop(child.name, None)

    def named(self, name: str) -> tuple[ChildSa, ...]:
        """The Child SAs that serve a configured child, oldest first."""
        return tuple(self._of_name.get(name, {}).values())
