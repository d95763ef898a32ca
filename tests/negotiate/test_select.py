"""Choosing a proposal."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.model import algorithms
from isthmus.model.proposal import Proposal, Protocol, Transform, TransformType
from isthmus.negotiate import select
from isthmus.negotiate.reports import Chosen, Mismatch, Obstacle
from isthmus.sim.plans import esp_proposal, ike_proposal
from tests.negotiate.strategies import EXTRA, GROUPS, esp_proposals, ike_proposals

any_proposals = ike_proposals | esp_proposals
NO_ESN = Transform(TransformType.SN, 0)


def _agreed(offered: str, accepted: str) -> str | None:
    found = select.choose([ike_proposal(offered)], [ike_proposal(accepted)])
    return str(found.proposal) if isinstance(found, Chosen) else None


@given(any_proposals, any_proposals)
def test_a_choice_is_one_transform_of_each_type_that_both_have(
    offered: list[Proposal], accepted: list[Proposal]
) -> None:
    found = select.choose(offered, accepted)
    if isinstance(found, Mismatch):
        return
    theirs = next(p for p in offered if p.number == found.proposal.number)
    for kind in found.proposal.types:
        (only,) = found.proposal.of(kind)
        assert only in theirs.of(kind)
        assert any(only in ours.of(kind) for ours in accepted) or only.id == 0


@given(any_proposals, any_proposals)
def test_whoever_made_the_offer_confirms_the_choice(offered: list[Proposal], accepted: list[Proposal]) -> None:
    found = select.choose(offered, accepted)
    if isinstance(found, Chosen):
        assert select.confirms(found.proposal, offered) == found.suite


@given(any_proposals, any_proposals)
def test_whether_there_is_a_choice_does_not_depend_on_who_asks(
    offered: list[Proposal], accepted: list[Proposal]
) -> None:
    there, back = select.choose(offered, accepted), select.choose(accepted, offered)
    assert isinstance(there, Chosen) == isinstance(back, Chosen)


@given(any_proposals)
def test_everybody_agrees_with_himself_on_his_first_choice(proposals: list[Proposal]) -> None:
    found = select.choose(proposals, proposals)
    assert isinstance(found, Chosen)
    first = proposals[0]
    assert [found.proposal.of(kind)[0] for kind in first.types] == [first.of(kind)[0] for kind in first.types]


@given(any_proposals, any_proposals)
def test_a_mismatch_holds_both_lists_and_names_what_stands_between_the_nearest(
    offered: list[Proposal], accepted: list[Proposal]
) -> None:
    found = select.choose(offered, accepted)
    if isinstance(found, Mismatch):
        assert (found.offered, found.accepted) == (tuple(offered), tuple(accepted))
        same_protocol = any(o.protocol == a.protocol for o, a in itertools.product(offered, accepted))
        assert bool(found.nearest) == same_protocol
        assert all(not set(obstacle.offered) & set(obstacle.accepted) for obstacle in found.nearest)


@given(any_proposals)
def test_without_key_exchange_nothing_else_is_missing(proposals: list[Proposal]) -> None:
    for before, after in zip(proposals, select.without_key_exchange(proposals), strict=True):
        gone = set(before.transforms) - set(after.transforms)
        assert {t.type for t in gone} <= {TransformType.KE, TransformType.ADDKE1}
        assert not after.of(TransformType.KE)
        assert not after.of(TransformType.ADDKE1)


@given(st.lists(st.lists(st.sampled_from((0, 31, 36, 37)), min_size=1, max_size=3, unique=True), max_size=4))
def test_key_exchanges_are_distinct_wherever_that_is_possible(choices: list[list[int]]) -> None:
    rounds = [
        [Transform(TransformType(TransformType.KE + index), number) for number in some]
        for index, some in enumerate(choices)
    ]
    found = select.distinct(rounds)
    possible = [
        numbers
        for numbers in itertools.product(*choices)
        if len({n for n in numbers if n}) == sum(1 for n in numbers if n)
    ]
    if found is None:
        assert not possible
    else:
        assert tuple(t.id for t in found) in possible


def test_our_order_decides() -> None:
    assert _agreed("aes-128-gcm/sha256/group31/group20", "aes-128-gcm/sha256/group20/group31") == (
        "aes-128-gcm/prf-sha256/group20"
    )


def test_our_proposals_come_before_theirs() -> None:
    ours = [ike_proposal("aes-256-gcm/sha384/group31"), ike_proposal("aes-128-gcm/sha256/group31")]
    found = select.choose(list(reversed(ours)), ours)
    assert isinstance(found, Chosen)
    assert str(found.suite) == "aes-256-gcm/sha384/group31"


def test_the_choice_bears_the_number_and_spi_of_the_offer() -> None:
    offered = ike_proposal("aes-128-gcm/sha256/group31").numbered(7, b"12345678")
    found = select.choose([offered], [ike_proposal("aes-128-gcm/sha256/group31")])
    assert isinstance(found, Chosen)
    assert (found.proposal.number, found.proposal.spi) == (7, b"12345678")


def test_a_key_length_is_part_of_a_cipher() -> None:
    assert _agreed("aes-128-gcm/sha256/group31", "aes-256-gcm/sha256/group31") is None


def test_a_transform_with_an_attribute_that_we_do_not_know_is_not_chosen() -> None:
    known = ike_proposal("aes-128-gcm/sha256/group31")
    strange = tuple(replace(t, unknown_attributes=((99, b"x"),)) for t in known.transforms)
    assert isinstance(select.choose([replace(known, transforms=strange)], [known]), Mismatch)


@pytest.mark.parametrize("kind", [TransformType.INTEG, TransformType.KE, TransformType.SN])
def test_none_may_be_said_by_silence(kind: TransformType) -> None:
    # RFC 7296, 3.3.3.
    bare = Proposal(Protocol.ESP, (Transform(TransformType.ENCR, 20, 256),))
    spoken = replace(bare, transforms=(*bare.transforms, Transform(kind, 0)))
    for offered, accepted in ((bare, spoken), (spoken, bare)):
        assert isinstance(select.choose([offered], [accepted]), Chosen)


def test_a_group_at_one_end_only_is_a_mismatch() -> None:
    found = select.choose([esp_proposal("aes-128-gcm/group31")], [esp_proposal("aes-128-gcm")])
    assert isinstance(found, Mismatch)
    assert found.nearest == (Obstacle("ke", ("group31",), ()),)


def test_the_nearest_is_the_pair_with_the_fewest_obstacles() -> None:
    offered = [ike_proposal("aes-256-cbc/sha1/sha1/group2"), ike_proposal("aes-128-gcm/sha256/group2")]
    found = select.choose(offered, [ike_proposal("aes-128-gcm/sha256/group31")])
    assert isinstance(found, Mismatch)
    assert found.nearest == (Obstacle("ke", ("group2",), ("group31",)),)


def test_protocols_do_not_mix() -> None:
    found = select.choose([esp_proposal("aes-128-gcm")], [replace(esp_proposal("aes-128-gcm"), protocol=Protocol.AH)])
    assert isinstance(found, Mismatch)
    assert not found.nearest


def _changed(answer: Proposal, *transforms: Transform) -> Proposal:
    """The answer with these in the place of those of their type."""
    kept = tuple(t for t in answer.transforms if t.type not in {x.type for x in transforms})
    return replace(answer, transforms=(*kept, *transforms))


OFFER = ike_proposal("aes-128-gcm/sha256/group31/group20")
ANSWER = ike_proposal("aes-128-gcm/sha256/group20")


@pytest.mark.parametrize(
    "answer",
    [
        replace(ANSWER, number=2),
        replace(ANSWER, protocol=Protocol.ESP),
        _changed(ANSWER, Transform(TransformType.ENCR, 20, 256)),
        _changed(ANSWER, GROUPS[0], GROUPS[1]),
        _changed(ANSWER, Transform(TransformType.KE, 2)),
        _changed(ANSWER, EXTRA[0]),
        replace(ANSWER, transforms=ANSWER.transforms[:-1]),
    ],
    ids=["number", "protocol", "key length", "two groups", "another group", "an extra exchange", "no group"],
)
def test_an_answer_that_was_not_offered_is_not_confirmed(answer: Proposal) -> None:
    assert select.confirms(ANSWER, [OFFER]) is not None
    assert select.confirms(answer, [OFFER]) is None


def test_the_first_guess_is_the_first_group_of_the_first_proposal_that_has_one() -> None:
    proposals = [esp_proposal("aes-128-gcm"), esp_proposal("aes-256-gcm/group20/group31")]
    method = select.first_method(proposals)
    assert method is not None
    assert method.name == "group20"
    assert select.first_method(proposals[:1]) is None


def test_a_group_that_we_do_not_know_is_no_guess() -> None:
    strange = Proposal(Protocol.ESP, (Transform(TransformType.KE, 999), Transform(TransformType.KE, 31)))
    method = select.first_method([strange])
    assert method is algorithms.KEY_EXCHANGE_BY_NAME["group31"]


def test_what_is_offered_can_be_asked() -> None:
    assert select.offers_method([OFFER], 20)
    assert not select.offers_method([OFFER], 14)
    assert not select.offers_additional([OFFER])
    assert not select.offers_additional([_changed(OFFER, EXTRA[-1])])
    assert select.offers_additional([_changed(OFFER, EXTRA[0])])


def test_a_suite_has_the_rows_of_its_proposal() -> None:
    suite = select.suite_of(_changed(ike_proposal("aes-256-cbc/sha384/sha256/group14"), EXTRA[0]))
    names = [row.name for row in (suite.encryption, suite.integrity, suite.prf, suite.ke) if row]
    assert names == ["aes-256-cbc", "sha384", "sha256", "group14"]
    assert [(kind, row.ikev2) for kind, row in suite.additional] == [(TransformType.ADDKE1, 36)]
    assert not suite.esn
    assert select.suite_of(_changed(esp_proposal("aes-128-gcm"), Transform(TransformType.SN, 1))).esn


@pytest.mark.parametrize(
    ("offered", "accepted", "agreed"),
    [
        ("group31/+ml-kem-768", "group31/+ml-kem-1024,ml-kem-768", "group31/ml-kem-768"),
        ("group31/+ml-kem-768,none", "group31", "group31/none"),
        ("group31", "group31/+ml-kem-768,none", "group31"),
        ("group31/+ml-kem-768,none", "group31/+ml-kem-768,none", "group31/ml-kem-768"),
        ("group31/+ml-kem-768", "group31", None),
        ("group31", "group31/+ml-kem-768", None),
        # RFC 9370, 2.2.1: never one method twice, that of the first exchange included.
        (
            "group31/+ml-kem-768/+ml-kem-768,ml-kem-1024",
            "group31/+ml-kem-768/+ml-kem-768,ml-kem-1024",
            "group31/ml-kem-768/ml-kem-1024",
        ),
        (
            "group31/+ml-kem-768,ml-kem-1024/+ml-kem-768",
            "group31/+ml-kem-768,ml-kem-1024/+ml-kem-768",
            "group31/ml-kem-1024/ml-kem-768",
        ),
        ("group31,group19/+group31", "group31,group19/+group31", "group19/group31"),
        ("group31/+ml-kem-768/+ml-kem-768", "group31/+ml-kem-768/+ml-kem-768", None),
        ("group31/+ml-kem-768/+ml-kem-768,none", "group31/+ml-kem-768/+ml-kem-768,none", "group31/ml-kem-768/none"),
    ],
)
def test_additional_key_exchanges_are_chosen_once_each(offered: str, accepted: str, agreed: str | None) -> None:
    suite = "aes-256-gcm/sha384/"
    whole = f"aes-256-gcm/prf-sha384/{agreed}" if agreed is not None else None
    assert _agreed(suite + offered, suite + accepted) == whole


def test_an_answer_that_takes_one_method_twice_is_not_confirmed() -> None:
    offer = ike_proposal("aes-256-gcm/sha384/group31/+ml-kem-768,ml-kem-1024/+ml-kem-768")
    assert select.confirms(ike_proposal("aes-256-gcm/sha384/group31/+ml-kem-1024/+ml-kem-768"), [offer]) is not None
    assert select.confirms(ike_proposal("aes-256-gcm/sha384/group31/+ml-kem-768/+ml-kem-768"), [offer]) is None


def test_a_type_that_was_offered_with_none_may_be_left_out_of_the_answer() -> None:
    offer = ike_proposal("aes-256-gcm/sha384/group31/+ml-kem-768,none")
    suite = select.confirms(ike_proposal("aes-256-gcm/sha384/group31"), [offer])
    assert suite is not None
    assert suite.additional == ()


def test_a_choice_that_nobody_can_make_is_seen_at_once() -> None:
    # Seven choices of thirteen methods before two that want the same one: every order of them would take for ever.
    wide = tuple(Transform(TransformType.KE, number) for number in range(14, 27))
    same = (Transform(TransformType.KE, 36),)
    assert select.distinct([wide] * 7 + [same, same]) is None
    assert select.distinct([wide] * 7 + [same]) == (*wide[:7], *same)
