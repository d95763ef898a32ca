"""`interfaces:` and `zones:`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from isthmus.config.schema.noun import Distinct, Noun
from isthmus.config.values.network import PrefixedAddress
from isthmus.config.values.quantities import Automatic
from isthmus.config.values.words import Reference
from isthmus.model.plan import InterfaceAddress


class Interface(Noun):
    """An interface of the host, or a tunnel interface (`tunnel.N`), which Isthmus makes."""

    zone: Annotated[str | None, Reference("zones")] = Field(
        None, description="The zone that it belongs to. A tunnel interface needs one."
    )
    virtual_router: Annotated[str | None, Reference("virtual-routers")] = Field(
        None,
        description="The virtual router that it belongs to. A tunnel interface and its gateway's interface need one.",
    )
    address: Annotated[tuple[Annotated[InterfaceAddress, PrefixedAddress()], ...], Distinct] = Field(
        (),
        max_length=32,
        description="Addresses of a tunnel interface; needed for monitoring and dynamic routing only.",
    )
    mtu: Annotated[int | None, Automatic(576, 9216)] = Field(
        None, description="MTU of a tunnel interface; `auto` computes it from the path and the suite."
    )


class Zone(Noun):
    """A security zone. It has no options yet; its name is what counts."""
