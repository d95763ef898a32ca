"""Profiles to proposals: what is offered, best first. RFC 7296, 3.3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from isthmus.config.schema.crypto_profiles import (
    NO_AUTHENTICATION,
    NO_EXCHANGE,
    NO_PFS,
    NON_AUTH,
    Esp,
    IkeCryptoProfile,
    IpsecCryptoProfile,
)
from isthmus.model import algorithms
from isthmus.model.algorithms import Encryption
from isthmus.model.proposal import Proposal, Protocol, Transform, TransformType

_ESN = (Transform(TransformType.SN, 1), Transform(TransformType.SN, 0))
"""Extended sequence numbers where the peer has them (RFC 7296, 3.3.2), else not: nothing in a profile depends on it."""

_STRONG_GROUPS = frozenset({"group20", "group21"})


def ike_proposals(profile: IkeCryptoProfile) -> tuple[Proposal, ...]:
    """One proposal, or two where AEAD and other ciphers are mixed: they cannot share one (RFC 7296, 3.3)."""
    exchanges = (*_key_exchanges(profile.dh_group), *_additional(profile.additional_key_exchange))
    proposals = []
    for ciphers in _by_nature(profile.encryption):
        if ciphers[0].aead:
            chosen = (*_encryption(ciphers), *_prf(aead_prfs(profile)), *exchanges)
        else:
            hashes = [name for name in profile.hash if name != NON_AUTH]
            chosen = (*_encryption(ciphers), *_prf(hashes), *_integrity(hashes), *exchanges)
        proposals.append(chosen)
    return _numbered(Protocol.IKE, proposals)


def ipsec_proposals(profile: IpsecCryptoProfile) -> tuple[Proposal, ...]:
    """As for IKE, with the fresh key exchange of `dh-group`, and both kinds of sequence number."""
    groups = () if profile.dh_group == NO_PFS else (profile.dh_group,)
    tail = (*_key_exchanges(groups), *_ESN, *_additional(profile.additional_key_exchange))
    if profile.ah is not None:
        return _numbered(Protocol.AH, [(*_integrity(profile.ah.authentication), *tail)])
    if profile.esp is None:
        return ()
    proposals = []
    for ciphers in _by_nature(profile.esp.encryption):
        integrity = () if ciphers[0].aead else tuple(_integrity(bare_authentication(profile.esp)))
        proposals.append((*_encryption(ciphers), *integrity, *tail))
    return _numbered(Protocol.ESP, proposals)


def bare_authentication(esp: Esp) -> tuple[str, ...]:
    """What authenticates the ciphers that are no AEAD. With an AEAD beside them, `none` is that one's."""
    names = esp.authentication or ()
    mixed = any(algorithms.ENCRYPTION_BY_NAME[cipher].aead for cipher in esp.encryption)
    others = tuple(name for name in names if name != NO_AUTHENTICATION)
    return others if mixed and others else names


def aead_prfs(profile: IkeCryptoProfile) -> tuple[str, ...]:
    """The PRFs beside an AEAD: the hashes, where `non-auth` stands for those that suit the DH groups."""
    names: list[str] = []
    for name in profile.hash:
        if name != NON_AUTH:
            names.append(name)
        else:
            names.extend("sha384" if group in _STRONG_GROUPS else "sha256" for group in profile.dh_group)
    return tuple(dict.fromkeys(names))


def _by_nature(names: Sequence[str]) -> list[list[Encryption]]:
    """The ciphers as AEAD and others, the kind of the first one first."""
    rows = [algorithms.ENCRYPTION_BY_NAME[name] for name in names]
    kinds = dict.fromkeys(row.aead for row in rows)
    return [[row for row in rows if row.aead is kind] for kind in kinds]


def _encryption(rows: Iterable[Encryption]) -> Iterator[Transform]:
    return (Transform(TransformType.ENCR, row.ikev2, row.key_bits) for row in rows)


def _prf(names: Iterable[str]) -> Iterator[Transform]:
    return (Transform(TransformType.PRF, algorithms.PRF_BY_NAME[name].ikev2) for name in names)


def _integrity(names: Sequence[str]) -> Iterator[Transform]:
    if tuple(names) == (NO_AUTHENTICATION,):
        return  # RFC 7296, 3.3.3: said by silence
    for name in names:
        row = algorithms.INTEGRITY_BY_NAME.get(name)
        yield Transform(TransformType.INTEG, row.ikev2 if row else algorithms.NO_INTEGRITY)


def _key_exchanges(names: Iterable[str], kind: TransformType = TransformType.KE) -> Iterator[Transform]:
    return (Transform(kind, algorithms.KEY_EXCHANGE_BY_NAME[name].ikev2) for name in names)


def _additional(rounds: Sequence[Sequence[str]]) -> Iterator[Transform]:
    for index, names in enumerate(rounds):  # RFC 9370, 2.2.1
        kind = TransformType(TransformType.ADDKE1 + index)
        for name in names:
            yield Transform(kind, 0) if name == NO_EXCHANGE else next(_key_exchanges((name,), kind))


def _numbered(protocol: Protocol, transforms: Iterable[tuple[Transform, ...]]) -> tuple[Proposal, ...]:
    return tuple(Proposal(protocol, chosen, number=number) for number, chosen in enumerate(transforms, 1))
