"""nft(8) with its JSON: whole tables of our own, each replaced or removed in one transaction."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

FAMILY = "inet"
TIME_LIMIT = 10
"""Seconds; nft answers within milliseconds unless the kernel is in trouble."""

_PLACES = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin"

Object = dict[str, Any]
"""One set, chain or rule, without its family and table."""


class NftRefusal(Exception):
    """nft is not there, or did not do it; nothing was changed."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is all ours."""

    name: str

    def __str__(self) -> str:
        return f"table {FAMILY} {self.name}"

    @property
    def present(self) -> bool:
        """Whether it stands, from this run or an earlier one."""
        nft = _nft()
        return nft is not None and _call([nft, "list", "table", FAMILY, self.name], None).returncode == 0

    def replace(self, objects: Iterable[Object]) -> None:
        """Exactly these are in it."""
        _run(self.commands(objects))

    def remove(self) -> bool:
        """Says whether there was one."""
        if not self.present:
            return False
        _run({"nftables": [{"delete": self._named}]})
        return True

    def commands(self, objects: Iterable[Object]) -> Object:
        """One transaction: adding before deleting makes the deletion valid where there was no table."""
        own = {"family": FAMILY, "table": self.name}
        added = [{"add": {kind: {**own, **body}}} for one in objects for kind, body in one.items()]
        return {"nftables": [{"add": self._named}, {"delete": self._named}, {"add": self._named}, *added]}

    @property
    def _named(self) -> Object:
        return {"table": {"family": FAMILY, "name": self.name}}


def _run(commands: Object) -> None:
    nft = _nft()
    if nft is None:
        raise NftRefusal("the command nft is not installed")
    done = _call([nft, "-j", "-f", "-"], json.dumps(commands))
    if done.returncode != 0:
        complaint = (done.stderr.strip() or done.stdout.strip() or f"nft ended with {done.returncode}").splitlines()
        raise NftRefusal(complaint[0])


def _call(command: list[str], text: str | None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NftRefusal(str(error)) from error


def _nft() -> str | None:
    # A service's PATH often lacks the sbin directories.
    return shutil.which("nft", path=_PLACES) or shutil.which("nft")
