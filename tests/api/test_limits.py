from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.api.asking import ask
from tests.api.fakes import FakeDaemon, ike_view


class Unreadable(FakeDaemon):
    @property  # type: ignore[override]
    def gateway(self) -> object:
        raise RuntimeError("the key is 0123456789")

    @gateway.setter
    def gateway(self, value: object) -> None:
        del value


def test_a_fault_of_ours_tells_the_client_nothing_and_us_everything() -> None:
    faults: list[Exception] = []
    answer = ask(Unreadable(), "/v1/ike-sa", faults=faults)
    assert (answer.status_code, answer.json()) == (500, {"code": "internal-error", "text": "internal error"})
    assert [type(fault) for fault in faults] == [RuntimeError]


def test_a_body_that_no_request_needs_is_refused() -> None:
    daemon = FakeDaemon(ike_view())
    answer = ask(daemon, "/v1/clear/ike-sa", method="POST", content=b"x" * 1025)
    assert (answer.status_code, answer.json()["code"], daemon.commands) == (413, "too-large", [])


def test_a_body_without_a_length_is_refused() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"x"

    answer = ask(FakeDaemon(), "/v1/clear/ike-sa", method="POST", content=endless())
    assert answer.status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e9", "abc"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    assert ask(FakeDaemon(), "/v1/status", headers={"content-length": length}).status_code == 413


def test_a_long_target_is_refused() -> None:
    assert ask(FakeDaemon(), "/v1/ike-sa?gateway=" + "x" * 2048).status_code == 414


def test_what_is_not_served_is_refused_in_json() -> None:
    answer = ask(FakeDaemon(), "/v2/status")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-path")
