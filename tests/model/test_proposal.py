"""Proposals and suites by name."""

from __future__ import annotations

import pytest

from isthmus.model.algorithms import (
    ENCRYPTION,
    ENCRYPTION_BY_NAME,
    INTEGRITY,
    INTEGRITY_BY_NAME,
    KEY_EXCHANGE,
    KEY_EXCHANGE_BY_NAME,
    PRF,
    PRF_BY_NAME,
)
from isthmus.model.proposal import Proposal, Protocol, Suite, Transform, TransformType

OFFER = Proposal(
    Protocol.IKE,
    (
        Transform(TransformType.ENCR, 20, 256),
        Transform(TransformType.PRF, 5),
        Transform(TransformType.ENCR, 12, 128),
        Transform(TransformType.KE, 31),
    ),
)


def test_every_algorithm_of_the_table_is_shown_by_its_name() -> None:
    shown = [str(Transform(TransformType.ENCR, row.ikev2, row.key_bits)) for row in ENCRYPTION]
    shown += [str(Transform(TransformType.INTEG, row.ikev2)) for row in INTEGRITY]
    shown += [str(Transform(TransformType.KE, row.ikev2)) for row in KEY_EXCHANGE]
    assert shown == [row.name for rows in (ENCRYPTION, INTEGRITY, KEY_EXCHANGE) for row in rows]
    assert [str(Transform(TransformType.PRF, row.ikev2)) for row in PRF] == [f"prf-{row.name}" for row in PRF]


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        (Transform(TransformType.INTEG, 0), "none"),
        (Transform(TransformType.KE, 0), "none"),
        (Transform(TransformType.ADDKE1, 36), "ml-kem-768"),
        (Transform(TransformType.SN, 0), "no-esn"),
        (Transform(TransformType.SN, 1), "esn"),
        (Transform(TransformType.SN, 9), "sn-9"),
        (Transform(TransformType.ENCR, 12, 512), "encr-12-512"),
        (Transform(TransformType.ENCR, 12), "encr-12"),
        (Transform(TransformType.PRF, 99), "prf-99"),
        (Transform(TransformType(200), 7), "unassigned_200-7"),
    ],
)
def test_what_has_no_name_is_shown_by_its_numbers(transform: Transform, text: str) -> None:
    assert str(transform) == text


def test_a_proposal_keeps_the_senders_order() -> None:
    assert [t.id for t in OFFER.of(TransformType.ENCR)] == [20, 12]
    assert OFFER.types == (TransformType.ENCR, TransformType.PRF, TransformType.KE)
    assert OFFER.of(TransformType.SN) == ()
    assert str(OFFER) == "aes-256-gcm,aes-128-cbc/prf-sha256/group31"


def test_numbering_a_proposal_leaves_its_transforms() -> None:
    numbered = OFFER.numbered(3, b"\1\2\3\4")
    assert (numbered.number, numbered.spi) == (3, b"\1\2\3\4")
    assert numbered.transforms == OFFER.transforms


def test_a_suite_names_what_was_chosen() -> None:
    suite = Suite(
        Protocol.IKE,
        ENCRYPTION_BY_NAME["aes-256-cbc"],
        INTEGRITY_BY_NAME["sha384"],
        PRF_BY_NAME["sha384"],
        KEY_EXCHANGE_BY_NAME["group20"],
        additional=((TransformType.ADDKE1, KEY_EXCHANGE_BY_NAME["ml-kem-768"]),),
    )
    assert str(suite) == "aes-256-cbc/sha384/sha384/group20/ml-kem-768"
    assert str(Suite(Protocol.AH, None, INTEGRITY_BY_NAME["sha256"], None, None)) == "sha256"
