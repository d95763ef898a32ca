"""The rows of `show`, field by field as `--json` has them. Names and types are a promise; fields may be added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True, slots=True)
class IkeSaRow:
    """One IKE SA."""

    gateway: Annotated[str | None, "name in `ike-gateways`; null while a responder does not know yet who speaks"]
    version: Annotated[str, "`ikev1` or `ikev2`"]
    role: Annotated[str, "`initiator` or `responder`: which end began the IKE SA"]
    state: Annotated[str, "`connecting`, `established`, `rekeying` or `deleting`"]
    local: Annotated[str, "our address and port: `192.0.2.1:500`, `[2001:db8::1]:4500`"]
    remote: Annotated[str, "the peer's address and port"]
    local_id: Annotated[str | None, "our identity, with its type: `fqdn:hq.example`"]
    remote_id: Annotated[str | None, "the identity that the peer proved; null before it did"]
    initiator_spi: Annotated[str, "`0x` and 16 hex digits"]
    responder_spi: Annotated[str, "`0x` and 16 hex digits; all zero before the responder chose one"]
    encryption: Annotated[str | None, "as the configuration spells it; null before a suite was chosen"]
    integrity: Annotated[str | None, "null for an AEAD, which needs none"]
    prf: Annotated[str | None, "pseudo-random function: `sha256`"]
    dh_group: Annotated[str | None, "key exchange method: `group31`"]
    nat: Annotated[str, "behind a NAT: `none`, `local`, `remote` or `both`"]
    established_at: Annotated[str | None, "ISO 8601, UTC"]
    rekey_in: Annotated[int | None, "seconds; null where none is due"]
    reauth_in: Annotated[int | None, "seconds; null where none is due"]
    children: Annotated[list[str], "its Child SAs by name, `tunnel` or `tunnel:proxy-id`; twice while one is rekeyed"]
    vendors: Annotated[list[str], "what the peer announced by vendor IDs: `DPD`, `strongSwan`; unknown ones in hex"]


@dataclass(frozen=True, slots=True)
class IpsecSaRow:
    """One Child SA: an inbound and an outbound IPsec SA."""

    tunnel: Annotated[str, "name in `ipsec-tunnels`"]
    proxy_id: Annotated[str | None, "name in its `proxy-ids`; null where none is configured"]
    gateway: Annotated[str | None, "name in `ike-gateways`; null with manual keys"]
    protocol: Annotated[str, "`esp` or `ah`"]
    mode: Annotated[str, "`tunnel` or `transport`"]
    encapsulation: Annotated[str, "`udp` or `none`"]
    state: Annotated[str, "`installing`, `installed`, `rekeying`, `rekeyed` (its successor carries) or `deleting`"]
    spi_in: Annotated[str, "ours: `0xc94d2f01`"]
    spi_out: Annotated[str, "the peer's"]
    encryption: Annotated[str | None, "as the configuration spells it; null for AH"]
    integrity: Annotated[str | None, "null for an AEAD, which needs none"]
    dh_group: Annotated[str | None, "null where the IKE SA's own key exchange served"]
    esn: Annotated[bool, "extended sequence numbers"]
    local_ts: Annotated[list[str], "traffic selectors on our side: `10.1.0.0/16`, `10.1.0.7[tcp/443]`"]
    remote_ts: Annotated[list[str], "traffic selectors on the peer's side"]
    bytes_in: Annotated[int, "octets of inner packets received"]
    bytes_out: Annotated[int, "octets of inner packets sent"]
    packets_in: Annotated[int, "packets received"]
    packets_out: Annotated[int, "packets sent"]
    replay_window: Annotated[int, "packets; 0: no anti-replay"]
    replayed: Annotated[int, "packets dropped as replayed"]
    integrity_failed: Annotated[int, "packets dropped for a wrong ICV"]
    established_at: Annotated[str, "ISO 8601, UTC"]
    rekey_in: Annotated[int | None, "seconds; null where none is due"]
    expires_in: Annotated[int | None, "seconds; null where it never does"]


@dataclass(frozen=True, slots=True)
class TunnelRow:
    """One configured proxy ID of a tunnel (or a tunnel without any), up or not."""

    tunnel: Annotated[str, "name in `ipsec-tunnels`"]
    proxy_id: Annotated[str | None, "name in its `proxy-ids`; null where none is configured"]
    interface: Annotated[str, "tunnel interface"]
    gateway: Annotated[str | None, "name in `ike-gateways`; null with manual keys"]
    state: Annotated[str, "`up`, `negotiating`, `down` or `disabled`"]
    reason: Annotated[str | None, "why it is not up, in one line; null where it is"]
    monitor: Annotated[str, "`up`, `down` or `off`"]
    zone: Annotated[str | None, "zone of the tunnel interface"]
    virtual_router: Annotated[str | None, "virtual router of the tunnel interface"]


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """One configured peer."""

    gateway: Annotated[str, "name in `ike-gateways`"]
    version: Annotated[str, "`ikev1`, `ikev2` or `ikev2-preferred`, as configured"]
    spoken: Annotated[str | None, "of its best IKE SA: `ikev1` or `ikev2`; null without one"]
    state: Annotated[str, "of its best IKE SA: `established`, `rekeying`, `connecting`, `deleting`; `down` without one"]
    interface: Annotated[str, "interface of the host towards it"]
    local: Annotated[str, "our address"]
    peer: Annotated[str, "the peer's address, its name, or `dynamic`"]
    local_id: Annotated[str, "our identity, with its type"]
    peer_id: Annotated[str | None, "the identity that it must prove; null: its address"]
    authentication: Annotated[str, "`pre-shared-key`"]
    profile: Annotated[str, "name of the IKE crypto profile: that of `spoken`, else that of the preferred version"]
    passive: Annotated[bool, "we never begin"]
    tunnels: Annotated[list[str], "names of its tunnels"]


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of the journal."""

    number: Annotated[int, "rises by one with each event; pass the last one as `--after` to read on"]
    at: Annotated[str, "ISO 8601, UTC, milliseconds"]
    severity: Annotated[str, "`debug`, `info`, `notice`, `warning` or `error`"]
    code: Annotated[str, "what kind of event: `child.installed`"]
    gateway: Annotated[str | None, "name in `ike-gateways`, once known"]
    ike: Annotated[str | None, "IKE SA, both SPIs in hex"]
    child: Annotated[str | None, "`tunnel` or `tunnel:proxy-id`"]
    text: Annotated[str, "the story in one line"]
    fields: Annotated[dict[str, object], "what is particular to this code"]


@dataclass(frozen=True, slots=True)
class Overview:
    """The gateway on one screen."""

    version: Annotated[str, "of Isthmus"]
    started_at: Annotated[str, "ISO 8601, UTC"]
    uptime: Annotated[int, "seconds"]
    gateways_established: Annotated[int, "configured gateways with an established IKE SA"]
    gateways_configured: Annotated[int, "all of them"]
    tunnels_up: Annotated[int, "configured proxy IDs that are up"]
    tunnels_configured: Annotated[int, "all of them, those disabled too"]
    half_open: Annotated[int, "IKE SAs that somebody began with us and has not authenticated"]
    gateways: Annotated[list[GatewayRow], "as `show gateways`"]
    tunnels: Annotated[list[TunnelRow], "as `show tunnels`"]
    trouble: Annotated[list[EventRow], "the last warnings and errors, oldest first, each text once"]
