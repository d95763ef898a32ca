"""Keys by hand, in the forms that people have them: hexadecimal with or without `0x`, in groups, or the octets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from isthmus.config.problems import ALGORITHMS, WEAK_SECRET, Problems
from isthmus.config.schema.configuration import Configuration
from isthmus.config.schema.tunnels import ManualKey
from isthmus.config.strength import ENOUGH_BITS, guessing_bits
from isthmus.config.tree import Path, Places
from isthmus.model import algorithms
from isthmus.model.secret import Secret

_HEX = re.compile(rb"[0-9a-fA-F]+(?:-[0-9a-fA-F]+)*")
"""`0011223344556677`, and as the reference product writes it, `00112233-44556677`."""

_FAIR_BITS = 6
"""For each octet of a key, what a good one is never below: a short key is not blamed for its length."""


def decoded(
    configuration: Configuration, secrets: Mapping[Path, Secret], places: Places, problems: Problems
) -> dict[Path, Secret]:
    """The same secrets, with manual keys as the octets that their algorithms take."""
    found = dict(secrets)
    for name, tunnel in configuration.ipsec_tunnels.items():
        if tunnel.manual_key is None:
            continue
        for option, algorithm, size in _wanted(tunnel.manual_key):
            path = ("ipsec-tunnels", name, "manual-key", *option, "key")
            if path not in secrets:
                continue
            key = _octets(secrets[path].reveal(), size)
            if key is None:
                text = f"{algorithm} takes {size} octets: {2 * size} hexadecimal digits, in groups or not"
                problems.add(ALGORITHMS, places.value(*path), text)
            else:
                found[path] = Secret(key)
                if guessing_bits(key) < min(ENOUGH_BITS, _FAIR_BITS * size):
                    text = f"the key can be guessed; random octets cannot: openssl rand -hex {size}"
                    problems.add(WEAK_SECRET, places.value(*path), text)
    return found


def _wanted(manual: ManualKey) -> Iterator[tuple[tuple[str, ...], str, int]]:
    """Where keys stand, the algorithm, and how many octets it takes."""
    esp, ah = manual.esp, manual.ah
    if esp is not None:
        cipher = esp.encryption.algorithm
        yield ("esp", "encryption"), cipher, algorithms.ENCRYPTION_BY_NAME[cipher].key
    for protocol, integrity in (("esp", esp and esp.authentication), ("ah", ah and ah.authentication)):
        if integrity:
            name = integrity.algorithm
            yield (protocol, "authentication"), name, algorithms.INTEGRITY_BY_NAME[name].key


def _octets(secret: bytes, size: int) -> bytes | None:
    if len(secret) == size:
        return secret  # a file of octets, or what stood behind 0x
    digits = secret.strip()
    if not _HEX.fullmatch(digits):
        return None
    digits = digits.replace(b"-", b"")
    return bytes.fromhex(digits.decode()) if len(digits) == 2 * size else None
