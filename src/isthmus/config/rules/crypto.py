"""Rules about crypto profiles: which algorithms go together."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.config.problems import ALGORITHMS, CONFLICT, MISSING, UNUSED_ALGORITHM
from isthmus.config.proposals import bare_authentication
from isthmus.config.rules.scope import Scope
from isthmus.config.schema.crypto_profiles import NO_AUTHENTICATION, NO_EXCHANGE, NO_PFS, NON_AUTH, Esp
from isthmus.config.tree import Path
from isthmus.model import algorithms
from isthmus.model.proposal import Transform, TransformType
from isthmus.negotiate.select import distinct


def ike_ciphers_and_hashes_go_together(scope: Scope) -> None:
    for name, profile in scope.configuration.ike_crypto_profiles.items():
        path = ("ike-crypto-profiles", name, "hash")
        aead, bare = _by_nature(profile.encryption)
        if NON_AUTH in profile.hash and not aead:
            text = f"non-auth goes with AES-GCM and its kin; {bare[0]} needs a hash"
            scope.at_value(ALGORITHMS, (*path, profile.hash.index(NON_AUTH)), text)
        elif bare and profile.hash == (NON_AUTH,):
            scope.at_value(ALGORITHMS, path, f"{bare[0]} needs a hash beside non-auth")


def esp_ciphers_and_authentication_go_together(scope: Scope) -> None:
    for name, profile in scope.configuration.ipsec_crypto_profiles.items():
        if profile.esp is not None:
            _check_esp(scope, profile.esp, ("ipsec-crypto-profiles", name, "esp"))


def _check_esp(scope: Scope, esp: Esp, path: Path) -> None:
    aead, bare = _by_nature(esp.encryption)
    hashes = [word for word in esp.authentication or () if word != NO_AUTHENTICATION]
    bare_hashes = bare_authentication(esp)
    if bare and esp.authentication is None:
        scope.at_key(MISSING, path, f"authentication is missing: {bare[0]} needs it")
    elif "null" in bare and NO_AUTHENTICATION in bare_hashes:
        # RFC 4303, 3.2: not both of them may be null.
        scope.at_value(ALGORITHMS, (*path, "authentication"), "null encryption without authentication protects nothing")
    elif hashes and not bare:
        text = f"{hashes[0]} is not used: {aead[0]} brings its own integrity; authentication is none"
        scope.at_value(UNUSED_ALGORITHM, (*path, "authentication"), text)


def key_exchanges_differ(scope: Scope) -> None:
    """RFC 9370, 2.2.1: no method twice for one SA; and what is additional needs something to add to."""
    for name, ike in scope.configuration.ike_crypto_profiles.items():
        _check_exchanges(scope, ike.dh_group, ike.additional_key_exchange, ("ike-crypto-profiles", name))
    for name, ipsec in scope.configuration.ipsec_crypto_profiles.items():
        path = ("ipsec-crypto-profiles", name)
        if ipsec.dh_group != NO_PFS:
            _check_exchanges(scope, (ipsec.dh_group,), ipsec.additional_key_exchange, path)
        elif ipsec.additional_key_exchange:
            text = f"an additional key exchange goes with a DH group, not with {NO_PFS}"
            scope.at_key(CONFLICT, (*path, "additional-key-exchange"), text)


def _check_exchanges(scope: Scope, groups: tuple[str, ...], rounds: tuple[tuple[str, ...], ...], path: Path) -> None:
    if rounds and distinct(tuple(tuple(_exchange(name) for name in names) for names in (groups, *rounds))) is None:
        text = "there is no choice in which every method, that of dh-group included, occurs once"
        scope.at_value(ALGORITHMS, (*path, "additional-key-exchange"), text)


def _exchange(name: str) -> Transform:
    return Transform(TransformType.KE, 0 if name == NO_EXCHANGE else algorithms.KEY_EXCHANGE_BY_NAME[name].ikev2)


def _by_nature(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """AEAD ciphers, and the others."""
    aead: list[str] = []
    bare: list[str] = []
    for name in names:
        (aead if algorithms.ENCRYPTION_BY_NAME[name].aead else bare).append(name)
    return aead, bare


RULES = (
    ike_ciphers_and_hashes_go_together,
    esp_ciphers_and_authentication_go_together,
    key_exchanges_differ,
)
