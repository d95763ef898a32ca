"""Where the process has its plan from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from isthmus.config import compile as compiling
from isthmus.config.load import load
from isthmus.config.problems import Problem
from isthmus.model.plan import Plan
from isthmus.network import host


class ConfigurationInvalid(Exception):
    """The configuration cannot be used; the problems say why."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Configured:
    """What came of reading a configuration. Problems stand beside a plan, too: then they are warnings."""

    plan: Plan | None
    problems: tuple[Problem, ...] = ()

    def required(self) -> Plan:
        """The plan, or `ConfigurationInvalid`."""
        if self.plan is None:
            raise ConfigurationInvalid(self.problems)
        return self.plan


Source: TypeAlias = Callable[[Path], Configured]


def read(path: Path) -> Configured:
    """The plan of one file or of a directory of them. Blocks: on files, and on the kernel for our addresses."""
    # A file may leave out the local address of a thousand gateways on one interface.
    compiled = compiling.compile(load(path), functools.cache(host.addresses))
    return Configured(compiled.plan, compiled.problems)
