import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.engine import retry
from isthmus.sim.plans import EAST, WEST, plan_of
from tests.engine.table import Dice


class Fixed:
    """Entropy at one end of its range."""

    def __init__(self, octet: int) -> None:
        self.octet = octet

    def octets(self, count: int) -> bytes:
        return bytes([self.octet]) * count


LOWEST, HIGHEST = Fixed(0), Fixed(255)


def test_a_request_is_repeated_after_half_a_second_and_then_ever_later() -> None:
    middle = [(retry.repeat_after(n, LOWEST) + retry.repeat_after(n, HIGHEST)) / 2 for n in range(1, 10)]
    assert middle == pytest.approx([0.5, 1, 2, 4, 8, 16, 30, 30, 30])


def test_giving_up_takes_two_minutes_at_least_and_three_at_most() -> None:
    """RFC 7296, 2.4: several minutes of tries before a peer is taken for dead; and not for ever."""
    spans = [sum(retry.repeat_after(n, dice) for n in range(1, retry.MAX_ATTEMPTS + 1)) for dice in (LOWEST, HIGHEST)]
    assert 120.0 < spans[0] < spans[1] < 180.0


def test_a_peer_that_is_missed_is_called_about_as_often_as_it_would_have_been_asked() -> None:
    peer = next(iter(plan_of(EAST, WEST).peers.values()))
    longest = retry.missed_after(peer)
    for n in range(1, 20):
        assert retry.repeat_after(n, HIGHEST, longest) < peer.liveness.interval
        assert retry.reconnect_after(n, HIGHEST, longest) < peer.liveness.interval


def test_a_liveness_check_is_repeated_as_soon_as_an_answer_would_be_late() -> None:
    pace = retry.Pace()
    assert pace.patience < 0.2
    for _ in range(20):
        pace.answered(0.4)
    assert 0.4 < pace.patience < 0.5
    for took in (0.2, 0.6) * 10:
        pace.answered(took)
    assert pace.patience > 0.6
    for _ in range(100):
        pace.answered(0.01)
    assert pace.patience < 0.2
    pace.answered(20.0)
    assert pace.patience <= 1.0


@given(st.integers(1, 10_000), st.integers(0, 1000))
def test_calling_again_waits_a_second_at_first_and_never_more_than_a_minute_and_a_bit(failures: int, seed: int) -> None:
    assert 0.8 <= retry.reconnect_after(failures, Dice(seed)) <= 72.0


@given(st.integers(1, 10_000), st.integers(0, 1000))
def test_yielding_is_short_and_spread_wide(refusals: int, seed: int) -> None:
    assert 0.25 <= retry.yield_for(refusals, Dice(seed)) <= 15.0


@given(st.floats(1.0, 1e6), st.integers(0, 1000))
def test_an_sa_is_renewed_between_80_and_90_percent_of_its_life(lifetime: float, seed: int) -> None:
    assert 0.8 * lifetime <= retry.rekey_after(lifetime, Dice(seed)) <= 0.9 * lifetime + 1e-9


def test_fractions_reach_from_nothing_to_one() -> None:
    assert retry.fraction(LOWEST) == 0.0
    assert retry.fraction(HIGHEST) == 1.0
