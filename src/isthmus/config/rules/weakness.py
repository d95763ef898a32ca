"""Rules about weak algorithms: they work, because the peer may have nothing better, and they are never silent.

`settings.weak-algorithms: refuse` makes errors of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from isthmus.config.problems import AGGRESSIVE_MODE, REFUSED_ALGORITHM, WEAK_ALGORITHM, Code
from isthmus.config.profiles import built_in_ike, built_in_ipsec
from isthmus.config.proposals import bare_authentication
from isthmus.config.rules.scope import Scope
from isthmus.config.schema.crypto_profiles import NO_AUTHENTICATION, IkeCryptoProfile, IpsecCryptoProfile
from isthmus.config.tree import Path
from isthmus.model.algorithms import (
    ENCRYPTION_BY_NAME,
    INTEGRITY_BY_NAME,
    KEY_EXCHANGE_BY_NAME,
    NO_INTEGRITY_BECAUSE,
    PRF_BY_NAME,
    Encryption,
    Integrity,
    KeyExchangeMethod,
    Prf,
    Strength,
)
from isthmus.model.plan import DynamicPeer, ExchangeMode, Version, WeakAlgorithms

Row: TypeAlias = Encryption | Integrity | Prf | KeyExchangeMethod


_SHOWN = "sends a hash of the pre-shared key to whoever asks (RFC 2409, 5.4; RFC 9395, 1)"
_REFUSE = "settings.weak-algorithms is refuse"


def written_profiles_are_sound(scope: Scope) -> None:
    """Each weak algorithm where it is written, used or not."""
    for name, ike in scope.configuration.ike_crypto_profiles.items():
        for option, text in _weak_ike(ike):
            _tell(scope, WEAK_ALGORITHM, ("ike-crypto-profiles", name, *option), text)
    for name, ipsec in scope.configuration.ipsec_crypto_profiles.items():
        for option, text in _weak_ipsec(ipsec):
            _tell(scope, WEAK_ALGORITHM, ("ipsec-crypto-profiles", name, *option), text)


def built_in_profiles_in_use_are_sound(scope: Scope) -> None:
    """Each weak algorithm of a profile that is not written, where the profile is named."""
    for name, gateway in scope.configuration.ike_gateways.items():
        spoken = {Version.IKEV1: gateway.ikev1.ike_crypto_profile, Version.IKEV2: gateway.ikev2.ike_crypto_profile}
        for version, profile in spoken.items():
            written = scope.places.has("ike-crypto-profiles", profile)
            if profile in built_in_ike() and not written and gateway.version in (version, Version.IKEV2_PREFERRED):
                path = ("ike-gateways", name, version.value, "ike-crypto-profile")
                for _, text in _weak_ike(built_in_ike()[profile]):
                    _tell(scope, WEAK_ALGORITHM, path, f"{profile}: {text}")
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        profile = tunnel.ipsec_crypto_profile
        if profile in built_in_ipsec() and not scope.places.has("ipsec-crypto-profiles", profile):
            for _, text in _weak_ipsec(built_in_ipsec()[profile]):
                _tell(scope, WEAK_ALGORITHM, ("ipsec-tunnels", name, "ipsec-crypto-profile"), f"{profile}: {text}")


def manual_keys_are_sound(scope: Scope) -> None:
    for name, tunnel in scope.configuration.ipsec_tunnels.items():
        manual = tunnel.manual_key
        if manual is None:
            continue
        path = ("ipsec-tunnels", name, "manual-key")
        esp, ah = manual.esp, manual.ah
        named: list[tuple[Path, Row]] = []
        if esp is not None:
            named.append((("esp", "encryption", "algorithm"), ENCRYPTION_BY_NAME[esp.encryption.algorithm]))
        for protocol, integrity in (("esp", esp and esp.authentication), ("ah", ah and ah.authentication)):
            if integrity:
                named.append(((protocol, "authentication", "algorithm"), INTEGRITY_BY_NAME[integrity.algorithm]))
        for option, row in named:
            if row.strength is Strength.WEAK:
                _tell(scope, WEAK_ALGORITHM, (*path, *option), f"{row.name} is weak: {row.because}")
        if esp is not None and esp.authentication is None:
            _tell(scope, WEAK_ALGORITHM, (*path, "esp"), f"no authentication is weak: {NO_INTEGRITY_BECAUSE}")


def aggressive_mode_shows_a_hash(scope: Scope) -> None:
    for name, gateway in scope.configuration.ike_gateways.items():
        if gateway.version is Version.IKEV2 or gateway.authentication.pre_shared_key is None:
            continue
        path = ("ike-gateways", name, "ikev1", "exchange-mode")
        if gateway.ikev1.exchange_mode is ExchangeMode.AGGRESSIVE:
            _tell(scope, AGGRESSIVE_MODE, path, f"aggressive mode {_SHOWN}")
        elif (
            gateway.ikev1.exchange_mode is ExchangeMode.AUTO
            and isinstance(gateway.peer_address, DynamicPeer)
            and not _refused(scope)
        ):
            text = f"exchange-mode auto answers aggressive mode from any address, which {_SHOWN}; main does not"
            scope.at_value(AGGRESSIVE_MODE, path, text)


def _tell(scope: Scope, warning: Code, path: Path, text: str) -> None:
    """Works and is named, or is refused."""
    if _refused(scope):
        scope.at_value(REFUSED_ALGORITHM, path, f"{text}; {_REFUSE}")
    else:
        scope.at_value(warning, path, text)


def _refused(scope: Scope) -> bool:
    return scope.configuration.settings.weak_algorithms is WeakAlgorithms.REFUSE


def _weak_ike(profile: IkeCryptoProfile) -> Iterator[tuple[Path, str]]:
    yield from _weak(("encryption",), profile.encryption, ENCRYPTION_BY_NAME)
    yield from _weak(("hash",), profile.hash, PRF_BY_NAME)
    yield from _weak(("dh-group",), profile.dh_group, KEY_EXCHANGE_BY_NAME)
    yield from _weak_rounds(profile.additional_key_exchange)


def _weak_ipsec(profile: IpsecCryptoProfile) -> Iterator[tuple[Path, str]]:
    if profile.esp is not None:
        yield from _weak(("esp", "encryption"), profile.esp.encryption, ENCRYPTION_BY_NAME)
        yield from _weak(("esp", "authentication"), profile.esp.authentication or (), INTEGRITY_BY_NAME)
        bare = [cipher for cipher in profile.esp.encryption if not ENCRYPTION_BY_NAME[cipher].aead]
        if bare and NO_AUTHENTICATION in bare_authentication(profile.esp):
            index = (profile.esp.authentication or ()).index(NO_AUTHENTICATION)
            yield ("esp", "authentication", index), f"none is weak: {NO_INTEGRITY_BECAUSE}"
    if profile.ah is not None:
        yield from _weak(("ah", "authentication"), profile.ah.authentication, INTEGRITY_BY_NAME)
    for _, text in _weak((), (profile.dh_group,), KEY_EXCHANGE_BY_NAME):
        yield ("dh-group",), text
    yield from _weak_rounds(profile.additional_key_exchange)


def _weak_rounds(rounds: Iterable[Iterable[str]]) -> Iterator[tuple[Path, str]]:
    for index, names in enumerate(rounds):
        yield from _weak(("additional-key-exchange", index), names, KEY_EXCHANGE_BY_NAME)


def _weak(option: Path, names: Iterable[str], rows: Mapping[str, Row]) -> Iterator[tuple[Path, str]]:
    for index, name in enumerate(names):
        row = rows.get(name)
        if row is not None and row.strength is Strength.WEAK:
            yield (*option, index), f"{name} is weak: {row.because}"


RULES = (
    written_profiles_are_sound,
    built_in_profiles_in_use_are_sound,
    manual_keys_are_sound,
    aggressive_mode_shows_a_hash,
)
