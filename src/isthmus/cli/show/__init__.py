"""`isthmus show`: state, one file for each kind."""

from __future__ import annotations

from typing import ClassVar

import typer

from isthmus.cli.lazy import LazyVerbs


class Kinds(LazyVerbs):
    verbs: ClassVar[dict[str, str]] = {
        "ike-sa": "isthmus.cli.show.ike_sa:ike_sa",
        "ipsec-sa": "isthmus.cli.show.ipsec_sa:ipsec_sa",
        "tunnels": "isthmus.cli.show.tunnels:tunnels",
        "gateways": "isthmus.cli.show.gateways:gateways",
        "events": "isthmus.cli.show.events:events",
        "vpn": "isthmus.cli.show:vpn",
    }


class VpnKinds(LazyVerbs):
    verbs: ClassVar[dict[str, str]] = {
        "ike-sa": "isthmus.cli.show.ike_sa:ike_sa",
        "ipsec-sa": "isthmus.cli.show.ipsec_sa:ipsec_sa",
        "tunnel": "isthmus.cli.show.tunnels:tunnels",
        "flow": "isthmus.cli.show.tunnels:tunnels",
        "gateway": "isthmus.cli.show.gateways:gateways",
    }


app = typer.Typer(cls=Kinds, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
vpn = typer.Typer(cls=VpnKinds, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def kinds() -> None:
    """State of the running gateway."""


@vpn.callback()
def vpn_kinds() -> None:
    """The same, spelt as `show vpn ...` of other gateways."""
