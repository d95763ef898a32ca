"""Rules about interfaces, zones and settings."""

from __future__ import annotations

from isthmus.config.problems import (
    COOKIE_THRESHOLD,
    DUPLICATE,
    INTERFACE_KIND,
    INTERFACE_UNPLACED,
    ZONES_NOT_ENFORCED,
)
from isthmus.config.rules.scope import Scope, is_tunnel
from isthmus.model.plan import InterfaceAddress


def a_tunnel_interface_has_a_zone_and_a_router(scope: Scope) -> None:
    for name, interface in scope.configuration.interfaces.items():
        lacking = [
            what
            for what, value in (("zone", interface.zone), ("virtual-router", interface.virtual_router))
            if value is None
        ]
        if is_tunnel(name) and lacking:
            text = f"{name} lacks its {' and its '.join(lacking)}: a tunnel interface has both"
            scope.at_key(INTERFACE_UNPLACED, ("interfaces", name), text)


def the_host_addresses_its_own_interfaces(scope: Scope) -> None:
    for name in scope.configuration.interfaces:
        for option in ("address", "mtu"):
            path = ("interfaces", name, option)
            if not is_tunnel(name) and scope.places.has(*path):
                text = f"{option} is for tunnel interfaces; {name} is the host's, which sets it"
                scope.at_key(INTERFACE_KIND, path, text)


def an_address_belongs_to_one_interface(scope: Scope) -> None:
    owners: dict[InterfaceAddress, str] = {}
    for name, interface in scope.configuration.interfaces.items():
        for index, address in enumerate(interface.address):
            owner = owners.setdefault(address, name)
            if owner != name:
                path = ("interfaces", name, "address", index)
                scope.at_value(DUPLICATE, path, f"{address} is already the address of {owner}")


def the_cookie_threshold_is_below_the_maximum(scope: Scope) -> None:
    settings = scope.configuration.settings
    threshold, maximum = settings.cookie_activation_threshold, settings.maximum_half_opened_sa
    if threshold < maximum:
        return
    option = "cookie-activation-threshold"
    if not scope.places.has("settings", option):
        option = "maximum-half-opened-sa"
    text = f"no cookie is ever asked for: the threshold, {threshold}, is not below the half-open maximum, {maximum}"
    scope.at_value(COOKIE_THRESHOLD, ("settings", option), text)


def zones_are_not_enforced_yet(scope: Scope) -> None:
    if scope.configuration.zones:
        text = "zones are recorded and shown, but traffic between them is not filtered yet"
        scope.at_key(ZONES_NOT_ENFORCED, ("zones",), text)


RULES = (
    a_tunnel_interface_has_a_zone_and_a_router,
    the_host_addresses_its_own_interfaces,
    an_address_belongs_to_one_interface,
    the_cookie_threshold_is_below_the_maximum,
    zones_are_not_enforced_yet,
)
