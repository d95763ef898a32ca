"""Shows the invariants what happens, each only what it looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from isthmus.model.sa_spec import SaSpec
from isthmus.sim.invariants import Invariant, Quiet
from isthmus.sim.network import Frame
from isthmus.sim.reading import ike_octets
from isthmus.sim.site import Site


class Watch:
    """Over all sites of a world, as long as the story lasts."""

    def __init__(self, sites: Mapping[str, Site], invariants: Iterable[Invariant]) -> None:
        self._sites = sites
        looking = tuple(invariants)
        self._sent = tuple(i.sent for i in looking if _looks(i, "sent"))
        self._spoke = tuple(i.spoke for i in looking if _looks(i, "spoke"))
        self._stepped = tuple(i.stepped for i in looking if _looks(i, "stepped"))
        self._programmed = tuple(i.programmed for i in looking if _looks(i, "programmed"))
        self._held: dict[str, tuple[SaSpec, ...]] = {}
        """What each data plane held when it was last looked at."""

    def rest(self) -> None:
        """From now on nobody looks."""
        self._sent = self._spoke = self._stepped = self._programmed = ()

    def see(self, frame: Frame) -> None:
        """A site sends it."""
        for sent in self._sent:
            sent(frame)
        octets = ike_octets(frame)
        if octets is not None:
            for spoke in self._spoke:
                spoke(frame, octets, self._sites)

    def look_at(self, site: Site) -> None:
        """Something happened to it."""
        installed = site.plane.installed
        if installed is not self._held.get(site.name):
            self._held[site.name] = installed
            for programmed in self._programmed:
                programmed(site, self._sites)
        for stepped in self._stepped:
            stepped(site, self._sites)


def _looks(invariant: Invariant, at: str) -> bool:
    """`Quiet` says nothing to what an invariant does not care about."""
    return getattr(type(invariant), at) is not getattr(Quiet, at)
