"""`isthmus lab` and `isthmus demo`: the sites of configuration files as namespaces on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.exit import ExitStatus, Failure
from isthmus.cli.screen import console

if TYPE_CHECKING:
    from isthmus.model.plan import Plan

Keep = Annotated[bool, typer.Option("--keep", help="Leave it standing until Ctrl-C, and say how to look inside.")]
CaptureFile = Annotated[
    Path | None, typer.Option("--capture", "-w", metavar="FILE", help="Write what crossed the wire to a pcap file.")
]

Patience = Annotated[float, typer.Option(min=1, max=3600, help="Seconds that the tunnels may take to come up.")]


def lab(
    sites: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...|DIR", help="One configuration file for each site, or directories of such files."
        ),
    ],
    keep: Keep = False,
    capture: CaptureFile = None,
    patience: Patience = 60.0,
) -> None:
    """Stand up the sites of these files in network namespaces, joined by a wire, with traffic between them."""
    _tell(_sites(sites), keep=keep, capture=capture, patience=patience)


def demo(keep: Keep = False, capture: CaptureFile = None) -> None:
    """Two sites on this machine, a tunnel between them, and proof that only ESP crosses the wire."""
    with as_file(files("isthmus.lab") / "examples" / "two-sites") as directory:
        _tell(_sites([directory]), keep=keep, capture=capture, patience=60.0)


def _sites(paths: Iterable[Path]) -> dict[str, Path]:
    """The sites by name: a file stands for one, a directory for one with each of its files."""
    found: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise Failure(ExitStatus.NOT_FOUND, f"{path}: there is no such file or directory")
        for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
            if found.setdefault(file.stem, file) != file:
                raise Failure(ExitStatus.USAGE, f"{found[file.stem]} and {file} would both be the site {file.stem}")
    if len(found) < 2:
        raise Failure(ExitStatus.USAGE, f"a lab needs two sites at least, here are {len(found)}: give more files")
    return found


def _tell(sites: dict[str, Path], *, keep: bool, capture: Path | None, patience: float) -> None:
    plans = {name: plan_of(file) for name, file in sites.items()}
    if os.geteuid() != 0:
        raise Failure(ExitStatus.NO_PERMISSION, "network namespaces need root: try the same with sudo")
    # Imported here: netlink's tables take half a second, and a mistake in a file needs none of them.
    from isthmus.lab.story import Wishes, tell
    from isthmus.lab.topology import CannotStage, stage

    try:
        topology = stage(plans)
    except CannotStage as error:
        raise Failure(ExitStatus.CONFIGURATION_INVALID, error.why) from None
    try:
        went_well = tell(topology, sites, Wishes(keep=keep, capture=capture, patience=patience), console())
    except KeyboardInterrupt:
        raise Failure(ExitStatus.FAILED, "interrupted; everything is removed") from None
    if not went_well:
        raise typer.Exit(ExitStatus.FAILED)


def plan_of(file: Path) -> Plan:
    """The plan of one file; what is wrong with it goes to stderr, and ends the verb."""
    from isthmus.config.compile import compile as compile_plan
    from isthmus.config.load import load

    # No interface exists yet: each gateway must say its address.
    compiled = compile_plan(load(file), host=lambda interface: ())
    if compiled.plan is None:
        for problem in compiled.problems:
            print(problem, file=sys.stderr)
        raise Failure(ExitStatus.CONFIGURATION_INVALID, f"{file} cannot be used")
    return compiled.plan
