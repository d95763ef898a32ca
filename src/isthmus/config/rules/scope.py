"""What a rule sees: the sound nouns, their places, and where to report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from isthmus.config.problems import Code, Problems
from isthmus.config.profiles import built_in_ike, built_in_ipsec
from isthmus.config.schema.configuration import Configuration
from isthmus.config.schema.crypto_profiles import IkeCryptoProfile, IpsecCryptoProfile
from isthmus.config.tree import Places

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scope:
    configuration: Configuration
    places: Places
    problems: Problems

    def at_value(self, code: Code, path: tuple[str | int, ...], text: str, suggestion: str | None = None) -> None:
        """Reports at the option's value, or at the noun around it where the option is not written."""
        self.problems.add(code, self.places.value(*path), text, suggestion)

    def at_key(self, code: Code, path: tuple[str | int, ...], text: str) -> None:
        """Reports at the option's or the noun's name."""
        self.problems.add(code, self.places.of(*path), text)

    def ike_profile(self, name: str) -> IkeCryptoProfile | None:
        return self._profile("ike-crypto-profiles", name, self.configuration.ike_crypto_profiles, built_in_ike())

    def ipsec_profile(self, name: str) -> IpsecCryptoProfile | None:
        return self._profile("ipsec-crypto-profiles", name, self.configuration.ipsec_crypto_profiles, built_in_ipsec())

    def _profile(self, section: str, name: str, written: Mapping[str, T], built_in: Mapping[str, T]) -> T | None:
        """None where it is not sound: the built-in one of that name was not meant."""
        return written.get(name) if self.places.has(section, name) else built_in.get(name)


def is_tunnel(interface: str) -> bool:
    return interface.startswith("tunnel.")
