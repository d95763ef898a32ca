"""`ipsec-tunnels:` and `monitor-profiles:`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from isthmus.config.problems import CONFLICT
from isthmus.config.schema.noun import Flag, Mapped, Noun, exactly_one
from isthmus.config.values.kind import fault
from isthmus.config.values.network import WITH_PORTS, Addresses, AddressRange, HostAddress, IpProtocol, Ports
from isthmus.config.values.quantities import Duration, Hexadecimal, Whole, WholeOf
from isthmus.config.values.secrets import SecretSource, SecretValue
from isthmus.config.values.words import Choice, Name, OneOf, Reference
from isthmus.model import algorithms
from isthmus.model.address import Address
from isthmus.model.plan import Mode, Start
from isthmus.model.quantities import Seconds
from isthmus.model.selectors import ANY_PROTOCOL, MAX_PORT

_ANY_PORT = (0, MAX_PORT)
_MANUAL_CIPHERS = tuple(row.name for row in algorithms.ENCRYPTION if not row.aead)


class MonitorAction(StrEnum):
    WAIT_RECOVER = "wait-recover"
    FAIL_OVER = "fail-over"


class MonitorProfile(Noun):
    """When a tunnel counts as failed, and what then."""

    interval: Annotated[Seconds, Duration("2s", "100s")] = Field(Seconds(3.0), description="Time between probes.")
    threshold: Annotated[int, Whole(2, 10)] = Field(5, description="Lost probes in a row that mean failure.")
    action: Annotated[MonitorAction, Choice(MonitorAction)] = Field(
        MonitorAction.WAIT_RECOVER,
        description="`wait-recover` leaves the routes; `fail-over` takes the tunnel interface down.",
    )


class ProxyId(Noun):
    """Traffic that gets a Child SA of its own. IKEv1 uses it exactly, IKEv2 narrows it."""

    local: Annotated[AddressRange, Addresses()] = Field(description="Addresses on our side.")
    remote: Annotated[AddressRange, Addresses()] = Field(description="Addresses on the peer's side.")
    protocol: Annotated[int, IpProtocol()] = Field(ANY_PROTOCOL, description="The IP protocol.")
    local_port: Annotated[tuple[int, int], Ports()] = Field(_ANY_PORT, description="Ports on our side.")
    remote_port: Annotated[tuple[int, int], Ports()] = Field(_ANY_PORT, description="Ports on the peer's side.")

    @model_validator(mode="after")
    def _ports_need_a_protocol(self) -> ProxyId:
        for name, ports in (("local-port", self.local_port), ("remote-port", self.remote_port)):
            if ports != _ANY_PORT and self.protocol not in WITH_PORTS:
                raise fault(CONFLICT, f"{name} goes with the protocols tcp, udp and sctp", at=name)
        return self


class AntiReplay(Noun):
    """Refuses packets that were seen before (RFC 4303, 3.4.3)."""

    enabled: Flag = Field(True, description="Whether replayed packets are dropped.")
    window: Annotated[int, WholeOf(64, 128, 256, 512, 1024, 2048, 4096)] = Field(
        1024, description="How far, in packets, one may be overtaken by others."
    )


class Monitor(Noun):
    """Probes through the tunnel."""

    destination: Annotated[Address, HostAddress()] = Field(description="The address that is probed.")
    profile: Annotated[str, Reference("monitor-profiles")] = Field("default", description="When it counts as failed.")
    proxy_id: Annotated[str | None, Name()] = Field(
        None, description="The proxy ID that carries the probes; the first if left out."
    )


class ManualCipher(Noun):
    """A cipher and its key."""

    algorithm: Annotated[str, OneOf(_MANUAL_CIPHERS, "a cipher for manual keys")] = Field(description="The cipher.")
    key: Annotated[SecretSource | None, SecretValue()] = Field(None, description="Its key; `null` has none.")


class ManualIntegrity(Noun):
    """An authentication algorithm and its key."""

    algorithm: Annotated[str, OneOf(algorithms.INTEGRITY_BY_NAME, "an authentication algorithm")] = Field(
        description="The algorithm."
    )
    key: Annotated[SecretSource, SecretValue()] = Field(description="Its key.")


class ManualEsp(Noun):
    """ESP with keys by hand."""

    encryption: ManualCipher = Field(description="How it is encrypted.")
    authentication: Annotated[ManualIntegrity | None, Mapped] = Field(None, description="How it is authenticated.")


class ManualAh(Noun):
    """AH with keys by hand."""

    authentication: ManualIntegrity = Field(description="How it is authenticated.")


class ManualKey(Noun):
    """SAs without IKE."""

    interface: Annotated[str, Reference("interfaces")] = Field(description="The interface of the host that faces it.")
    local_address: Annotated[Address | None, HostAddress()] = Field(None, description="Our address towards it.")
    peer_address: Annotated[Address, HostAddress()] = Field(description="Its address.")
    local_spi: Annotated[int, Hexadecimal(0x1000, 0x1FFFFFFF)] = Field(description="SPI of the packets that we send.")
    remote_spi: Annotated[int, Hexadecimal(0x1000, 0x1FFFFFFF)] = Field(description="SPI of those that we receive.")
    esp: Annotated[ManualEsp | None, Mapped] = Field(None, description="Encrypts and authenticates.")
    ah: Annotated[ManualAh | None, Mapped] = Field(None, description="Authenticates only.")

    @model_validator(mode="after")
    def _esp_or_ah(self) -> ManualKey:
        exactly_one(self, "esp", "ah")
        return self


class IpsecTunnel(Noun):
    """A tunnel: one Child SA for each proxy ID."""

    tunnel_interface: Annotated[str, Reference("interfaces")] = Field(
        description="The interface that packets are routed to: `tunnel.N`."
    )
    ike_gateway: Annotated[str | None, Reference("ike-gateways")] = Field(None, description="The gateway that keys it.")
    manual_key: Annotated[ManualKey | None, Mapped] = Field(None, description="Keys by hand, instead of a gateway.")
    ipsec_crypto_profile: Annotated[str, Reference("ipsec-crypto-profiles")] = Field(
        "default", description="What protects the traffic."
    )
    mode: Annotated[Mode, Choice(Mode)] = Field(
        Mode.TUNNEL, description="`transport` protects traffic between the two gateways themselves."
    )
    proxy_ids: Annotated[dict[Annotated[str, Name()], ProxyId], Mapped] = Field(
        default_factory=dict,
        description="Traffic that it carries, by name; none: everything of IPv4. At most 250 on one tunnel interface.",
    )
    anti_replay: AntiReplay = Field(
        default_factory=lambda: AntiReplay.model_validate({}), description="Protection against replayed packets."
    )
    copy_tos: Flag = Field(False, description="Whether DSCP and ECN are copied to the outer header.")
    start: Annotated[Start, Choice(Start)] = Field(
        Start.IMMEDIATE, description="`on-demand` waits for the first packet."
    )
    disabled: Flag = Field(False, description="Whether the tunnel is configured but not to be used.")
    monitor: Annotated[Monitor | None, Mapped] = Field(None, description="Probes through the tunnel.")

    @model_validator(mode="after")
    def _keyed_one_way(self) -> IpsecTunnel:
        exactly_one(self, "ike_gateway", "manual_key")
        return self
