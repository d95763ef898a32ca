"""What two ends have settled on how to follow each other to new addresses. RFC 4555."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.model.address import Address


@dataclass(slots=True)
class Mobility:
    """Without MOBIKE only RFC 7296, 2.23 is left: whoever is not behind a NAT follows authentic packets."""

    agreed: bool = False
    peer_addresses: tuple[Address, ...] = ()
    """Where else the peer says that it may be found."""
    unproved: bool = False
    """The peer has said where it is now, and has not yet answered from there: its traffic goes where it went before."""
