"""`security-policies:` who may speak to whom between zones."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from isthmus.config.schema.noun import Distinct, Flag, Noun
from isthmus.config.values.network import AnyOrNetwork, Service, ServiceMatch
from isthmus.config.values.words import Choice, Name, Reference
from isthmus.model.plan import Network

ZoneList = Annotated[tuple[Annotated[str, Reference("zones", also=("any",))], ...], Distinct]
NetworkList = Annotated[tuple[Annotated[Network | None, AnyOrNetwork()], ...], Distinct]
ServiceList = Annotated[tuple[Annotated[ServiceMatch, Service()], ...], Distinct]


class Action(StrEnum):
    ALLOW = "allow"
    DENY = "deny"


class SecurityPolicy(Noun):
    """One rule; the first that matches wins."""

    name: Annotated[str, Name()] = Field(description="Shown where the rule is counted and logged.")
    from_: ZoneList = Field(min_length=1, max_length=256, description="Zones that the traffic comes from.")
    to: ZoneList = Field(min_length=1, max_length=256, description="Zones that it goes to.")
    source: NetworkList = Field(min_length=1, max_length=1024, description="Networks that it comes from.")
    destination: NetworkList = Field(min_length=1, max_length=1024, description="Networks that it goes to.")
    service: ServiceList = Field(min_length=1, max_length=256, description="Protocols and ports.")
    action: Annotated[Action, Choice(Action)] = Field(description="What becomes of it.")
    log: Flag = Field(False, description="Whether each session is logged.")
