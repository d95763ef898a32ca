"""What an SA payload of version 1 means, in the nouns of both versions: each transform is one whole `Proposal`.

RFC 2409, appendix A; RFC 2407, 4.4 and 4.5. Only in attributes that no proposal has a place for (lifetimes, mode,
authentication) does an `Offer` say more.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from isthmus.model import algorithms
from isthmus.model.algorithms import KeFamily
from isthmus.model.proposal import Proposal, Protocol, Transform, TransformType
from isthmus.wire.ikev1.registry import KEY_IKE, AuthenticationMethod, IpsecAttribute, IsakmpAttribute, LifeType
from isthmus.wire.ikev1.security_association import Attribute, ProposalV1, SecurityAssociation, TransformV1

_MOST_TRANSFORMS = 255
"""Their number has one octet."""

_FOREIGN = 0xF000
"""Version 1 numbers that version 2 has no name for are shown and never match: moved into its private range."""

_MAX_DURATION = 8
"""Octets. 2^64 seconds are enough."""


@dataclass(frozen=True, slots=True)
class Duration:
    """How long an SA may live; None: not said."""

    seconds: int | None = None
    kilobytes: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """One transform, understood."""

    proposal: Proposal
    source: ProposalV1
    """The transform alone in its proposal, as it was offered: what a responder returns."""
    duration: Duration
    authentication: AuthenticationMethod | None = None
    """Phase 1."""
    mode: int | None = None
    """Phase 2: the Encapsulation Mode."""

    def answer(self, spi: bytes = b"") -> SecurityAssociation:
        """This one chosen, with our SPI in place of the initiator's."""
        return SecurityAssociation((replace(self.source, spi=spi),))


def phase1_offers(sa: SecurityAssociation) -> tuple[Offer, ...]:
    """The alternatives of a phase 1 SA, best first."""
    return tuple(
        _phase1(proposal, transform)
        for proposal in sa.proposals
        if proposal.protocol == Protocol.IKE
        for transform in proposal.transforms
        if transform.id == KEY_IKE
    )


def phase2_offers(sa: SecurityAssociation) -> tuple[Offer, ...]:
    """The alternatives of a phase 2 SA, best first. Bundles of several protocols under one number are passed over."""
    together = Counter(proposal.number for proposal in sa.proposals)
    return tuple(
        _phase2(proposal, transform)
        for proposal in sa.proposals
        if together[proposal.number] == 1 and proposal.protocol in (Protocol.ESP, Protocol.AH)
        for transform in proposal.transforms
    )


def phase1_sa(
    proposals: Iterable[Proposal], seconds: int, authentication: AuthenticationMethod, only_group: int | None = None
) -> SecurityAssociation:
    """What we offer for phase 1: every combination that version 1 can express. `only_group`: the KE is sent at once."""
    suites = [
        (encryption, prf, group)
        for proposal in proposals
        for encryption, prf, group in itertools.product(
            proposal.of(TransformType.ENCR), proposal.of(TransformType.PRF), proposal.of(TransformType.KE)
        )
        if only_group is None or group.id == only_group
    ]
    transforms = []
    for encryption, prf, group in dict.fromkeys(suites):
        cipher = algorithms.encryption_by_id(encryption.id, encryption.key_bits)
        keyed = algorithms.PRF_BY_ID.get(prf.id)
        if cipher is None or cipher.ikev1 is None or keyed is None or not _agreeable(group):
            continue
        attributes = [
            Attribute.of(IsakmpAttribute.ENCRYPTION_ALGORITHM, cipher.ikev1),
            *([Attribute.of(IsakmpAttribute.KEY_LENGTH, cipher.key_bits)] if cipher.key_bits else []),
            Attribute.of(IsakmpAttribute.HASH_ALGORITHM, keyed.ikev1),
            Attribute.of(IsakmpAttribute.GROUP_DESCRIPTION, group.id),
            Attribute.of(IsakmpAttribute.AUTHENTICATION_METHOD, authentication),
            Attribute.of(IsakmpAttribute.LIFE_TYPE, LifeType.SECONDS),
            Attribute.of(IsakmpAttribute.LIFE_DURATION, seconds),
        ]
        transforms.append((KEY_IKE, tuple(attributes)))
    return SecurityAssociation((ProposalV1(1, Protocol.IKE, b"", _numbered(transforms)),))


def phase2_sa(proposals: Sequence[Proposal], duration: Duration, mode: int, spi: bytes) -> SecurityAssociation:
    """What we offer for phase 2, under one SPI. Of groups only the first is offered: one KE payload goes with it."""
    tail = (Attribute.of(IpsecAttribute.ENCAPSULATION_MODE, mode), *duration_attributes(duration))
    protocols = dict.fromkeys(proposal.protocol for proposal in proposals)
    made = []
    for number, protocol in enumerate(protocols, 1):
        alternatives = (t for p in proposals if p.protocol == protocol for t in _phase2_transforms(p))
        transforms = [(identifier, (*attributes, *tail)) for identifier, attributes in dict.fromkeys(alternatives)]
        made.append(ProposalV1(number, protocol, spi, _numbered(transforms)))
    return SecurityAssociation(tuple(made))


def duration_attributes(duration: Duration) -> tuple[Attribute, ...]:
    """RFC 2407, 4.5: each duration behind its type. RESPONDER-LIFETIME holds the same."""
    attributes = []
    for kind, value in ((LifeType.SECONDS, duration.seconds), (LifeType.KILOBYTES, duration.kilobytes)):
        if value is not None:
            attributes.append(Attribute.of(IpsecAttribute.LIFE_TYPE, kind))
            attributes.append(Attribute.of(IpsecAttribute.LIFE_DURATION, value))
    return tuple(attributes)


def duration_of(attributes: Iterable[Attribute], type_of_life: int, length_of_life: int) -> Duration:
    """What life types and durations say, in whatever order they stand among others."""
    seconds = kilobytes = None
    unit = LifeType.SECONDS  # RFC 2407, 4.5: the default
    for attribute in attributes:
        if attribute.kind == type_of_life:
            unit = LifeType.of(attribute.number)
        elif attribute.kind == length_of_life and len(attribute.value) <= _MAX_DURATION:
            if unit == LifeType.SECONDS:
                seconds = attribute.number
            elif unit == LifeType.KILOBYTES:
                kilobytes = attribute.number
    return Duration(seconds, kilobytes)


def _phase1(proposal: ProposalV1, transform: TransformV1) -> Offer:
    said = {a.kind: a.number for a in transform.attributes}
    bits = said.get(IsakmpAttribute.KEY_LENGTH)
    cipher, digest = said.get(IsakmpAttribute.ENCRYPTION_ALGORITHM), said.get(IsakmpAttribute.HASH_ALGORITHM)
    method = said.get(IsakmpAttribute.AUTHENTICATION_METHOD)
    transforms = [_encryption(_CIPHERS_IKE, cipher, bits)] if cipher is not None else []
    if digest is not None:
        # Version 1 has one hash for both; a PRF attribute would ask for what no registry defines.
        prf = _PRFS.get(digest) if IsakmpAttribute.PRF not in said else None
        integrity = algorithms.INTEGRITY_BY_NAME.get(prf.name) if prf else None
        transforms.append(Transform(TransformType.PRF, prf.ikev2 if prf else _FOREIGN | digest))
        transforms.append(Transform(TransformType.INTEG, integrity.ikev2 if integrity else _FOREIGN | digest))
    if IsakmpAttribute.GROUP_DESCRIPTION in said:
        transforms.append(Transform(TransformType.KE, said[IsakmpAttribute.GROUP_DESCRIPTION]))
    return Offer(
        Proposal(Protocol.IKE, tuple(transforms), number=transform.number),
        replace(proposal, transforms=(transform,)),
        duration_of(transform.attributes, IsakmpAttribute.LIFE_TYPE, IsakmpAttribute.LIFE_DURATION),
        AuthenticationMethod.of(method) if method is not None else None,
    )


def _phase2(proposal: ProposalV1, transform: TransformV1) -> Offer:
    said = {a.kind: a.number for a in transform.attributes}
    transforms = []
    if proposal.protocol == Protocol.ESP:
        transforms.append(_encryption(_CIPHERS_ESP, transform.id, said.get(IpsecAttribute.KEY_LENGTH)))
    number = said.get(IpsecAttribute.AUTHENTICATION_ALGORITHM)
    if number is not None:
        integrity = _INTEGRITIES.get(number)
        transforms.append(Transform(TransformType.INTEG, integrity.ikev2 if integrity else _FOREIGN | number))
    if IpsecAttribute.GROUP_DESCRIPTION in said:
        transforms.append(Transform(TransformType.KE, said[IpsecAttribute.GROUP_DESCRIPTION]))
    esn = said.get(IpsecAttribute.EXTENDED_SEQUENCE_NUMBER, 0)
    transforms.append(Transform(TransformType.SN, esn))
    return Offer(
        Proposal(proposal.protocol, tuple(transforms), proposal.spi, transform.number),
        replace(proposal, transforms=(transform,)),
        duration_of(transform.attributes, IpsecAttribute.LIFE_TYPE, IpsecAttribute.LIFE_DURATION),
        mode=said.get(IpsecAttribute.ENCAPSULATION_MODE),
    )


def _phase2_transforms(proposal: Proposal) -> Iterator[tuple[int, tuple[Attribute, ...]]]:
    """Transform ID and the attributes of the algorithms, for each combination."""
    groups = [g for g in proposal.of(TransformType.KE) if g.id and _agreeable(g)][:1]
    group = tuple(Attribute.of(IpsecAttribute.GROUP_DESCRIPTION, g.id) for g in groups)
    kinds = proposal.of(TransformType.INTEG)
    hashes = [row for t in kinds if (row := algorithms.INTEGRITY_BY_ID.get(t.id))]
    if proposal.protocol == Protocol.AH:
        for row in hashes:
            yield row.ah, (Attribute.of(IpsecAttribute.AUTHENTICATION_ALGORITHM, row.ikev1), *group)
        return
    for encryption in proposal.of(TransformType.ENCR):
        cipher = algorithms.encryption_by_id(encryption.id, encryption.key_bits)
        if cipher is None or cipher.ikev1_esp is None:
            continue
        length = (Attribute.of(IpsecAttribute.KEY_LENGTH, cipher.key_bits),) if cipher.key_bits else ()
        signatures: list[tuple[Attribute, ...]] = [
            (Attribute.of(IpsecAttribute.AUTHENTICATION_ALGORITHM, row.ikev1),) for row in hashes
        ]
        if not signatures or any(t.id == algorithms.NO_INTEGRITY for t in kinds):
            signatures.append(())  # RFC 2407, 4.5: no authentication algorithm is none
        for signed in signatures:
            yield cipher.ikev1_esp, (*length, *signed, *group)


def _numbered(transforms: Sequence[tuple[int, tuple[Attribute, ...]]]) -> tuple[TransformV1, ...]:
    return tuple(TransformV1(n, *each) for n, each in enumerate(transforms[:_MOST_TRANSFORMS], 1))


def _encryption(rows: dict[tuple[int, int | None], algorithms.Encryption], number: int, bits: int | None) -> Transform:
    row = rows.get((number, bits))
    if row is None:
        return Transform(TransformType.ENCR, _FOREIGN | number, bits)
    return Transform(TransformType.ENCR, row.ikev2, row.key_bits)


def _agreeable(group: Transform) -> bool:
    row = algorithms.KEY_EXCHANGE_BY_ID.get(group.id)
    # A KEM's responder needs the initiator's public key before it answers; version 1 knows Diffie-Hellman only.
    return row is not None and row.family is not KeFamily.KEM


_CIPHERS_IKE = {(row.ikev1, row.key_bits): row for row in algorithms.ENCRYPTION if row.ikev1 is not None}
_CIPHERS_ESP = {(row.ikev1_esp, row.key_bits): row for row in algorithms.ENCRYPTION if row.ikev1_esp is not None}
_PRFS = {row.ikev1: row for row in algorithms.PRF}
_INTEGRITIES = {row.ikev1: row for row in algorithms.INTEGRITY}
