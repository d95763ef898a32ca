"""What is valid and does not work yet. It is refused at its line, never ignored; a row goes when its feature comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from isthmus.config.problems import NOT_SUPPORTED, Problems
from isthmus.config.tree import MappingNode, Node, Path, ScalarNode, find, is_empty, plain
from isthmus.model import algorithms


@dataclass(frozen=True, slots=True)
class Row:
    """A place in the configuration; `*` stands for any name or index."""

    path: str
    what: str
    values: frozenset[str] | None = None
    """Only these values; None: any."""
    beside: Callable[[object], bool] | None = None
    """Only where this holds of the noun around it."""
    other_than: str | None = None
    """Only names other than this."""


def _bare_cipher(esp: object) -> bool:
    """Whether a cipher that is no AEAD would go out without authentication."""
    match esp:
        case {"encryption": list(ciphers), "authentication": list(hashes)} if "none" in hashes:
            rows = [algorithms.ENCRYPTION_BY_NAME.get(str(cipher)) for cipher in ciphers]
            known = [row for row in rows if row is not None]
            # With an AEAD beside it, `none` is for that one, and the others serve the rest.
            served = any(row.aead for row in known) and hashes != ["none"]
            return any(not row.aead for row in known) and not served
    return False


UNSUPPORTED: tuple[Row, ...] = (
    Row("virtual-routers/*", "virtual routers other than default", other_than="default"),
    Row("virtual-routers/*/static-routes/*/path-monitor", "path monitoring"),
    Row("security-policies", "security policies"),
    Row("certificates", "certificates"),
    Row("certificate-profiles", "certificates"),
    Row("monitor-profiles", "tunnel monitoring"),
    Row("ipsec-crypto-profiles/*/ah", "AH"),
    Row("ipsec-crypto-profiles/*/esp/authentication", "ESP without authentication", beside=_bare_cipher),
    Row("ike-gateways/*/authentication/certificate", "authentication by certificate"),
    Row("ipsec-tunnels/*/manual-key", "manual keys"),
    Row("ipsec-tunnels/*/mode", "transport mode", values=frozenset({"transport"})),
    Row("ipsec-tunnels/*/monitor", "tunnel monitoring"),
)


def refuse_unsupported(root: MappingNode, problems: Problems) -> None:
    """Reports whatever of the table is written in this configuration."""
    for row in UNSUPPORTED:
        for path, key, node in find(root, row.path):
            if is_empty(node) and row.other_than is None:
                continue
            if row.other_than is not None and path[-1] == row.other_than:
                continue
            if row.values is not None and not (isinstance(node, ScalarNode) and node.text in row.values):
                continue
            if row.beside is not None and not row.beside(_around(root, path)):
                continue
            place = node.place if row.values is not None else key
            problems.add(NOT_SUPPORTED, place, f"not yet supported: {row.what}")


def _around(root: MappingNode, path: Path) -> object:
    node: Node = root
    for step in path[:-1]:
        if isinstance(node, MappingNode):
            node = node.entries[str(step)].value
    return plain(node)
