"""What is valid and does not work yet. It is refused at its line, never ignored; a row goes when its feature comes."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.config.problems import NOT_SUPPORTED, Problems
from isthmus.config.tree import MappingNode, ScalarNode, find, is_empty


@dataclass(frozen=True, slots=True)
class Row:
    """A place in the configuration; `*` stands for any name or index."""

    path: str
    what: str
    values: frozenset[str] | None = None
    """Only these values; None: any."""
    other_than: str | None = None
    """Only names other than this."""


UNSUPPORTED: tuple[Row, ...] = (
    Row("virtual-routers/*", "virtual routers other than default", other_than="default"),
    Row("virtual-routers/*/static-routes/*/path-monitor", "path monitoring"),
    Row("security-policies", "security policies"),
    Row("certificates", "certificates"),
    Row("certificate-profiles", "certificates"),
    Row("monitor-profiles", "tunnel monitoring"),
    Row("ike-gateways/*/authentication/certificate", "authentication by certificate"),
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
            place = node.place if row.values is not None else key
            problems.add(NOT_SUPPORTED, place, f"not yet supported: {row.what}")
