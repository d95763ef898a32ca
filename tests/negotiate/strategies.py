"""Proposals and selectors out of few values, so that they often meet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import strategies as st

from isthmus.model.proposal import Proposal, Protocol, Transform, TransformType
from isthmus.model.selectors import MAX_PORT, TrafficSelector

CIPHERS = tuple(Transform(TransformType.ENCR, *row) for row in ((20, 256), (20, 128), (12, 256), (3, None)))
PRFS = tuple(Transform(TransformType.PRF, number) for number in (5, 6, 2))
HASHES = tuple(Transform(TransformType.INTEG, number) for number in (12, 13, 2))
GROUPS = tuple(Transform(TransformType.KE, number) for number in (31, 20, 14))
EXTRA = tuple(Transform(TransformType.ADDKE1, number) for number in (36, 37, 0))
NUMBERING = tuple(Transform(TransformType.SN, number) for number in (0, 1))


def _some(transforms: tuple[Transform, ...], least: int = 1) -> st.SearchStrategy[list[Transform]]:
    return st.lists(st.sampled_from(transforms), min_size=least, unique=True)


def _proposals(*parts: st.SearchStrategy[list[Transform]], protocol: Protocol) -> st.SearchStrategy[list[Proposal]]:
    transforms = st.tuples(*parts).map(lambda lists: tuple(t for some in lists for t in some))
    return st.lists(transforms, min_size=1, max_size=3).map(
        lambda several: [Proposal(protocol, these, number=number) for number, these in enumerate(several, 1)]
    )


ike_proposals = _proposals(
    _some(CIPHERS), _some(PRFS), _some(HASHES, 0), _some(GROUPS), _some(EXTRA, 0), protocol=Protocol.IKE
)
esp_proposals = _proposals(
    _some(CIPHERS), _some(HASHES, 0), _some(GROUPS, 0), _some(NUMBERING, 0), protocol=Protocol.ESP
)


@st.composite
def selectors(draw: st.DrawFn) -> TrafficSelector:
    """A range among a few addresses."""
    family = IPv4Address if draw(st.integers(0, 4)) else IPv6Address
    start, end = sorted((draw(st.integers(0, 12)), draw(st.integers(0, 12))))
    protocol = draw(st.sampled_from((0, 6, 17)))
    low, high = sorted((draw(st.integers(0, 5)), draw(st.integers(0, 5))))
    return TrafficSelector(family(start), family(end), protocol, *draw(st.sampled_from(((0, MAX_PORT), (low, high)))))


selector_lists = st.lists(selectors(), min_size=1, max_size=4)

packets = st.tuples(
    st.builds(IPv4Address, st.integers(0, 12)) | st.builds(IPv6Address, st.integers(0, 12)),
    st.sampled_from((6, 17, 1)),
    st.integers(0, 6),
)
