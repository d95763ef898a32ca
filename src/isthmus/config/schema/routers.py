"""`virtual-routers:` and their static routes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from isthmus.config.schema.noun import Flag, Mapped, Noun
from isthmus.config.values.network import HostAddress, Prefix
from isthmus.config.values.quantities import Duration, Whole
from isthmus.config.values.words import Choice, Name, Reference
from isthmus.model.address import Address
from isthmus.model.plan import Network
from isthmus.model.quantities import Seconds


class FailureCondition(StrEnum):
    ANY = "any"
    ALL = "all"


class PathDestination(Noun):
    """An address that is probed along a route."""

    destination: Annotated[Address, HostAddress()] = Field(description="The address that is probed.")
    interval: Annotated[Seconds, Duration("1s", "60s")] = Field(Seconds(3.0), description="Time between probes.")
    count: Annotated[int, Whole(3, 10)] = Field(5, description="Unanswered probes in a row that mean failure.")


class PathMonitor(Noun):
    """Withdraws a static route while its destinations do not answer."""

    enabled: Flag = Field(True, description="Whether the route is monitored.")
    failure_condition: Annotated[FailureCondition, Choice(FailureCondition)] = Field(
        FailureCondition.ANY, description="Whether one failed destination withdraws the route, or only all."
    )
    hold_time: Annotated[Seconds, Duration("0s", "1440m")] = Field(
        Seconds(120.0), description="Time that the path stays up before the route returns."
    )
    destinations: tuple[PathDestination, ...] = Field(
        min_length=1, max_length=8, description="What is probed, one to eight."
    )


class StaticRoute(Noun):
    """A route in a virtual router."""

    destination: Annotated[Network, Prefix()] = Field(description="The network that is reached.")
    interface: Annotated[str, Reference("interfaces")] = Field(description="The interface that leads there.")
    metric: Annotated[int, Whole(1, 65535)] = Field(10, description="Of two routes to one network the lower is used.")
    path_monitor: Annotated[PathMonitor | None, Mapped] = Field(
        None, description="Probes that withdraw the route when they fail."
    )


class VirtualRouter(Noun):
    """A routing table. `default` is the host's main table and needs no entry; any other is a VRF of its own."""

    static_routes: Annotated[dict[Annotated[str, Name()], StaticRoute], Mapped] = Field(
        default_factory=dict, description="Routes, each with a name."
    )
