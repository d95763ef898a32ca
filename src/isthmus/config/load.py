"""Text to a checked configuration. Everything that is wrong with it is found here, all at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isthmus.config.manual_keys import decoded
from isthmus.config.merge import merge
from isthmus.config.parse import parse
from isthmus.config.place import Place
from isthmus.config.problems import NO_SECRET, WEAK_SECRET, Problem, Problems, Severity
from isthmus.config.profiles import built_in_names
from isthmus.config.rules import check_rules
from isthmus.config.rules.scope import Scope
from isthmus.config.schema.configuration import Configuration
from isthmus.config.secrets import Secrets
from isthmus.config.sources import read_sources
from isthmus.config.strength import ENOUGH_BITS, guessing_bits
from isthmus.config.tree import MappingNode, Places
from isthmus.config.tree import Path as TreePath
from isthmus.config.unsupported import refuse_unsupported
from isthmus.config.validate import defined_names, validate
from isthmus.config.values.kind import Context
from isthmus.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Document:
    """A configuration as it was read. Where it is not `valid`, `configuration` holds what is sound of it."""

    configuration: Configuration
    secrets: Mapping[TreePath, Secret]
    places: Places
    problems: tuple[Problem, ...]

    @property
    def valid(self) -> bool:
        """Whether it may be used: warnings do not stand in the way."""
        return not any(problem.code.severity is Severity.ERROR for problem in self.problems)


def load(path: Path, environment: Mapping[str, str] | None = None) -> Document:
    """Reads one file, or all `*.yaml` of a directory. Never raises for what stands in them."""
    problems = Problems()
    sources = read_sources(path, problems)
    roots = [parse(source.text, source.file, problems) for source in sources.files]
    readable = [root for root in roots if root is not None]
    root = merge(readable, str(path), problems) if readable else MappingNode(Place(str(path)))
    complete = sources.complete and len(readable) == len(roots)
    return _checked(root, problems, complete=complete, environment=os.environ if environment is None else environment)


def _checked(root: MappingNode, problems: Problems, *, complete: bool, environment: Mapping[str, str]) -> Document:
    places = Places(root)
    names = defined_names(root, built_in_names()) if complete else None
    configuration = validate(root, Context(names), problems)
    refuse_unsupported(root, problems)
    check_rules(Scope(configuration, places, problems))
    secrets = Secrets(environment, places, problems).gather(root)
    for path, secret in secrets.items():
        if "manual-key" in path:
            continue
        if "ppk" in path and len(secret) not in range(16, 65):
            problems.add(NO_SECRET, places.value(*path), "a post-quantum pre-shared key has 16 to 64 octets")
        elif guessing_bits(secret.reveal()) < ENOUGH_BITS:
            text = (
                "the key can be guessed by whoever sees one exchange; 32 random octets cannot: openssl rand -base64 32"
            )
            problems.add(WEAK_SECRET, places.value(*path), text)
    keys = decoded(configuration, secrets, places, problems)
    return Document(configuration, keys, places, problems.sorted())
