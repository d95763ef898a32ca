from dataclasses import replace
from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from isthmus.engine.directory import Directory
from isthmus.model.plan import DynamicPeer, FixedPeer, NamedPeer, Plan, Version
from isthmus.negotiate import match
from isthmus.sim.plans import EAST, WEST, plan_of

PEER = next(iter(plan_of(EAST, WEST).peers.values()))
ADDRESSES = [ip_address(f"192.0.2.{n}") for n in range(1, 5)]
WHERE = st.one_of(
    st.sampled_from(ADDRESSES).map(FixedPeer), st.just(DynamicPeer()), st.sampled_from(["a", "b"]).map(NamedPeer)
)


@given(
    st.lists(st.tuples(st.sampled_from(ADDRESSES), WHERE), max_size=8),
    st.lists(st.sampled_from(ADDRESSES), max_size=2, unique=True),
    st.sampled_from(ADDRESSES),
    st.sampled_from(ADDRESSES),
)
def test_it_finds_whom_a_walk_through_the_plan_finds(peers, resolved, local, remote) -> None:  # type: ignore[no-untyped-def]
    plan = Plan(
        peers={f"p{n}": replace(PEER, name=f"p{n}", local=here, address=at) for n, (here, at) in enumerate(peers)}
    )
    names = {name: tuple(resolved) for name in plan.peers}
    found = Directory(plan, names).candidates(local, remote)
    assert found == match.by_address(plan.peers.values(), local, remote, names)


@given(st.lists(st.tuples(WHERE, st.sampled_from(Version), st.booleans()), max_size=8), st.sampled_from(ADDRESSES))
def test_it_tells_once_for_all_who_speaks_a_version_and_whether_a_cookie_is_due(peers, remote) -> None:  # type: ignore[no-untyped-def]
    local = ADDRESSES[0]
    plan = Plan(
        peers={
            f"p{n}": replace(PEER, name=f"p{n}", local=local, address=at, version=version, require_cookie=cookie)
            for n, (at, version, cookie) in enumerate(peers)
        }
    )
    directory = Directory(plan, {})
    for version in (Version.IKEV1, Version.IKEV2):
        wanted = tuple(peer for peer in directory.candidates(local, remote) if peer.speaks(version))
        for _ in range(2):
            found = directory.speakers(local, remote, version)
            assert found.peers == wanted
            assert found.require_cookie == any(peer.require_cookie for peer in wanted)
