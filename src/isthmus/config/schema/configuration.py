"""The whole configuration: its sections."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from isthmus.config.schema.certificates import Certificate, CertificateProfile
from isthmus.config.schema.crypto_profiles import IkeCryptoProfile, IpsecCryptoProfile
from isthmus.config.schema.gateways import IkeGateway
from isthmus.config.schema.interfaces import Interface, Zone
from isthmus.config.schema.noun import Mapped, Noun
from isthmus.config.schema.policies import SecurityPolicy
from isthmus.config.schema.routers import VirtualRouter
from isthmus.config.schema.settings import Settings
from isthmus.config.schema.tunnels import IpsecTunnel, MonitorProfile
from isthmus.config.values.words import InterfaceName, Name

ProperName = Annotated[str, Name()]


class Configuration(Noun):
    """Configuration of an Isthmus gateway."""

    settings: Settings = Field(
        default_factory=lambda: Settings.model_validate({}),
        description="VPN session settings: limits for the gateway as a whole.",
    )
    interfaces: Annotated[dict[Annotated[str, InterfaceName()], Interface], Mapped] = Field(
        default_factory=dict,
        description="Interfaces of the host by the names that they have there, and the tunnel interfaces that "
        "Isthmus makes: `tunnel.1` to `tunnel.9999`.",
    )
    zones: Annotated[dict[ProperName, Zone], Mapped] = Field(
        default_factory=dict, description="Security zones by name. They have no options yet."
    )
    virtual_routers: Annotated[dict[ProperName, VirtualRouter], Mapped] = Field(
        default_factory=dict,
        description="Routing tables by name. `default` is the host's main table and is there without being written; "
        "any other is a VRF of its own.",
    )
    security_policies: tuple[SecurityPolicy, ...] = Field(
        (), description="A list of who may speak to whom between zones; the first that matches wins."
    )
    ike_crypto_profiles: Annotated[dict[ProperName, IkeCryptoProfile], Mapped] = Field(
        default_factory=dict, description="What is offered and accepted for IKE SAs, by name."
    )
    ipsec_crypto_profiles: Annotated[dict[ProperName, IpsecCryptoProfile], Mapped] = Field(
        default_factory=dict, description="What is offered and accepted for Child SAs, by name. Either `esp` or `ah`."
    )
    certificates: Annotated[dict[ProperName, Certificate], Mapped] = Field(
        default_factory=dict, description="Our own certificates, by name."
    )
    certificate_profiles: Annotated[dict[ProperName, CertificateProfile], Mapped] = Field(
        default_factory=dict, description="How certificates of peers are judged, by name."
    )
    ike_gateways: Annotated[dict[ProperName, IkeGateway], Mapped] = Field(
        default_factory=dict, description="The peers by name, and how we are to each other."
    )
    ipsec_tunnels: Annotated[dict[ProperName, IpsecTunnel], Mapped] = Field(
        default_factory=dict,
        description="The tunnels by name: one Child SA for each proxy ID. Either `ike-gateway` or `manual-key`. "
        "The names of a tunnel and a proxy ID have 63 characters at most together, with a colon between.",
    )
    monitor_profiles: Annotated[dict[ProperName, MonitorProfile], Mapped] = Field(
        default_factory=dict,
        description="When a monitored tunnel counts as failed, by name. `default` is there already.",
    )
