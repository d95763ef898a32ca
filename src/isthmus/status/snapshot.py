"""Rows built from the engine's views, the data plane's counters and the plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import assert_never

from isthmus.engine.views import ChildView, IkeSaView, TunnelView
from isthmus.model.plan import DynamicPeer, FixedPeer, NamedPeer, PeerAddress, PeerPlan, Plan, PreSharedKey, Version
from isthmus.model.sa_spec import SaCounters, SaId
from isthmus.status.moment import Moment
from isthmus.status.rows import GatewayRow, IkeSaRow, IpsecSaRow, TunnelRow

_BEST_FIRST = ("established", "rekeying", "connecting", "deleting")


def ike_sa_row(ike: IkeSaView, moment: Moment) -> IkeSaRow:
    suite = ike.suite
    return IkeSaRow(
        gateway=ike.peer,
        version=ike.version.value,
        role=ike.role,
        state=ike.state,
        local=str(ike.local),
        remote=str(ike.remote),
        local_id=ike.local_id,
        remote_id=ike.remote_id,
        initiator_spi=f"0x{ike.initiator_spi.hex()}",
        responder_spi=f"0x{ike.responder_spi.hex()}",
        encryption=suite.encryption.name if suite and suite.encryption else None,
        integrity=suite.integrity.name if suite and suite.integrity else None,
        prf=suite.prf.name if suite and suite.prf else None,
        dh_group=suite.ke.name if suite and suite.ke else None,
        nat=ike.nat,
        established_at=None if ike.established_at is None else moment.iso(ike.established_at),
        rekey_in=moment.until(ike.rekey_at),
        reauth_in=moment.until(ike.reauth_at),
        children=[child.name for child in ike.children],
        vendors=list(ike.vendors),
    )


def ipsec_sa_row(child: ChildView, counters: Callable[[SaId], SaCounters], moment: Moment) -> IpsecSaRow:
    received, sent, suite = counters(child.inbound), counters(child.outbound), child.suite
    return IpsecSaRow(
        tunnel=child.tunnel,
        proxy_id=child.proxy_id,
        gateway=child.peer,
        protocol=child.protocol.name.lower(),
        mode=child.mode.value,
        encapsulation="udp" if child.udp else "none",
        state=child.state,
        spi_in=f"0x{child.spi_in:08x}",
        spi_out=f"0x{child.spi_out:08x}",
        encryption=suite.encryption.name if suite.encryption else None,
        integrity=suite.integrity.name if suite.integrity else None,
        dh_group=suite.ke.name if suite.ke else None,
        esn=suite.esn,
        local_ts=[str(selector) for selector in child.local_ts],
        remote_ts=[str(selector) for selector in child.remote_ts],
        bytes_in=received.octets,
        bytes_out=sent.octets,
        packets_in=received.packets,
        packets_out=sent.packets,
        replay_window=child.replay_window,
        replayed=received.replayed,
        integrity_failed=received.integrity_failed,
        established_at=moment.iso(child.established_at),
        rekey_in=moment.until(child.rekey_at),
        expires_in=moment.until(child.expires_at),
    )


def tunnel_row(tunnel: TunnelView, plan: Plan) -> TunnelRow:
    interface = plan.interfaces.get(tunnel.interface)
    return TunnelRow(
        tunnel=tunnel.tunnel,
        proxy_id=tunnel.proxy_id,
        interface=tunnel.interface,
        gateway=tunnel.peer,
        state=tunnel.state,
        reason=tunnel.reason,
        # Until the plan carries monitors, none is configured: refused at load.
        monitor="off",
        zone=interface.zone if interface else None,
        virtual_router=interface.virtual_router if interface else None,
    )


def gateway_rows(plan: Plan, ike_sas: Iterable[IkeSaView]) -> list[GatewayRow]:
    """One for each configured peer, in the order of the configuration."""
    best: dict[str | None, IkeSaView] = {}
    for ike in sorted(ike_sas, key=lambda ike: -_BEST_FIRST.index(ike.state)):
        best[ike.peer] = ike
    tunnels: dict[str, list[str]] = defaultdict(list)
    for tunnel in plan.tunnels.values():
        tunnels[tunnel.peer].append(tunnel.name)
    return [_gateway_row(peer, best.get(peer.name), tunnels[peer.name]) for peer in plan.peers.values()]


def _gateway_row(peer: PeerPlan, best: IkeSaView | None, tunnels: list[str]) -> GatewayRow:
    spoken = best.version if best is not None else None
    by_ikev1 = Version.IKEV1 in (spoken, peer.version) and peer.ikev1 is not None
    return GatewayRow(
        gateway=peer.name,
        version=peer.version.value,
        spoken=spoken.value if spoken is not None else None,
        state=best.state if best is not None else "down",
        interface=peer.interface,
        local=str(peer.local),
        peer=_address(peer.address),
        local_id=str(peer.local_id),
        peer_id=str(peer.peer_id) if peer.peer_id else None,
        authentication=_authentication(peer.authentication),
        profile=peer.ikev1.profile.name if by_ikev1 and peer.ikev1 is not None else peer.profile.name,
        passive=peer.passive,
        tunnels=tunnels,
    )


def _address(address: PeerAddress) -> str:
    match address:
        case FixedPeer():
            return str(address.address)
        case NamedPeer():
            return address.name
        case DynamicPeer():
            return "dynamic"
        case _:
            assert_never(address)


def _authentication(authentication: PreSharedKey) -> str:
    match authentication:
        case PreSharedKey():
            return "pre-shared-key"
        case _:
            assert_never(authentication)
