"""`isthmus show`: state, one file for each kind."""

from __future__ import annotations

from typing import ClassVar

import typer

from isthmus.cli.lazy import LazyVerbs, Verb

_IKE_SA = Verb("isthmus.cli.show.ike_sa:ike_sa", "IKE SAs: all, or in detail those with one gateway.")
_IPSEC_SA = Verb("isthmus.cli.show.ipsec_sa:ipsec_sa", "Child SAs: all, or in detail those of one tunnel.")
_TUNNELS = Verb("isthmus.cli.show.tunnels:tunnels", "Every configured tunnel and proxy ID, up or not, and why not.")
_GATEWAYS = Verb("isthmus.cli.show.gateways:gateways", "Every configured gateway, and the state of its IKE SA.")
_EVENTS = Verb("isthmus.cli.show.events:events", "What happened, oldest first.")
_VPN = Verb("isthmus.cli.show:vpn", "The same, spelt as `show vpn ...` of other gateways.")


class Kinds(LazyVerbs):
    verbs: ClassVar[dict[str, Verb]] = {
        "ike-sa": _IKE_SA,
        "ipsec-sa": _IPSEC_SA,
        "tunnels": _TUNNELS,
        "gateways": _GATEWAYS,
        "events": _EVENTS,
        "vpn": _VPN,
    }


class VpnKinds(LazyVerbs):
    verbs: ClassVar[dict[str, Verb]] = {
        "ike-sa": _IKE_SA,
        "ipsec-sa": _IPSEC_SA,
        "tunnel": _TUNNELS,
        "flow": _TUNNELS,
        "gateway": _GATEWAYS,
    }


app = typer.Typer(cls=Kinds, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
vpn = typer.Typer(cls=VpnKinds, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def kinds() -> None:
    """State of the running gateway."""


@vpn.callback()
def vpn_kinds() -> None:
    """The same, spelt as `show vpn ...` of other gateways."""
