"""The data plane in user space: TUN devices, UDP and raw sockets, and the Rust core between them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from types import TracebackType
from typing import Self, assert_never

from isthmus import _esp
from isthmus.dataplane.backend import (
    Acquire,
    DataPlaneRefusal,
    FirstInbound,
    HardExpired,
    Notice,
    PeerMoved,
    SoftExpired,
)
from isthmus.model.address import NAT_T_PORT, Address, Datagram, Endpoint
from isthmus.model.plan import Mode
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import InboundSpi
from isthmus.model.sa_spec import (
    DataPlaneOp,
    Direction,
    InstallPolicy,
    InstallSa,
    PolicySpec,
    RemovePolicy,
    RemoveSa,
    SaCounters,
    SaId,
    SaLimits,
    SaSpec,
    UpdateSa,
)
from isthmus.model.selectors import TrafficSelector

_MOST_LANES = 4
"""Each is two threads, and a socket with its buffer for every local address."""

DROP_HELP = _esp.DROPS
"""Every drop code, and what it means to an operator."""


class UserspacePlane:
    """Implements `DataPlane`, and offers the runtime its interfaces, its sockets, and IKE on the NAT-T port.

    Interfaces and sockets are opened in the network namespace of the calling thread. `fileno` becomes readable when
    `notices` or `ike_datagrams` have something to give. Each of the `lanes` has a worker for each direction; tunnels
    are divided among them. Without `offload` every packet travels alone, as it does on systems that cannot do better:
    the measure of what the fast path may do.
    """

    def __init__(self, port: int = NAT_T_PORT, *, lanes: int | None = None, offload: bool = True) -> None:
        with _refusals():
            self._plane = _esp.Plane(port, lanes=lanes or fitting_lanes(), offload=offload)

    def apply(self, op: DataPlaneOp) -> None:
        try:
            self._carry_out(op)
        except _esp.Refused as refused:
            raise DataPlaneRefusal(str(refused)) from None

    def counters(self, sa: SaId) -> SaCounters:
        found = self._plane.counters(_key(sa))
        return SaCounters(*found) if found else SaCounters()

    def notices(self) -> Iterable[Notice]:
        return tuple(_notice(said) for said in self._plane.notices())

    def heard(self) -> Iterable[InboundSpi]:
        return tuple(InboundSpi(spi) for spi in self._plane.heard())

    def drops(self) -> dict[str, int]:
        return self._plane.drops()

    @property
    def keep_alives(self) -> int:
        """NAT keep-alives received so far."""
        return self._plane.keep_alives

    def close(self) -> None:
        self._plane.close()

    def fileno(self) -> int:
        return self._plane.fileno()

    def add_interface(self, name: str) -> None:
        """Makes a tunnel interface, down and without address. It vanishes with this process at the latest."""
        with _refusals():
            self._plane.add_interface(name)

    def remove_interface(self, name: str) -> None:
        self._plane.remove_interface(name)

    def listen(self, address: Address, device: str | None = None) -> None:
        """Opens the NAT-T port, ESP and AH on a local address; `device`: only through this interface of the host."""
        with _refusals():
            self._plane.listen(address, device)

    def unlisten(self, address: Address) -> None:
        self._plane.unlisten(address)

    def ike_datagrams(self) -> list[Datagram]:
        """IKE messages that came to the NAT-T port since the last call, without the non-ESP marker."""
        return [
            Datagram(Endpoint(*local), Endpoint(*remote), octets)
            for local, remote, octets in self._plane.ike_datagrams()
        ]

    def send_ike(self, local: Endpoint, remote: Endpoint, octets: bytes) -> None:
        """Sends an IKE message from the NAT-T port; the non-ESP marker is added here."""
        try:
            self._plane.send_ike((local.address, local.port), (remote.address, remote.port), octets)
        except _esp.Refused as refused:
            raise DataPlaneRefusal(str(refused)) from None

    def send_keep_alive(self, local: Endpoint, remote: Endpoint) -> None:
        with _refusals():
            self._plane.send_keep_alive(_endpoint(local), _endpoint(remote))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _carry_out(self, op: DataPlaneOp) -> None:
        match op:
            case InstallSa(spec):
                self._install(spec)
            case UpdateSa(sa, local, remote, udp):
                self._plane.update(_key(sa), _endpoint(local), _endpoint(remote), udp)
            case RemoveSa(sa):
                self._plane.remove(_key(sa))
            case InstallPolicy(policy):
                self._install_policy(policy)
            case RemovePolicy(child):
                self._plane.remove_policy(child)
            case _:
                assert_never(op)

    def _install(self, spec: SaSpec) -> None:
        if (spec.protocol == Protocol.ESP) != (spec.encryption is not None):
            raise DataPlaneRefusal("ESP has a cipher, be it null, and AH has none")
        if spec.udp and (spec.protocol == Protocol.AH or spec.mode is Mode.TRANSPORT):
            raise DataPlaneRefusal("only ESP in tunnel mode travels in UDP here")
        self._plane.install(
            direction=spec.direction.value,
            spi=spec.spi,
            child=spec.child,
            interface=spec.interface,
            local=_endpoint(spec.local),
            remote=_endpoint(spec.remote),
            udp=spec.udp,
            local_selectors=_ranges(spec.local_selectors),
            remote_selectors=_ranges(spec.remote_selectors),
            mode=spec.mode.value,
            encryption=spec.encryption.name if spec.encryption else None,
            encryption_key=spec.encryption_key.reveal(),
            integrity=spec.integrity.name if spec.integrity else None,
            integrity_key=spec.integrity_key.reveal(),
            esn=spec.esn,
            window=spec.replay_window,
            copy_dscp=spec.copy_tos,
            limits=_limits(spec.limits),
        )

    def _install_policy(self, policy: PolicySpec) -> None:
        self._plane.install_policy(
            policy.child,
            policy.interface,
            policy.order,
            _ranges(policy.local_selectors),
            _ranges(policy.remote_selectors),
        )


def fitting_lanes() -> int:
    """As many as the processors of this process carry: a lane keeps two of them busy at most."""
    return max(1, min(_MOST_LANES, len(os.sched_getaffinity(0)) // 2))


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except _esp.Refused as refused:
        raise DataPlaneRefusal(str(refused)) from None


def _notice(said: _esp._Notice) -> Notice:
    match said:
        case ("acquire", child, source, destination, protocol, source_port, destination_port):
            return Acquire(child, source, destination, protocol, source_port, destination_port)
        case ("soft-expired", sa):
            return SoftExpired(_id(sa))
        case ("hard-expired", sa):
            return HardExpired(_id(sa))
        case ("first-inbound", sa):
            return FirstInbound(_id(sa))
        case ("peer-moved", sa, remote):
            return PeerMoved(_id(sa), Endpoint(*remote))
        case _:
            assert_never(said)


def _key(sa: SaId) -> _esp._SaId:
    return sa.direction.value, sa.protocol.name.lower(), sa.spi, ip_address(sa.remote)


def _id(key: _esp._SaId) -> SaId:
    direction, protocol, spi, remote = key
    return SaId(Direction(direction), spi, str(remote), Protocol[protocol.upper()])


def _endpoint(endpoint: Endpoint) -> _esp._Endpoint:
    return endpoint.address, endpoint.port


def _ranges(selectors: Sequence[TrafficSelector]) -> list[_esp._Range]:
    return [(s.start, s.end, s.protocol, s.start_port, s.end_port) for s in selectors]


def _limits(limits: SaLimits) -> _esp._Limits:
    return limits.soft_octets, limits.hard_octets, limits.soft_packets, limits.hard_packets
