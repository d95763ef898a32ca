"""Reads the secrets that a configuration names. What they hold never appears in a problem."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from pydantic_core import PydanticCustomError

from isthmus.config.problems import NO_SECRET, PLAIN_SECRET, READABLE_SECRET, Problems
from isthmus.config.sources import Unreadable, read_regular, why
from isthmus.config.tree import MappingNode, Places, find, plain
from isthmus.config.tree import Path as TreePath
from isthmus.config.values.kind import Context
from isthmus.config.values.secrets import (
    CredentialSecret,
    EnvironmentSecret,
    FileSecret,
    PlainSecret,
    SecretSource,
    SecretValue,
)
from isthmus.model.secret import Secret

MAX_OCTETS = 4096
"""Of one secret; pre-shared keys end at a few hundred."""


IN_USE = (
    "ike-gateways/*/authentication/pre-shared-key",
    "ike-gateways/*/ppk/keys/*",
    "ipsec-tunnels/*/manual-key/esp/encryption/key",
    "ipsec-tunnels/*/manual-key/esp/authentication/key",
    "ipsec-tunnels/*/manual-key/ah/authentication/key",
)


@dataclass(frozen=True, slots=True)
class Secrets:
    """Reads from the process's surroundings, which tests replace."""

    environment: Mapping[str, str]
    places: Places
    problems: Problems

    def gather(self, root: MappingNode) -> Mapping[TreePath, Secret]:
        """The secrets by the path of their option; also those of nouns that are wrong in another way."""
        secrets: dict[TreePath, Secret] = {}
        for pattern in IN_USE:
            for path, _, node in find(root, pattern):
                try:
                    source = SecretValue().read_any(plain(node), Context())
                except PydanticCustomError:
                    continue  # the schema has said so
                try:
                    secrets[path] = self._read(source, path)
                except Unreadable as reason:
                    self.problems.add(NO_SECRET, self.places.value(*path), str(reason))
        return secrets

    def _read(self, source: SecretSource, path: TreePath) -> Secret:
        match source:
            case PlainSecret(text):
                advice = "keep it apart with {file: PATH}, {env: NAME} or {credential: NAME}"
                self.problems.add(PLAIN_SECRET, self.places.value(*path), f"the secret stands in the open; {advice}")
                return _decoded(text.reveal())
            case EnvironmentSecret(name):
                return _decoded(self._variable(name))
            case FileSecret(file):
                beside = Path(self.places.of(*path).file).parent
                return _decoded(self._file(beside / file, path))
            case CredentialSecret(name):
                return _decoded(self._file(self._credentials() / name, path))
            case _:
                assert_never(source)

    def _variable(self, name: str) -> bytes:
        value = self.environment.get(name)
        if value is None:
            raise Unreadable(f"the environment has no variable {name}")
        return os.fsencode(value)

    def _credentials(self) -> Path:
        directory = self.environment.get("CREDENTIALS_DIRECTORY")
        if not directory:
            raise Unreadable("there are no systemd credentials: CREDENTIALS_DIRECTORY is not set")
        return Path(directory)

    def _file(self, file: Path, path: TreePath) -> bytes:
        try:
            octets = read_regular(file, MAX_OCTETS)
            mode = file.stat().st_mode
        except (OSError, ValueError, Unreadable) as error:
            raise Unreadable(f"{file}: {why(error)}") from None
        if len(octets) > MAX_OCTETS:
            raise Unreadable(f"{file}: larger than {MAX_OCTETS} octets")
        if mode & stat.S_IROTH:
            text = f"every user of this host can read {file}: chmod o-r"
            self.problems.add(READABLE_SECRET, self.places.value(*path), text)
        # An editor ends a file with a line feed; the secret ends before it.
        return octets.removesuffix(b"\n").removesuffix(b"\r")


def _decoded(octets: bytes) -> Secret:
    if octets.startswith(b"0x"):
        try:
            octets = bytes.fromhex(octets[2:].decode("ascii"))
        except ValueError:
            raise Unreadable("after 0x the secret is not an even number of hexadecimal digits") from None
    if not octets:
        raise Unreadable("the secret is empty")
    return Secret(octets)
