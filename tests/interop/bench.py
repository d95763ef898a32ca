"""Two gateways with a LAN host behind each, and a router between them.

left_host --- left --- middle --- right --- right_host
10.1.0.2   192.0.2.1          198.51.100.2   10.2.0.2
10.3.0.2                                     10.4.0.2
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address, ip_interface, ip_network
from typing import Self

from isthmus.lab.namespaces import Namespace, Playground
from tests.interop.echo import answered

LEFT = ip_address("192.0.2.1")
RIGHT = ip_address("198.51.100.2")
LEFT_LANS = (IPv4Network("10.1.0.0/24"), IPv4Network("10.3.0.0/24"))
RIGHT_LANS = (IPv4Network("10.2.0.0/24"), IPv4Network("10.4.0.0/24"))
_ROUTER = ip_address("169.254.0.1")
_NUMBERS = itertools.count()


@dataclass
class Bench:
    left_host: Namespace
    left: Namespace
    middle: Namespace
    right: Namespace
    right_host: Namespace

    @classmethod
    def on(cls, playground: Playground) -> Self:
        number = next(_NUMBERS)
        bench = cls(
            *(
                playground.namespace(f"{number}-{name}")
                for name in ("left-host", "left", "middle", "right", "right-host")
            )
        )
        bench.middle.forward()
        for side, gateway, address in (("left", bench.left, LEFT), ("right", bench.right, RIGHT)):
            gateway.forward()
            gateway.cable("eth0", bench.middle, side)
            gateway.address("eth0", ip_interface(f"{address}/32"))
            gateway.route(ip_network(f"{_ROUTER}/32"), "eth0")
            gateway.route(IPv4Network("0.0.0.0/0"), "eth0", via=_ROUTER)
            bench.middle.address(side, ip_interface(f"{_ROUTER}/32"))
            bench.middle.route(ip_network(f"{address}/32"), side)
        for gateway, host, lans in (
            (bench.left, bench.left_host, LEFT_LANS),
            (bench.right, bench.right_host, RIGHT_LANS),
        ):
            gateway.cable("eth1", host, "eth0")
            for lan in lans:
                gateway.address("eth1", ip_interface(f"{lan[1]}/{lan.prefixlen}"))
                host.address("eth0", ip_interface(f"{lan[2]}/{lan.prefixlen}"))
            host.route(IPv4Network("0.0.0.0/0"), "eth0", via=lans[0][1])
        return bench

    def pings(self, lan: int = 0, count: int = 4, size: int = 56) -> tuple[int, int]:
        """How many of `count` echo requests were answered: from left to right, and from right to left."""
        left, right = LEFT_LANS[lan][2], RIGHT_LANS[lan][2]
        return (
            answered(self.left_host, str(left), str(right), count, size),
            answered(self.right_host, str(right), str(left), count, size),
        )
